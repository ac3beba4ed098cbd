/**
 * Owns: what a call of a drill was like for the caller: gaps, words lost, things said twice, tools run twice.
 * Pure: everything follows from the evidence.
 * Does not own: gathering the evidence, what is good enough (`verdict.ts`).
 *
 * Invariants:
 * W1. A gap is the silence inside a reply as it was heard, without the turn of a caller whom the agent had asked to repeat;
 *     where the fault struck outside a reply, the time from the fault until both sockets were ready.
 * W2. A thing is said twice when a whole sentence of a greeting or an answer was heard twice, and the caller had not
 *     asked again between.
 * W3. A word is lost when no session was given a frame that the caller spoke into an open stream. What was spoken
 *     within `flightMs` before the stream's end was on its way, and is not counted.
 */
import type { Entry } from '../../src/machines/entries.ts';
import type { HeardFrame, SaidFrame } from './caller.ts';
import {
  answersTo,
  framesPerWord,
  isAnswer,
  lastQuestion,
  replies,
  toolOf,
  wordsOf,
  wordsPerSentence,
} from './conversation.ts';
import type { Effect } from './effects.ts';
import type { CallEvidence, SessionFrames, Struck } from './evidence.ts';

export const frameMs = 20;
export const flightMs = 100;

type Interval = readonly [from: number, until: number];

export interface Measures {
  /** Null where nothing interrupted the call, or where it ended before it went on. */
  gapMs: number | null;
  wordsLost: number;
  saidTwice: number;
  toolsTwice: number;
  /** The longest stretch of sound that was heard again, milliseconds. */
  repeatedMs: number;
  /** Words of the agent that a caller who came to the end never heard. */
  wordsSkipped: number;
  /** Frames that one session was given twice, or out of order. */
  framesDoubled: number;
  /** Questions that nobody answered, though the line was open when they were asked and long after. */
  turnsLost: number;
}

export const measure = (evidence: CallEvidence): Measures => ({
  gapMs: gapOf(evidence),
  wordsLost: wordsLost(evidence).length,
  saidTwice: saidTwice(evidence),
  toolsTwice: toolsTwice(evidence.effects),
  repeatedMs: longestRepetition(evidence),
  wordsSkipped: wordsSkipped(evidence),
  framesDoubled: evidence.sessions.reduce((sum, frames) => sum + disordered(frames), 0),
  turnsLost: turnsLost(evidence),
});

// Gaps

/** Silences inside replies as they were heard: from the end of one frame to the beginning of the next. */
export function silencesInReplies(heard: readonly HeardFrame[]): { from: number; ms: number }[] {
  const spans = answerSpans(heard);
  return heard.slice(1).flatMap((next, index) => {
    const before = heard[index];
    if (!before || !spans.some(([first, last]) => index >= first && index < last)) return [];
    const from = before.at + frameMs;
    return next.at > from ? [{ from, ms: next.at - from }] : [];
  });
}

/** Of each greeting and answer, the places of its first and last frame in what was heard. */
function answerSpans(heard: readonly HeardFrame[]): Interval[] {
  const spans = new Map<number, [number, number]>();
  for (const [index, { reply }] of heard.entries()) {
    const span = spans.get(reply);
    if (span) span[1] = index;
    else if (isAnswer(reply)) spans.set(reply, [index, index]);
  }
  return [...spans.values()];
}

/** W1. */
export function gapOf(evidence: CallEvidence): number | null {
  const silences = silencesInReplies(evidence.heard)
    .filter((silence) => !isTheCallersTurn(silence, evidence.said))
    .map(({ ms }) => ms);
  const waits = evidence.struck
    .filter(({ at }) => !isInsideReply(evidence.heard, at))
    .map((struck) => readyAfter(evidence.entries, struck))
    .filter((ms) => ms !== null);
  const gaps = [...silences, ...waits];
  if (gaps.length > 0) return Math.max(...gaps);
  return evidence.struck.length > 0 && evidence.isDone ? 0 : null;
}

