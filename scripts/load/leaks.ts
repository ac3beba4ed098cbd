/**
 * Owns: what is left of the calls after their end, what of that is a leak, and how it is told.
 * Does not own: looking (`load-run.ts`).
 *
 * Invariants:
 * LK1. Nothing is said to be left only of what was looked at.
 */

/** What is null was not looked at. */
export interface Leaks {
  /** Milliseconds from the hang-up of all until nothing was left, or until it was no longer waited for. */
  waitedMs: number;
  liveCalls: number | null;
  liveSessions: number;
  openSockets: number | null;
  openTimers: number | null;
  handlesBefore: number | null;
  handlesAfter: number | null;
  /** In use after a collection, after the warm-up and after the end. */
  liveBytesBefore: number | null;
  liveBytesAfter: number | null;
  residentBytesBefore: number | null;
  residentBytesAfter: number | null;
  /** Why its own metrics could not be looked at in the end; null where they were. */
  unseenBecause: string | null;
}

/** Connections that are kept open on purpose: to the collector, for the next webhook. */
const idleHandles = 10;

/**
 * What a process keeps of calls that are over without losing it: compiled code, caches that are bounded, the last hours'
 * figures. 2 to 4 MB were measured after 100 to 600 calls. A soak of 10,000 calls fails from 1.6 kB a call.
 */
const idleLiveBytes = 16e6;
/**
 * Without a collection garbage counts, too: the heap may be four times what lives before it is collected whole
 * (`docs/decisions/021-garbage.md`), which is 150 MB above the 50 MB of an idle service; the young generation comes on top.
 * 130 MB were measured after 600 calls.
 */
const idleResidentBytes = 250e6;

/** Of which something is to be left, each with how much of it was found: null, nobody looked. */
function findings(leaks: Leaks): [name: string, count: number | null][] {
  const { liveCalls, liveSessions, openSockets, openTimers, handlesBefore, handlesAfter } = leaks;
  return [
    ['live calls', liveCalls],
    ['model sessions', liveSessions],
    ['sockets', openSockets],
    ['timers', openTimers],
    ['open files', beyond(handlesBefore, handlesAfter, idleHandles)],
  ];
}

/** By how much there is more than there may be; null where either is not known. */
const beyond = (before: number | null, after: number | null, allowed: number): number | null =>
  before === null || after === null ? null : Math.max(0, after - before - allowed);

/** Bytes; null where neither is known. */
function leakedBytes(leaks: Leaks): number | null {
  const { liveBytesBefore, liveBytesAfter, residentBytesBefore, residentBytesAfter } = leaks;
  return (
    grown(liveBytesBefore, liveBytesAfter, idleLiveBytes) ??
    grown(residentBytesBefore, residentBytesAfter, idleResidentBytes)
  );
}

/** All of the growth, once it is beyond what an idle process varies by. */
const grown = (before: number | null, after: number | null, allowed: number): number | null =>
  before === null || after === null ? null : after - before > allowed ? after - before : 0;

/** What is left of the calls after their end; null where nothing of what was looked at is. */
export function leakOf(leaks: Leaks): string | null {
  const left = findings(leaks).flatMap(([name, count]) => (count ? [`${count} ${name}`] : []));
  const bytes = leakedBytes(leaks);
  const all = bytes ? [...left, `${(bytes / 1e6).toFixed(0)} MB of memory`] : left;
  return all.length === 0 ? null : all.join(', ');
}

/** LK1. */
export function unseenIn(leaks: Leaks): string[] {
  const names = findings(leaks).flatMap(([name, count]) => (count === null ? [name] : []));
  return leakedBytes(leaks) === null ? [...names, 'memory'] : names;
}

/** LK1, in words. */
export function tellLeft(leaks: Leaks): string {
  const unseen = unseenIn(leaks);
  const leak = leakOf(leaks);
  if (unseen.length === 0) return leak ?? 'nothing';
  const because = leaks.unseenBecause === null ? '' : ` (${leaks.unseenBecause})`;
  const notLookedAt = `not looked at: ${unseen.join(', ')}${because}`;
  return leak === null ? notLookedAt : `${leak}; ${notLookedAt}`;
}
