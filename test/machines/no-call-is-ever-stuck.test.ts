/**
 * M4, by exhaustive search over two parts of the chart's graph (the sockets; the conversation) and by random walks
 * over all of it.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AnyStateNode, getStateNodes } from 'xstate';
import { callMachine } from '../../src/machines/call/machine.ts';
import type { Draft } from '../../src/machines/entries.ts';
import type { CallState } from '../../src/runtime/step.ts';
import { factsAt, likelyFactsAt } from './alphabet.ts';
import { checkContext, checkPromises } from './support/promises.ts';
import {
  firstState,
  isConversation,
  isOver,
  type Move,
  move,
  stepsUntilOver,
  stepsUntilWell,
} from './support/walk.ts';

/** The longest call is two minutes here, and no timer is shorter than an eighth of a second. */
const mostStepsInSilence = 150;
const mostRoundsOfGoodWill = 20;

/** More than this is no graph any more. */
const mostKinds = 50_000;

/** States that differ only in ids and moments behave alike. */
function kindOf({ snapshot }: CallState): string {
  const {
    stream,
    asks,
    model,
    reply,
    settings: _,
    startedAt: __,
    tools,
    hangUpCall,
    ...rest
  } = snapshot.context;
  return JSON.stringify([
    snapshot.value,
    [stream.id !== null, Math.min(2, stream.attempt), asks],
    [model.sessionId !== null, model.tries],
    { ...reply, id: reply.id !== null },
    [tools.length, hangUpCall !== null],
    { ...rest, instance: null, endReason: null },
  ]);
}

/** Every kind of state that the facts can lead to. */
function explore(from: CallState, factsOf: (state: CallState) => Draft[]): CallState[] {
  const found = new Map([[kindOf(from), from]]);
  const open = [from];
  for (let state = open.pop(); state; state = open.pop()) {
    for (const fact of factsOf(state)) {
      const next = move(state, fact);
      checkPromises(next);
      const kind = kindOf(next.after);
      if (found.has(kind)) continue;
      found.set(kind, next.after);
      if (found.size > mostKinds) throw new Error('the context grows without end');
      open.push(next.after);
    }
  }
  return [...found.values()];
}

/** Left again in the step in which it was entered. */
const transient = new Set(['call.ending.deciding']);

const everyState = (node: AnyStateNode): Record<string, AnyStateNode> =>
  Object.assign({ [node.id]: node }, ...Object.values(node.states).map(everyState));

const follow = (state: CallState, ...facts: Draft[]): CallState =>
  facts.reduce((current, fact) => move(current, fact).after, state);

const inConversation = (): CallState =>
  follow(
    firstState(),
    { type: 'owner.claimed', instance: 'one', why: 'created' },
    { type: 'call.answered', by: 'us' },
    { type: 'model.opened', generation: 1, sessionId: 'session', expiresAt: null },
    { type: 'owner.claimed', instance: 'one', why: 'stream', attempt: 1 },
    { type: 'stream.started', streamId: 'stream1', attempt: 1 },
  );

const ofTurns = /^(caller|reply|tool)\.|^hangUp\.requested|^journal/;
const ofSockets = /^(stream|media|carrier|owner|journal)\./;
/** They lead to states of their own that behave like others: the operator's goodbye, and the same state again. */
const ofNothingNew = /longestCall|^reply\.progressed/;
/** Rare in a walk, or it would be a short one. */
const ofEnds = /^(journal|carrier|hangUp|model\.closed)/;

const factsBut =
  (...left: RegExp[]) =>
  (state: CallState): Draft[] =>
    likelyFactsAt(state).filter((fact) => {
      const name = fact.type === 'timer.elapsed' ? fact.timer : fact.type;
      return !left.some((kind) => kind.test(name));
    });

const searches = {
  sockets: () => explore(firstState(), factsBut(ofTurns)),
  conversation: () => explore(inConversation(), factsBut(ofSockets, ofNothingNew)),
};

/** Some ten thousand states: two seconds on an idle machine. */
const searchLimitMs = 120_000;

describe.each(Object.entries(searches))('every state that can be reached (%s)', (_, search) => {
  let states: CallState[] = [];
  beforeAll(() => {
    states = search();
  }, searchLimitMs);

  it('is one of many', () => {
    expect(states.length).toBeGreaterThan(500);
    expect(states.some(isConversation)).toBe(true);
    expect(states.some(isOver)).toBe(true);
  });

  it('ends within bounds when nobody answers any more', () => {
    for (const state of states) stepsUntilOver(state, mostStepsInSilence);
  });

  it('ends or becomes a conversation when everybody answers', () => {
    for (const state of states) stepsUntilWell(state, mostRoundsOfGoodWill);
  });
});

describe('any walk through the chart', () => {
  const choices = fc.array(fc.nat(9_999), { minLength: 1, maxLength: 60, size: 'max' });

  function walk(numbers: readonly number[], factsOf: typeof factsAt, visit: (next: Move) => void): CallState {
    let state = firstState();
    for (const number of numbers) {
      const facts = factsOf(state).filter(({ type }) => number % 16 === 0 || !ofEnds.test(type));
      const next = move(state, facts[(number >> 4) % facts.length] as Draft, number % 700);
      visit(next);
      state = next.after;
    }
    return state;
  }

  it('keeps every promise, ends in silence, and comes well by good will', () => {
    fc.assert(
      fc.property(choices, (numbers) => {
        const state = walk(numbers, likelyFactsAt, checkPromises);
        checkContext(state);
        stepsUntilOver(state, mostStepsInSilence);
        stepsUntilWell(state, mostRoundsOfGoodWill);
      }),
      { numRuns: 3_000 },
    );
  });

  it('ends in silence and comes well by good will even where the far sides tell what cannot be', () => {
    fc.assert(
      fc.property(choices, (numbers) => {
        const state = walk(numbers, factsAt, () => undefined);
        stepsUntilOver(state, mostStepsInSilence);
        stepsUntilWell(state, mostRoundsOfGoodWill);
      }),
      { numRuns: 3_000 },
    );
  });

  it('may come by every state of the chart', () => {
    const visited = new Set<string>();
    const noteStates = ({ after }: Move): void => {
      for (const node of getStateNodes(callMachine.root, after.snapshot.value)) visited.add(node.id);
    };
    for (const numbers of fc.sample(choices, { numRuns: 1_000, seed: 1 })) walk(numbers, factsAt, noteStates);
    const all = Object.keys(everyState(callMachine.root)).filter((id) => !transient.has(id));
    expect(all.filter((id) => !visited.has(id))).toEqual([]);
  });
});