/** The agent had asked for the question again, and there it comes: what follows is a new answer. */
const isTheCallersTurn = ({ from, ms }: { from: number; ms: number }, said: CallEvidence['said']): boolean =>
  said.some(({ why, beganAt }) => why === 'asked' && from <= beganAt && beganAt < from + ms);

const isInsideReply = (heard: readonly HeardFrame[], at: number): boolean =>
  answerSpans(heard).some(([first, last]) => (heard[first]?.at ?? 0) <= at && at < (heard[last]?.at ?? 0));

/** From the fault until both sockets were there again; null where the call ended before, or lost neither. */
function readyAfter(entries: readonly Entry[], { at, what }: Struck): number | null {
  const after = entries.filter((entry) => entry.at >= at);
  const stream = after.find(({ type }) => type === 'stream.started');
  const moved = after.some((entry) => entry.type === 'owner.claimed' && entry.at <= (stream?.at ?? 0));
  const model = after.find(({ type }) => type === 'model.opened');
  if (what === 'model') return model ? model.at - at : null;
  if (!stream) return null;
  const needsModel = what === 'process' || (moved && ownerChanged(entries, at));
  if (needsModel && !model) return null;
  return Math.max(stream.at, needsModel ? (model?.at ?? 0) : 0) - at;
}

function ownerChanged(entries: readonly Entry[], at: number): boolean {
  const claims = entries.filter((entry) => entry.type === 'owner.claimed');
  const before = claims.findLast((entry) => entry.at < at);
  const after = claims.find((entry) => entry.at >= at);
  return after !== undefined && before?.instance !== after.instance;
}

// What was said twice

const placeOf = ({ segment, frame }: HeardFrame): number => segment * framesPerWord + frame;

/** What was heard of each greeting and answer, anew from each time that its question was asked. */
function tellings({ heard, said }: Pick<CallEvidence, 'heard' | 'said'>): Map<string, HeardFrame[]> {
  const answers = heard.filter(({ reply }) => isAnswer(reply));
  return Map.groupBy(answers, ({ reply, at }) => {
    const asked = said.filter(
      ({ question, beganAt }) => answersTo(question).includes(reply) && beganAt <= at,
    );
    return `${reply}/${asked.length}`;
  });
}

/** W2. */
export const saidTwice = (evidence: Pick<CallEvidence, 'heard' | 'said'>): number =>
  [...tellings(evidence).values()].reduce((sum, frames) => sum + sentencesTwice(frames), 0);

function sentencesTwice(frames: readonly HeardFrame[]): number {
  const times = Map.groupBy(frames, placeOf);
  const isTwice = (place: number): boolean => (times.get(place)?.length ?? 0) > 1;
  const sentenceFrames = wordsPerSentence * framesPerWord;
  const sentences = wordsOf(frames[0]?.reply ?? 0) / wordsPerSentence;
  return Array.from({ length: sentences }, (_, sentence) => sentence * sentenceFrames).filter((first) =>
    Array.from({ length: sentenceFrames }, (_, index) => first + index).every(isTwice),
  ).length;
}

/** How far back a reply that was taken up again began, at most. */
export function longestRepetition(evidence: Pick<CallEvidence, 'heard' | 'said'>): number {
  let longestFrames = 0;
  for (const frames of tellings(evidence).values()) {
    let furthest = -1;
    for (const place of frames.map(placeOf)) {
      longestFrames = Math.max(longestFrames, furthest - place + 1);
      furthest = Math.max(furthest, place);
    }
  }
  return longestFrames * frameMs;
}

/** Words of the greeting and the answers that a caller who came to the end never heard. */
export function wordsSkipped({ heard, isDone }: Pick<CallEvidence, 'heard' | 'isDone'>): number {
  if (!isDone) return 0;
  const asked = Array.from({ length: lastQuestion }, (_, index) => answersTo(index + 1));
  const skipped = [[replies.greeting], ...asked].map((alternatives) =>
    Math.min(...alternatives.map((reply) => wordsOf(reply) - wordsHeard(heard, reply))),
  );
  return skipped.reduce((sum, words) => sum + words, 0);
}

