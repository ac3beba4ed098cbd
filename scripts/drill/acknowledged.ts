/**
 * Owns: what the processes of a fleet were told is durable, and whether the logs keep it: nothing acknowledged is lost,
 * no log has a hole, and a call has one writer at a time.
 * Does not own: noting it (`acknowledged-journal.ts`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../../src/machines/entries.ts';
import type { CallEvidence } from './evidence.ts';

const prefix = 'acknowledged-';

export const acknowledgedPath = (folder: string, instance: string): string =>
  join(folder, `${prefix}${instance}.jsonl`);

/** One commit that a process was told is durable. */
export interface Acknowledged {
  instance: string;
  callId: string;
  entries: readonly Entry[];
}

/** A line may have been cut short by the death of its process. */
function linesOf(text: string): unknown[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

export function readAcknowledged(folder: string): Acknowledged[] {
  const files = readdirSync(folder).filter((name) => name.startsWith(prefix));
  return files.flatMap((name) => {
    const instance = name.slice(prefix.length, -'.jsonl'.length);
    const lines = linesOf(readFileSync(join(folder, name), 'utf8')) as Omit<Acknowledged, 'instance'>[];
    return lines.map((line) => ({ instance, ...line }));
  });
}

const ownerAt = (entries: readonly Entry[], seq: number): string | null => {
  const claim = entries.findLast((entry) => entry.type === 'owner.claimed' && entry.seq <= seq);
  return claim?.type === 'owner.claimed' ? claim.instance : null;
};

interface Finding {
  callId: string;
}

export interface LogFindings {
  /** Entries in all that were told to be durable. */
  acknowledged: number;
  /** One for each entry. */
  lost: readonly Finding[];
  /** One for each commit. */
  foreign: readonly Finding[];
  /** One for each log. */
  holed: readonly Finding[];
}

export function findInLogs(
  results: readonly Pick<CallEvidence, 'callId' | 'entries'>[],
  acknowledged: readonly Acknowledged[],
): LogFindings {
  const logs = new Map(results.map(({ callId, entries }) => [callId, entries]));
  const known = acknowledged.filter(({ callId }) => logs.has(callId));
  const told = known.flatMap(({ callId, entries }) => entries.map((entry) => ({ callId, entry })));
  const lost = told.filter(
    ({ callId, entry }) => !isDeepStrictEqual(logs.get(callId)?.[entry.seq - 1], entry),
  );
  // A commit that begins with the change of the chart or with the claim is the claimer's as a whole.
  const foreign = known.filter(
    ({ callId, instance, entries }) => ownerAt(logs.get(callId) ?? [], entries.at(-1)?.seq ?? 0) !== instance,
  );
  const holed = results.filter(({ entries }) => entries.some(({ seq }, index) => seq !== index + 1));
  return { acknowledged: told.length, lost, foreign, holed };
}

/** Promises that were broken, each with the calls. */
export function brokenByTheLogs({ lost, foreign, holed }: LogFindings): string[] {
  const say = (promise: string, calls: readonly Finding[]): string[] =>
    calls.length === 0 ? [] : [`${promise}: ${[...new Set(calls.map(({ callId }) => callId))].join(', ')}`];
  return [
    ...say('no acknowledged entry is lost', lost),
    ...say('a call has one writer at a time', foreign),
    ...say('no log has a hole', holed),
  ];
}
