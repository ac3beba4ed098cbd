/**
 * Owns: telling a story to its end and judging it: every invariant, for every call of it.
 * Does not own: a single check (`check-*.ts`), what a story is.
 *
 * Reasons for which a call may end, and what must have happened for each to be true:
 * - `agent.hungUp`: the goodbye was spoken. `caller.hungUp`: the caller did, and Twilio says so; or Twilio says that the
 *   call is over, and what it says of the stream's end was kept from us.
 * - `stream.lost`: Twilio ended the call because a stream had ended, or had nobody left to ask; or every new stream that
 *   was tried failed as well.
 * - `model.refused`: a session was refused for good. `model.unavailable`: as many sessions in a row failed as are tried.
 * - `declined`: there is no log, because the journal or the processes were not there when the call came.
 * - `call.transferred`: the caller asked for somebody, or the model could not serve it, and the far end answered.
 * - `journal.lost`: a journal stalled for as long as is borne. Where the process that gave the call up dies before the
 *   journal is back, the log never hears of it: whoever finds the call then finds it ended, and `stream.lost` stands for it.
 */
import type { TwinCall } from '../../src/twin/twilio/call/call.ts';
import { type CallEnd, checkEffects, checkNoLeak, readEnd } from './check-end.ts';
import { checkOneWriter, checkReplay, readLog, type SimulatedLog } from './check-log.ts';
import { checkHeard, checkSaidOnce, checkSilenceAfterInterrupt } from './check-sound.ts';
import { checkWords } from './check-words.ts';
import type { Level } from './level.ts';
import { repeatableReplies } from './scene.ts';
import { Stage, sceneOf } from './stage.ts';
import { faultsOn, isJournalLost, type Story } from './story.ts';
import { demand } from './violation.ts';

/** Faults of one kind that end a call for good where each of its tries meets one. */
const mostTries = { streams: 3, sessions: 6 } as const;

export interface CallVerdict {
  callId: string;
  log: SimulatedLog;
  end: CallEnd | null;
  /** What did not hold, each with its invariant. */
  violations: string[];
}

export interface Verdict {
  story: Story;
  stage: Stage;
  calls: CallVerdict[];
  /** What did not hold of the world as a whole. */
  violations: string[];
}

/** Tells the story and judges it. Never rejects for what ours does. */
export async function judge(story: Story, level: Level): Promise<Verdict> {
  const stage = await Stage.set(story, level);
  const violations: string[] = [];
  await collect(violations, () => stage.play());
  const isOver = violations.length === 0;
  violations.push(...stage.inspector.violations);
  const calls: CallVerdict[] = [];
  if (isOver) {
    for (const [index, call] of stage.calls.entries()) calls.push(await judgeCall(stage, call, index));
    await collect(violations, () => checkNoLeak(stage.world));
  }
  await stage.world.close();
  return { story, stage, calls, violations };
}

export const allViolations = ({ calls, violations }: Verdict): string[] => [
  ...violations,
  ...calls.flatMap(({ callId, violations: own }) => own.map((violation) => `${callId}: ${violation}`)),
];

async function judgeCall(
  { world, story, outside }: Stage,
  call: TwinCall,
  index: number,
): Promise<CallVerdict> {
  const { replies } = sceneOf(story);
  const log = await readLog(world, call.sid);
  const verdict: CallVerdict = { callId: call.sid, log, end: null, violations: [] };
  const { violations } = verdict;
  await collect(violations, () => {
    verdict.end = readEnd(call, log, isJournalLost(story));
    checkTruth(story, index, verdict.end);
  });
  await collect(violations, () => checkReplay(world, log));
  await collect(violations, () => checkOneWriter(world, log));
  await collect(violations, () => checkEffects(outside, call, log, isJournalLost(story)));
  await collect(violations, () => checkSaidOnce(world, call, log, replies, repeatableReplies));
  await collect(violations, () => checkWords(world, log, index));
  await collect(violations, () => checkSilenceAfterInterrupt(world, call, log, repeatableReplies));
  if (story.faults.length === 0) await collect(violations, () => checkHeard(world, call, log, replies));
  return verdict;
}

