/** Owns: what must hold once a simulated call is over: its effects (I3), what is left (I4), how it came to its end (I5). */
import type { Entry } from '../../src/machines/entries.ts';
import type { TwinCall } from '../../src/twin/twilio/call/call.ts';
import type { CallEndReason } from '../../src/twin/twilio/call/call-events.ts';
import type { SimulatedLog } from './check-log.ts';
import type { Outside } from './scene.ts';
import { demand } from './violation.ts';
import type { World } from './world.ts';

/** A tool's time, and that of finding out what became of it after a death. */
const toolLimitMs = 20_000;

/** I4: nothing of any call is left, and nothing of ours went wrong. */
export function checkNoLeak(world: World): void {
  for (const process of world.processes) {
    const { instance, assembly, streams, surplusTimers, errors, isAlive } = process;
    demand(errors.length === 0, 'I10', () => `${instance} logged errors: ${errors.join(' ')}`);
    demand(surplusTimers <= 0, 'I4', () => `${instance} has ${surplusTimers} timers too many`);
    if (!isAlive) continue;
    const left = `${assembly.registry.size} calls, ${assembly.live.size} parts, ${streams.size} streams`;
    demand(left === '0 calls, 0 parts, 0 streams', 'I4', () => `${instance} still has ${left}`);
  }
  const open = world.openai.sessions.filter(({ closure }) => closure === null);
  demand(open.length === 0, 'I4', () => `${open.length} model sessions are still open`);
}

/** Tools whose outcome is what becomes of the call. */
const leavesCall: ReadonlySet<string> = new Set(['hang_up', 'transfer_call']);

/**
 * I3: no effect comes twice, under whatever keys, and every tool call has its outcome.
 *
 * @param mayBeUntold the journal was away until the call was given up: what waited for it came too late to be done, and
 *   nobody was left to be told
 */
export function checkEffects(
  outside: Outside,
  call: TwinCall,
  { callId, entries }: SimulatedLog,
  mayBeUntold = false,
): void {
  checkDials(call);
  const tools = Map.groupBy(
    outside.effects.filter((effect) => effect.callId === callId),
    ({ tool }) => tool,
  );
  for (const [tool, effects] of tools) {
    const keys = new Set(effects.map(({ key }) => key));
    demand(keys.size === 1, 'I3', () => `${tool} was done under ${keys.size} keys: ${[...keys].join(', ')}`);
    const isTwice = tool === 'book_seats' && effects.length > 1;
    demand(!isTwice, 'I3', () => `${tool} must be done once and was done ${effects.length} times`);
  }
  const finished = new Set(
    entries.flatMap((entry) => (entry.type === 'tool.finished' ? [entry.toolCallId] : [])),
  );
  const endedAt = entries.at(-1)?.at ?? 0;
  for (const entry of entries) {
    if (entry.type !== 'tool.requested' || leavesCall.has(entry.name)) continue;
    const isOwed = !mayBeUntold && !finished.has(entry.toolCallId) && endedAt - entry.at > toolLimitMs;
    demand(!isOwed, 'I3', () => `the outcome of ${entry.name} (${entry.toolCallId}) never came`);
  }
}

/** Nobody is dialled twice, and nobody once somebody has answered: only the fallback follows a vain one. */
function checkDials({ events }: TwinCall): void {
  const dials = events.filter((event) => event.event === 'dialEnded');
  const numbers = new Set(dials.map(({ number }) => number));
  const wasVain = dials.slice(0, -1).every(({ status }) => status !== 'completed');
  demand(
    numbers.size === dials.length && wasVain,
    'I3',
    () => `the caller was handed on ${dials.length} times`,
  );
}

/** How a call ended. */
export interface CallEnd {
  /** By our log. */
  reason: string;
  /** By Twilio's. */
  carrierReason: CallEndReason;
  /** The caller heard the agent out, was put through, or hung up after the agent had answered. */
  isConversation: boolean;
}

/**
 * I5, here and at Twilio: what our log names as the reason is what happened, and a caller who was left without an
 * answer for the whole of a patience is nobody's true reason.
 *
 * @param mayBeUnheard nobody could have taken the call up again: the journal was away for longer than a patience
 */
export function readEnd(call: TwinCall, { entries }: SimulatedLog, mayBeUnheard = false): CallEnd {
  if (entries.length === 0) return declinedEnd(call);
  const last = entries.findLast(
    (entry): entry is Extract<Entry, { type: 'call.ended' }> => entry.type === 'call.ended',
  );
  const ended = call.events.findLast(({ event }) => event === 'callEnded');
  demand(
    last !== undefined && ended?.event === 'callEnded',
    'I5',
    () => 'the log does not say how the call ended',
  );
  const hungUp = call.events.find(({ event }) => event === 'callerHungUp');
  demand(
    mayBeUnheard || !(hungUp?.event === 'callerHungUp' && hungUp.why === 'patience'),
    'I5',
    () => 'the caller heard nothing for so long that it hung up',
  );
  return {
    reason: last.reason,
    carrierReason: ended.reason,
    isConversation:
      last.reason === 'agent.hungUp' ||
      last.reason === 'call.transferred' ||
      (hungUp !== undefined && wasAnswered(call)),
  };
}

/** A call of which no log was begun. */
function declinedEnd(call: TwinCall): CallEnd {
  const ended = call.events.findLast(({ event }) => event === 'callEnded');
  demand(ended?.event === 'callEnded', 'I5', () => 'a call without a log never ended');
  return { reason: 'declined', carrierReason: ended.reason, isConversation: false };
}

/** Whether the agent was heard after the caller's last line. */
function wasAnswered(call: TwinCall): boolean {
  const lastLine = call.events.findLast(({ event }) => event === 'callerStopped');
  const lastReply = call.events.findLast(({ event }) => event === 'agentStarted' || event === 'agentStopped');
  return lastLine === undefined || (lastReply !== undefined && lastReply.at >= lastLine.at);
}

/** The only reasons for which a call may end. */
const trueReasons = [
  'agent.hungUp',
  'caller.hungUp',
  'call.tooLong',
  'model.refused',
  'model.unavailable',
  'stream.lost',
  'carrier.failed',
  'carrier.canceled',
];

/** I5, as far as this goes: the call has ended, here as at Twilio, for a reason that what went wrong can explain. */
export async function checkTrueReason(
  world: World,
  call: TwinCall,
  faults: { ofStreams: boolean; ofModel: boolean },
): Promise<void> {
  const reason = (await world.journal.findByCarrierId(call.sid))?.endReason ?? 'none';
  const isTrue =
    trueReasons.includes(reason) &&
    (faults.ofStreams || reason !== 'stream.lost') &&
    (faults.ofModel || !reason.startsWith('model.'));
  demand(isTrue, 'I5', () => `nothing explains the end ${reason}`);
}
