/**
 * Owns: whether a drill's promises were kept, call by call and all together, and the row that the table shows of it.
 * Does not own: the measures (`measure.ts`), the table's form (`table.ts`).
 *
 * Invariants:
 * V1. Every call is counted once: completed in conversation, ended with a true reason, or dropped.
 */
import type { CallEvent } from '../../src/twin/twilio/call/call-events.ts';
import { measuredDelays } from '../../src/twin/twilio/settings.ts';
import { answersTo, lastQuestion, replies } from './conversation.ts';
import type { CallEvidence } from './evidence.ts';
import type { FleetFigures } from './fleet-figures.ts';
import { type Measures, measure } from './measure.ts';
import { type Plan, type Policy, usualPolicy } from './plan.ts';

/** A resumed reply may repeat 1.2 s, and the word that was being said. */
const longestRepeatedMs = 1_200 + 200;

/** One line of the table. */
export interface Row {
  name: string;
  policy: Policy | null;
  calls: number;
  completed: number;
  ended: number;
  dropped: number;
  gapsMs: number[];
  beyondMs: number[];
  wordsLost: number;
  saidTwice: number;
  toolsTwice: number;
  leaks: number;
  /** Where there are several machines. */
  fleet: FleetFigures | null;
  /** Promises that were not held, with the calls that they were not held for. */
  broken: string[];
  /** What else was seen. */
  notes: string[];
}

/** What the twin's Twilio needs by itself from a stream's end to the next one's first message. */
export function twilioMs(events: readonly CallEvent[], policy: Policy): number {
  const started = events.filter(({ event }) => event === 'streamStarted').length;
  if (started < 2) return 0;
  const { continuationMs, updateMs, handshakeMs, firstMessageMs } = measuredDelays;
  const ends = events.filter((event) => event.event === 'streamEnded');
  const wasUpdated = policy === 'hold' || ends.slice(0, -1).some(({ end }) => end.by === 'twilio');
  return (wasUpdated ? updateMs : continuationMs) + handshakeMs + firstMessageMs;
}

/** Why a call does not count as completed in conversation; null where it does. */
export function shortfall(evidence: CallEvidence): string | null {
  const { heard, said, struck, isDone, endReason } = evidence;
  if (heard.some(({ reply }) => reply === replies.forgot)) return 'the model had forgotten what was said';
  if (!isDone) return `no answer to question ${said.at(-1)?.question ?? 'none'}`;
  if (endReason !== 'agent.hungUp') return `ended with ${endReason ?? 'no reason'}`;
  for (let question = 1; question <= lastQuestion; question += 1) {
    if (!heard.some(({ reply }) => answersTo(question).includes(reply))) return `no answer to ${question}`;
  }
  const lastTurn = said.findLast(({ why }) => why === 'turn');
  const lastStruck = struck.findLast(({ what }) => what !== 'move');
  if (lastStruck && (lastTurn?.beganAt ?? 0) < lastStruck.at) return 'no whole turn after the fault';
  return null;
}

type Fate = { fate: 'completed' } | { fate: 'ended' } | { fate: 'dropped'; why: string };

function fateOf(plan: Plan, policy: Policy, evidence: CallEvidence): Fate {
  const why = shortfall(evidence);
  if (why === null) return { fate: 'completed' };
  const reasons = plan.mayEndWith?.(evidence, policy) ?? [];
  const isOver = evidence.events.some(({ event }) => event === 'callEnded');
  if (isOver && evidence.endReason !== null && reasons.includes(evidence.endReason)) return { fate: 'ended' };
  return { fate: 'dropped', why };
}

interface Judged {
  evidence: CallEvidence;
  measures: Measures;
  fate: Fate;
  beyondMs: number | null;
}

/**
 * The row of the calls of one policy.
 *
 * @param lateMs how late the twin itself was at most: it may have heard a silence of that length where there was none
 */
