/**
 * Owns: reading a call's log back into entries and states, checked entry by entry.
 * Does not own: appending, claiming.
 */
import { type Entry, entryFault } from '../machines/entries.ts';
import { keptChart, refuseFuture } from './charts.ts';
import { GiveUpError } from './ports/errors.ts';
import type { Json, Log, StoredCommit, StoredEntry } from './ports/journal.ts';
import { type CallState, fold, step, thaw } from './step.ts';

/** @throws GiveUpError `log.invalid` naming the entry */
export function parseEntry(callId: string, stored: StoredEntry): Entry {
  const fault = entryFault(stored);
  if (fault !== null) throw new GiveUpError('log.invalid', `call ${callId}, entry ${stored.seq}: ${fault}`);
  return stored as unknown as Entry;
}

/** Told before any entry is checked: a newer format may hold what this one would call malformed. */
function storedEntries(callId: string, commits: readonly StoredCommit[]): StoredEntry[] {
  const stored = commits.flatMap(({ entries }) => entries);
  refuseFuture(callId, stored);
  return stored;
}

/** @throws GiveUpError `log.invalid`, `journal.future` */
export const parseEntries = (callId: string, commits: readonly StoredCommit[]): Entry[] =>
  storedEntries(callId, commits).map((entry) => parseEntry(callId, entry));

/** What came before the newest change of the chart is not needed for what came after it. */
export function foldNewest(
  callId: string,
  entries: readonly Entry[],
  from: CallState | null,
): CallState | null {
  const changed = entries.findLastIndex(({ type }) => type === 'chart.changed');
  return changed < 0 ? fold(callId, entries, from) : fold(callId, entries.slice(changed));
}

/**
 * The call's state as its log has it now, or null for an unknown call. Reads from the newest checkpoint where its
 * chart is kept.
 * @throws GiveUpError `log.invalid`, `journal.future`, `journal.past`; RetryError `journal.unavailable`
 */
export async function readState(log: Log, callId: string): Promise<CallState | null> {
  const stored = await log.read(callId);
  const from = stored.checkpoint && thaw(callId, stored.checkpoint.state);
  if (stored.checkpoint && !from) return foldNewest(callId, await readEntries(log, callId), null);
  return foldNewest(callId, parseEntries(callId, stored.commits), from);
}

/** The whole log of a call. @throws as `readState` */
export async function readEntries(log: Log, callId: string): Promise<Entry[]> {
  return parseEntries(callId, (await log.read(callId, { fromStart: true })).commits);
}

export interface ReplayedStep {
  entry: Entry;
  state: CallState;
  commands: ReturnType<typeof step>[1];
  /** The state value that was stored with the commit which this entry ends; undefined inside a commit. */
  stored: Json | undefined;
  /** False where the fold differs from what was stored. */
  matches: boolean;
}

/**
 * Drives the log through its charts again, and compares each stored state with the folded one (I1). Where the chart that
 * began the log is not kept any more, the replay begins where one took over that is.
 * @throws as `readState`
 */
export async function replay(log: Log, callId: string): Promise<ReplayedStep[]> {
  const stored = await log.read(callId, { fromStart: true });
  const entries = parseEntries(callId, stored.commits);
  const states = new Map(stored.commits.map((commit) => [commit.entries.at(-1)?.seq, commit.state]));
  const steps: ReplayedStep[] = [];
  let state: CallState | null = null;
  for (const entry of entries.slice(firstReplayable(entries))) {
    const [next, commands] = step(callId, state, entry);
    state = next;
    const wasStored = states.get(entry.seq);
    const matches = wasStored === undefined || isSameValue(wasStored, next.snapshot.value);
    steps.push({ entry, state, commands, stored: wasStored, matches });
  }
  return steps;
}

function firstReplayable(entries: readonly Entry[]): number {
  const [created] = entries;
  if (created?.type !== 'call.created' || keptChart(created.chart)) return 0;
  const changed = entries.findIndex((entry) => entry.type === 'chart.changed' && keptChart(entry.to));
  return Math.max(0, changed);
}

/** State values are nested objects of strings; the order of parallel regions does not matter. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => isSameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}
