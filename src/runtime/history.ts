/**
 * Owns: reading a call's log back into entries and states, checked entry by entry.
 * Does not own: appending, claiming.
 */
import { type Entry, entryFault, entryFormat } from '../machines/entries.ts';
import { GiveUpError } from './ports/errors.ts';
import type { CallLog, Json, Log, StoredEntry } from './ports/journal.ts';
import { type CallState, fold, step, thaw } from './step.ts';

/** @throws GiveUpError `log.invalid` naming the entry */
export function parseEntry(callId: string, stored: StoredEntry): Entry {
  const fault = entryFault(stored);
  if (fault !== null) throw new GiveUpError('log.invalid', `call ${callId}, entry ${stored.seq}: ${fault}`);
  return stored as unknown as Entry;
}

function entriesOf(callId: string, { commits }: CallLog): Entry[] {
  const stored = commits.flatMap(({ entries }) => entries);
  refuseFuture(callId, stored[0]);
  return stored.map((entry) => parseEntry(callId, entry));
}

/** Told before any entry is checked: a newer format may hold what this one would call malformed. */
function refuseFuture(callId: string, first: StoredEntry | undefined): void {
  if (first?.type !== 'call.created' || Number(first.format) <= entryFormat) return;
  throw new GiveUpError(
    'journal.future',
    `call ${callId} has entry format ${Number(first.format)}; this version knows ${entryFormat}`,
  );
}

/**
 * The call's state as its log has it now, or null for an unknown call. Reads from the newest checkpoint where this
 * chart wrote it.
 * @throws GiveUpError `log.invalid`, `journal.future`; RetryError `journal.unavailable`
 */
export async function readState(log: Log, callId: string): Promise<CallState | null> {
  const stored = await log.read(callId);
  const from = stored.checkpoint && thaw(callId, stored.checkpoint.state);
  if (stored.checkpoint && !from) return fold(callId, await readEntries(log, callId));
  return fold(callId, entriesOf(callId, stored), from);
}

/** The whole log of a call. @throws as `readState` */
export async function readEntries(log: Log, callId: string): Promise<Entry[]> {
  return entriesOf(callId, await log.read(callId, { fromStart: true }));
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

/** Drives the log through the chart again, and compares each stored state with the folded one (I1). @throws as `readState` */
export async function replay(log: Log, callId: string): Promise<ReplayedStep[]> {
  const { commits } = await log.read(callId, { fromStart: true });
  refuseFuture(callId, commits[0]?.entries[0]);
  const steps: ReplayedStep[] = [];
  let state: CallState | null = null;
  for (const commit of commits) {
    const last = commit.entries.at(-1)?.seq;
    for (const raw of commit.entries) {
      const entry = parseEntry(callId, raw);
      const [next, asked] = step(callId, state, entry);
      state = next;
      const stored = entry.seq === last ? commit.state : undefined;
      const matches = stored === undefined || isSameValue(stored, next.snapshot.value);
      steps.push({ entry, state: next, commands: asked, stored, matches });
    }
  }
  return steps;
}

/** State values are nested objects of strings; the order of parallel regions does not matter. */
function isSameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => isSameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}