export function judge(plan: Plan, policy: Policy, results: readonly CallEvidence[], lateMs = 0): Row {
  const judged = results.map((evidence): Judged => {
    const measures = plan.isHostile?.(evidence.caller)
      ? { ...measure(evidence), gapMs: null, wordsLost: 0, turnsLost: 0 }
      : measure(evidence);
    const own = twilioMs(evidence.events, policy);
    const beyondMs = measures.gapMs === null ? null : Math.max(0, measures.gapMs - own);
    return { evidence, measures, fate: fateOf(plan, policy, evidence), beyondMs };
  });
  const sum = (of: (measures: Measures) => number): number =>
    judged.reduce((total, { measures }) => total + of(measures), 0);
  const count = (fate: Fate['fate']): number => judged.filter((call) => call.fate.fate === fate).length;
  return {
    name: plan.name,
    policy: plan.underEachPolicy || policy !== usualPolicy ? policy : null,
    calls: results.length,
    completed: count('completed'),
    ended: count('ended'),
    dropped: count('dropped'),
    gapsMs: judged.flatMap(({ measures }) => measures.gapMs ?? []),
    beyondMs: judged.flatMap(({ beyondMs }) => beyondMs ?? []),
    wordsLost: sum(({ wordsLost }) => wordsLost),
    saidTwice: sum(({ saidTwice }) => saidTwice),
    toolsTwice: sum(({ toolsTwice }) => toolsTwice),
    leaks: 0,
    fleet: null,
    broken: brokenPromises(plan, policy, judged, lateMs),
    notes: [...notesOn(judged), ...(plan.tell?.(results) ?? [])],
  };
}

function brokenPromises(plan: Plan, policy: Policy, judged: readonly Judged[], lateMs: number): string[] {
  const { gapLimitMs, untouchedGapMs = Number.POSITIVE_INFINITY, isOutOfSight = false } = plan;
  const limit = typeof gapLimitMs === 'function' ? gapLimitMs(policy) : gapLimitMs;
  const isStruck = ({ evidence }: Judged): boolean => evidence.struck.length > 0;
  const dropped = judged.flatMap(({ evidence, fate }) =>
    fate.fate === 'dropped' ? [`${evidence.callId} (${fate.why}; log: ${evidence.endReason})`] : [],
  );
  return [
    ...(dropped.length > 0 ? [`no call is dropped: ${dropped.join(', ')}`] : []),
    ...(plan.takesEveryCall
      ? promise('no new call is turned away', judged, ({ evidence }) => !evidence.wasTurnedAway)
      : []),
    ...promise('no word is lost', judged, ({ measures }) => measures.wordsLost === 0),
    ...(isOutOfSight ? [] : brokenByRepetition(judged)),
    ...promise('every word of the agent is heard', judged, ({ measures }) => measures.wordsSkipped === 0),
    ...promise('no tool is run twice', judged, ({ measures }) => measures.toolsTwice === 0),
    ...promise('no session is given a word twice', judged, ({ measures }) => measures.framesDoubled === 0),
    ...promise('nobody hears another call', judged, ({ evidence }) => evidence.strangers === 0),
    ...promise('every log replays', judged, ({ evidence }) => evidence.replays),
    ...promise(
      `the gap is at most ${limit} ms beyond the carrier's own`,
      judged.filter((call) => limit !== undefined && isStruck(call)),
      ({ beyondMs }) => (beyondMs ?? 0) <= (limit ?? 0) + lateMs,
    ),
    ...promise(
      `who is not struck hears no gap above ${untouchedGapMs} ms`,
      judged.filter((call) => !isStruck(call)),
      ({ beyondMs }) => (beyondMs ?? 0) <= untouchedGapMs + lateMs,
    ),
  ];
}

const brokenByRepetition = (judged: readonly Judged[]): string[] => [
  ...promise('nothing is said twice', judged, ({ measures }) => measures.saidTwice === 0),
  ...promise('no turn is lost', judged, ({ measures }) => measures.turnsLost === 0),
  ...promise(
    'a resumed reply repeats at most 1.2 s and a word',
    judged,
    ({ measures }) => measures.repeatedMs <= longestRepeatedMs,
  ),
];

function promise(name: string, judged: readonly Judged[], holds: (call: Judged) => boolean): string[] {
  const calls = judged.filter((call) => !holds(call)).map(({ evidence }) => evidence.callId);
  return calls.length > 0 ? [`${name}: ${calls.join(', ')}`] : [];
}

function notesOn(judged: readonly Judged[]): string[] {
  const asked = judged.reduce((sum, { evidence }) => sum + countOf(evidence, 'asked'), 0);
  const unasked = judged.reduce((sum, { evidence }) => sum + countOf(evidence, 'unasked'), 0);
  const skipped = judged.reduce((sum, { measures }) => sum + measures.wordsSkipped, 0);
  const repeated = Math.max(0, ...judged.map(({ measures }) => measures.repeatedMs));
  return [
    ...(repeated > 0 ? [`longest repetition ${repeated} ms`] : []),
    ...(asked > 0 ? [`callers asked to repeat ${asked}`] : []),
    ...(unasked > 0 ? [`callers who repeated unasked ${unasked}`] : []),
    ...(skipped > 0 ? [`words of the agent never heard ${skipped}`] : []),
  ];
}

const countOf = ({ said }: CallEvidence, why: 'asked' | 'unasked'): number =>
  said.filter((each) => each.why === why).length;
