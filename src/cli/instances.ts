/** Owns: `holdfast instances`: the processes that share the journal, and what happened to them. */
import type { InstanceFact, InstanceRow, Journal } from '../runtime/ports/journal.ts';
import { formatDuration, formatMoment } from './time.ts';

const instanceWidth = 28;
const heading = [
  'instance'.padEnd(instanceWidth),
  'started'.padEnd(23),
  'ready',
  'last beat',
  'address',
].join('  ');

const line = ({ instance, startedAt, ready, beatAgeMs, address, pid }: InstanceRow): string =>
  [
    instance.padEnd(instanceWidth),
    formatMoment(startedAt),
    (ready ? 'yes' : 'no').padEnd(5),
    formatDuration(beatAgeMs).padStart(9),
    `${address ?? '-'} (process ${pid})`,
  ].join('  ');

export async function listInstances(journal: Journal, { json }: { json: boolean }): Promise<string> {
  const rows = await journal.instances();
  if (json) return JSON.stringify(rows, null, 2);
  return rows.length === 0
    ? 'No process has this journal open now.'
    : [heading, ...rows.map(line)].join('\n');
}

/** `2026-11-25 01:02:03 UTC  one  phase.passed  phase=journal detail="sqlite:data"`. */
const factLine = ({ at, instance, type, detail }: InstanceFact): string =>
  [
    formatMoment(at),
    instance.padEnd(instanceWidth),
    type.padEnd(18),
    Object.entries(detail)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(' '),
  ]
    .join('  ')
    .trimEnd();

/** The newest last, as in a log. */
export async function listFacts(
  journal: Journal,
  { json, limit }: { json: boolean; limit: number },
): Promise<string> {
  const facts = (await journal.readInstanceLog({ limit })).toReversed();
  if (json) return JSON.stringify(facts, null, 2);
  return facts.length === 0 ? 'Nothing was written down yet.' : facts.map(factLine).join('\n');
}
