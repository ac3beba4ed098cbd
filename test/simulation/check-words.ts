/**
 * Owns: what must hold of the caller's words in a simulated call: each session gets them in order and each once, and none
 * is lost (I8).
 */
import { type HeardSegment, readSegments } from '../../src/twin/openai/segments.ts';
import type { TwinSession } from '../../src/twin/openai/twin-session.ts';
import type { SimulatedLog } from './check-log.ts';
import { levels } from './level.ts';
import { lineOf } from './scene.ts';
import { demand } from './violation.ts';
import type { Arrival, World } from './world.ts';

/** From a process to a session and back. */
const roundTripMs = 30;

/** The caller's audio that is kept for the next session. */
const ringMs = 10_000;

/** More than any line has. */
const framesPerLine = 4_096;

/** A frame of a caller's line, by its number over all lines. */
const numberOf = (line: number, frame: number): number => line * framesPerLine + frame;

const framesIn = (segments: readonly HeardSegment[], index: number): number[] =>
  segments.flatMap(({ reply, frames }) => {
    const { call, line } = lineOf(reply);
    return call === index ? frames.map((frame) => numberOf(line, frame)) : [];
  });

/** Read once for all calls of a world. */
const wordsBySession = new WeakMap<TwinSession, HeardSegment[]>();

function segmentsOf(session: TwinSession): HeardSegment[] {
  const segments = wordsBySession.get(session) ?? readSegments(session.appendedAudio());
  wordsBySession.set(session, segments);
  return segments;
}

const streamOf = ({ text }: Arrival): string | undefined => /"streamSid":"([^"]*)"/.exec(text)?.[1];

const wordsByArrival = new WeakMap<Arrival, HeardSegment[]>();

function wordsOf(arrival: Arrival): HeardSegment[] {
  const payload = (): string => /"payload":"([^"]*)"/.exec(arrival.text)?.[1] ?? '';
  const segments = wordsByArrival.get(arrival) ?? readSegments(Buffer.from(payload(), 'base64'));
  wordsByArrival.set(arrival, segments);
  return segments;
}

/** Audio of one call that reached one process. */
interface HeardCaller extends Arrival {
  frames: readonly number[];
}

/** Whether the stream of the audio had been the call's before it came, and was not any more. */
function isLate(world: World, { callId, entries, timeOf }: SimulatedLog, arrival: Arrival): boolean {
  const id = streamOf(arrival);
  const hadStarted = entries.some(
    (entry) => entry.type === 'stream.started' && entry.streamId === id && timeOf(entry) < arrival.at,
  );
  if (!hadStarted) return false;
  const last = world.steps.findLast(
    (step) => step.call.callId === callId && (world.steppedBy.get(step)?.at ?? 0) <= arrival.at,
  );
  const snapshot = last?.after.snapshot;
  return !(snapshot?.hasTag('streaming') && snapshot.context.stream.id === id);
}

/**
 * I8: every session of the call gets the caller's words in order and each once; no other call's session gets any; and
 * what reached a process is in some session as soon as that process has one that takes it, within the ring's bound.
 *
 * @param index of the call in its story
 */
export function checkWords(world: World, log: SimulatedLog, index: number): void {
  const got = new Set<number>();
  for (const session of world.openai.sessions) checkSession(session, index, got);
  const heard = world.arrivals.flatMap((arrival): HeardCaller[] => {
    const frames = framesIn(wordsOf(arrival), index);
    return frames.length === 0 ? [] : [{ ...arrival, frames }];
  });
  for (const arrival of heard) {
    const lost = arrival.frames.filter((frame) => !got.has(frame));
    if (lost.length === 0 || isLate(world, log, arrival) || !isOwed(world, log, arrival, heard, got))
      continue;
    const [first = 0] = lost;
    const words = `${lost.length} frames of line ${Math.floor(first / framesPerLine)}, from ${first % framesPerLine} on,`;
    const { at, process } = arrival;
    demand(false, 'I8', () => `${words} reached ${process.instance} at ${at} and no session`);
  }
}

/** Adds the caller's frames that the session got. */
function checkSession(session: TwinSession, index: number, got: Set<number>): void {
  const segments = segmentsOf(session);
  const calls = new Set(segments.map(({ reply }) => lineOf(reply).call));
  demand(
    calls.size <= 1,
    'I8',
    () => `session ${session.connection} got the voices of ${calls.size} callers`,
  );
  const frames = framesIn(segments, index);
  frames.forEach((frame, place) => {
    const before = frames[place - 1] ?? -1;
    demand(
      frame > before,
      'I8',
      () =>
        `session ${session.connection} got frame ${frame % framesPerLine} after ${before % framesPerLine}`,
    );
    got.add(frame);
  });
}

/**
 * Whether the process had a session that had to take what it heard: one that took what came later, or one that opened
 * within the ring's bound. It must still have lived and owned the call then. What was in its memory when it died, lost
 * the call or let go of the stream is lost, and so is what nobody asked for before the call ended.
 */
function isOwed(
  world: World,
  { entries, timeOf }: SimulatedLog,
  { at, process }: HeardCaller,
  heard: readonly HeardCaller[],
  got: ReadonlySet<number>,
): boolean {
  const boundMs = ringMs - levels[world.level].frameMs;
  const isWithin = (moment: number): boolean => moment >= at && moment < at + boundMs;
  const later = heard.find(
    (other) =>
      other.process === process && isWithin(other.at) && other.frames.every((frame) => got.has(frame)),
  );
  const opened = entries.find((entry) => entry.type === 'model.opened' && isWithin(timeOf(entry)));
  const never = Number.POSITIVE_INFINITY;
  const takenAt = Math.min(later?.at ?? never, opened === undefined ? never : timeOf(opened));
  if (takenAt === never) return false;
  const claims = entries.filter((entry) => entry.type === 'owner.claimed');
  const owner = claims.findLast((entry) => timeOf(entry) <= at);
  const isMoved = claims.some(
    (entry) => timeOf(entry) > at && timeOf(entry) <= takenAt && entry.instance !== process.instance,
  );
  const isOwner = owner?.instance === process.instance;
  const startedAt = world.clock.now() - world.clock.monotonic();
  const diedAt = process.diedAt === null ? never : startedAt + process.diedAt;
  return isOwner && !isMoved && diedAt > takenAt + roundTripMs;
}