async function collect(violations: string[], check: () => unknown): Promise<void> {
  try {
    await check();
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error));
  }
}

/** I5: the reason in the log is one that the story explains. */
function checkTruth(story: Story, call: number, { reason, carrierReason, isConversation }: CallEnd): void {
  const explain = explanations[reason];
  const isTrue = explain?.(story, call, carrierReason) ?? false;
  demand(isTrue, 'I5', () => `nothing in the story explains the end ${reason} (Twilio: ${carrierReason})`);
  const isHangUp = reason === 'agent.hungUp' || (reason === 'caller.hungUp' && !byCarrier.has(carrierReason));
  demand(
    !isHangUp || isConversation || isJournalLost(story),
    'I5',
    () => 'the caller hung up without an answer to its last words',
  );
}

const byUs = new Set<CallEnd['carrierReason']>(['api', 'hangUpVerb', 'documentEnded']);

/** Twilio ended the call by itself, because of how it is set or because nobody told it what to do. */
const byCarrier = new Set<CallEnd['carrierReason']>(['streamPolicy', 'applicationError']);

type Explanation = (story: Story, call: number, carrierReason: CallEnd['carrierReason']) => boolean;

const explanations: Record<string, Explanation> = {
  'agent.hungUp': (_, __, carrierReason) => byUs.has(carrierReason) || carrierReason === 'callerHungUp',
  'caller.hungUp': (story, call, carrierReason) =>
    carrierReason === 'callerHungUp' || (byCarrier.has(carrierReason) && mayBeUntold(story, call)),
  'stream.lost': (story, call, carrierReason) =>
    byCarrier.has(carrierReason)
      ? story.faults.length > 0
      : (isJournalLost(story) && (byUs.has(carrierReason) || carrierReason === 'callerHungUp')) ||
        (byUs.has(carrierReason) && streamFaultsOf(story, call) >= mostTries.streams),
  /** Nothing could be written of it, and the caller was told that the lines are busy; or Twilio reached nobody. */
  declined: (story, _, carrierReason) =>
    story.faults.some(({ on }) => on === 'journal' || on === 'webhooks' || on === 'process') &&
    (byUs.has(carrierReason) || carrierReason === 'applicationError'),
  'model.refused': isRefused,
  'model.unavailable': isUnavailable,
  'call.transferred': (story) =>
    faultsOn(story, 'transfer').some(({ outcome }) => outcome === 'answered') ||
    (story.fallback === 'transfer' && (isRefused(story) || isUnavailable(story))),
  'journal.lost': isJournalLost,
};

/**
 * What Twilio says of a stream that it gave up came too late, or not at all: to us the call is over, and no more. What the
 * journal does not take comes again, and in another order.
 */
const mayBeUntold = (story: Story, call: number): boolean =>
  faultsOn(story, 'webhooks').length > 0 ||
  faultsOn(story, 'journal').length > 0 ||
  faultsOn(story, 'callbacks').some((fault) => fault.call === call);

function isRefused(story: Story): boolean {
  return sessionFaults(story, isRefusal) > 0;
}

function isUnavailable(story: Story): boolean {
  return sessionFaults(story, () => true) >= mostTries.sessions;
}

function streamFaultsOf(story: Story, call: number): number {
  const faults = faultsOn(story, 'stream').filter((fault) => fault.call === call);
  return faults.reduce((count, { stream }) => count + (stream === 'every' ? mostTries.streams : 1), 0);
}

type SessionFault = ReturnType<typeof faultsOn<'session'>>[number]['fault'];

const isRefusal = (fault: SessionFault): boolean =>
  fault.kind === 'refuseInBand' ||
  (fault.kind === 'refuseUpgrade' && [401, 403].includes(fault.status)) ||
  (fault.kind === 'response' && fault.outcome === 'insufficient_quota');

const sessionFaults = (story: Story, is: (fault: SessionFault) => boolean): number =>
  faultsOn(story, 'session').filter(({ fault }) => is(fault)).length;
