/** Walks through the call chart: single steps with a fact, and the two worlds in which a call must not be stuck. */
import type { Command } from '../../../src/machines/commands.ts';
import type { Draft, Entry } from '../../../src/machines/entries.ts';
import { type CallState, step } from '../../../src/runtime/step.ts';
import { created } from '../alphabet.ts';

const startAt = 1_000_000;

/** What came of a fact. */
export interface Move {
  before: CallState;
  fact: Draft;
  after: CallState;
  commands: Command[];
}

export const firstState = (first: Draft = created): CallState =>
  step('call1', null, { ...first, seq: 1, at: startAt } as Entry)[0];

/** The fact comes `afterMs` after the last one; a timer comes when it is due. */
export function move(before: CallState, fact: Draft, afterMs = 1): Move {
  const due = fact.type === 'timer.elapsed' ? (before.due.get(fact.timer) ?? 0) : 0;
  const at = Math.max(before.at + afterMs, due);
  const [after, commands] = step('call1', before, { ...fact, seq: before.seq + 1, at } as Entry);
  return { before, fact, after, commands };
}

export const isOver = ({ snapshot }: CallState): boolean => snapshot.status !== 'active';

/** The caller is on the line and there is a mind to talk to. */
export const isConversation = ({ snapshot }: CallState): boolean =>
  snapshot.hasTag('streaming') && snapshot.matches({ live: { model: 'ready' } });

/** Nobody answers any more: only time passes, and what needs nobody is done. */
export function silence(state: CallState): Draft | null {
  if (state.snapshot.matches({ ending: 'concluding' })) return { type: 'call.ended', reason: 'silence' };
  return nextTimer(state);
}

/** Everybody answers at once what the state of the call waits for. */
export function goodWill(state: CallState): Draft[] {
  const { snapshot } = state;
  const { stream, model } = snapshot.context;
  const attempt = stream.attempt + 1;
  if (snapshot.value === 'ringing') return [{ type: 'call.answered', by: 'us' }];
  if (snapshot.matches({ ending: 'concluding' })) return [{ type: 'call.ended', reason: 'good will' }];
  if (snapshot.matches('transferring')) return [{ type: 'transfer.finished', outcome: 'no-answer' }];
  if (snapshot.matches('ending'))
    return [{ type: 'carrier.reported', status: 'completed', source: 'callback' }];
  if (snapshot.matches({ live: { model: 'connecting' } }))
    return [{ type: 'model.opened', generation: model.generation, sessionId: 'session', expiresAt: null }];
  if (snapshot.hasTag('streaming')) return timerOf(state);
  return [
    { type: 'owner.claimed', instance: snapshot.context.instance ?? 'one', why: 'stream', attempt },
    { type: 'stream.started', streamId: `stream${attempt}`, attempt },
  ];
}

const timerOf = (state: CallState): Draft[] => {
  const timer = nextTimer(state);
  return timer ? [timer] : [];
};

function nextTimer({ due }: CallState): Draft | null {
  const first = [...due].sort(([, one], [, other]) => one - other)[0];
  return first ? { type: 'timer.elapsed', timer: first[0] } : null;
}

/** Steps until the call is over, at most `limit`. */
export function stepsUntilOver(from: CallState, limit: number): number {
  let state = from;
  for (let steps = 0; steps <= limit; steps++) {
    if (isOver(state)) return steps;
    const fact = silence(state);
    if (!fact) throw new Error(`waits for ever in ${JSON.stringify(state.snapshot.value)}`);
    state = move(state, fact).after;
  }
  throw new Error(`not over after ${limit} steps: ${JSON.stringify(state.snapshot.value)}`);
}

/** Steps until there is a conversation or an end, at most `limit`. */
export function stepsUntilWell(from: CallState, limit: number): number {
  let state = from;
  for (let steps = 0; steps <= limit; steps++) {
    if (isOver(state) || isConversation(state)) return steps;
    for (const fact of goodWill(state)) state = isOver(state) ? state : move(state, fact).after;
  }
  throw new Error(
    `neither over nor in conversation after ${limit} rounds: ${JSON.stringify(state.snapshot.value)}`,
  );
}