const wordsHeard = (heard: readonly HeardFrame[], reply: number): number =>
  new Set(heard.filter((frame) => frame.reply === reply).map(({ segment }) => segment)).size;

// What was lost

/** When what the caller said could reach us. */
export function openStreams({ events, struck }: Pick<CallEvidence, 'events' | 'struck'>): Interval[] {
  const open: Interval[] = [];
  for (const event of events) {
    if (event.event !== 'streamStarted') continue;
    const ended = events.find(
      (other) => other.event === 'streamEnded' && other.streamSid === event.streamSid,
    );
    const muted = struck.find(({ at, mutesStream }) => mutesStream && at >= event.at);
    const until = Math.min(ended?.at ?? Number.POSITIVE_INFINITY, muted?.at ?? Number.POSITIVE_INFINITY);
    open.push([event.at, until - flightMs]);
  }
  return open;
}

const isWithin = (intervals: readonly Interval[], at: number): boolean =>
  intervals.some(([from, until]) => at >= from && at + frameMs <= until);

const keyOf = ({ utterance, frame }: { utterance: number; frame: number }): string => `${utterance}/${frame}`;

/** W3. */
export function wordsLost(
  evidence: Pick<CallEvidence, 'events' | 'struck' | 'saidFrames' | 'sessions' | 'endReason'>,
): SaidFrame[] {
  const open = openStreams(evidence);
  const given = new Set(evidence.sessions.flatMap((frames) => frames.map(keyOf)));
  const mindUntil = mindLostAt(evidence);
  return evidence.saidFrames.filter(
    (frame) => frame.at < mindUntil && isWithin(open, frame.at) && !given.has(keyOf(frame)),
  );
}

/**
 * Where the model refused the call for good, nobody was there to be told what came after its last session: the call
 * ended for it, or went to whoever was dialled.
 */
function mindLostAt({ struck, endReason }: Pick<CallEvidence, 'struck' | 'endReason'>): number {
  const isRefused = endReason?.startsWith('model.') || endReason === 'call.transferred';
  if (!isRefused) return Number.POSITIVE_INFINITY;
  return (struck.findLast(({ what }) => what === 'model')?.at ?? 0) - flightMs;
}

/** Frames that do not come after all those before them: the caller never says a frame twice. */
export function disordered(frames: SessionFrames): number {
  let last = -1;
  let count = 0;
  const order = (utterance: number, frame: number): number => utterance * 10_000 + frame;
  for (const { utterance, frame } of frames) {
    if (order(utterance, frame) <= last) count += 1;
    last = Math.max(last, order(utterance, frame));
  }
  return count;
}

/** A caller who has waited for so long on an open line was not heard. */
const unheardMs = 8_000;

function turnsLost(evidence: Pick<CallEvidence, 'events' | 'struck' | 'said'>): number {
  const open = openStreams(evidence);
  const wasOpen = (from: number, until: number): boolean =>
    open.some((stream) => from >= stream[0] && until <= stream[1]);
  return evidence.said.filter((said, index) => {
    const again = evidence.said[index + 1];
    if (again?.why !== 'unasked' || again.question !== said.question) return false;
    return wasOpen(said.beganAt, said.endedAt) && wasOpen(again.beganAt - unheardMs, again.beganAt);
  }).length;
}

// Tools

/** Runs of one tool call that had, or may have had, a second effect. */
export function toolsTwice(effects: readonly Effect[]): number {
  const calls = Map.groupBy(effects, ({ caller, question, tool }) => `${caller}/${question}/${tool}`);
  return [...calls.values()].filter(hadSecondEffect).length;
}

function hadSecondEffect(attempts: readonly Effect[]): boolean {
  const tool = attempts[0] ? toolOf(attempts[0].caller) : 'look_up';
  const done = attempts.filter((attempt) => attempt.done);
  if (tool === 'look_up') return false;
  if (tool === 'set_day') return new Set(done.map(({ key }) => key)).size > 1;
  return done.length > 1;
}
