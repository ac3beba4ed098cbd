/**
 * Owns: what a run of a fleet came to, in words and tables.
 * Does not own: the figures (`fleet.ts`).
 */
import type { FleetVerdict } from './fleet.ts';
import { lastReconnectMs } from './machines.ts';
import type { FleetPlan, Strike } from './plan.ts';
import type { Blow } from './takeovers.ts';

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return value === undefined ? '-' : seconds(value);
}

const spread = (values: readonly number[]): string =>
  `${percentile(values, 0.5)} / ${percentile(values, 0.99)} / ${percentile(values, 1)}`;

function balanceOf(sizes: readonly number[]): string {
  const mean = sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length);
  return `${Math.min(...sizes)} / ${mean.toFixed(1)} / ${Math.max(...sizes)} on ${sizes.length}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('   ')}`.trimEnd();
  return [line(head), ...rows.map(line)];
}

const strikeWords: Record<Strike['strike'], (strike: Strike) => string> = {
  kill: () => 'the busiest instance is killed',
  vanish: () => 'the busiest instance vanishes with its host, and nobody is told',
  freeze: (strike) => `the busiest instance is frozen for ${lengthOf(strike)}, then wakes`,
  cutOff: (strike) => `the busiest instance is cut off from the database alone for ${lengthOf(strike)}`,
  outage: (strike) =>
    `the database is away for ${lengthOf(strike)}, and up to ${seconds(lastReconnectMs)} longer for each instance`,
  restart: () => 'every instance is replaced by a new one, one after the other',
};

const lengthOf = (strike: Strike): string => ('forMs' in strike ? seconds(strike.forMs) : '');

export function planInWords({ seed, instances, calls, callEveryMs, strikes }: FleetPlan): string[] {
  return [
    `Seed ${seed}: ${instances} instances on as many hosts, ${calls} calls, one every ${seconds(callEveryMs)}; the balancer gives each to the instance with the fewest.`,
    ...strikes.map((strike) => `  after ${seconds(strike.atMs)} ${strikeWords[strike.strike](strike)}`),
  ];
}

export function verdictInWords(verdict: FleetVerdict): string[] {
  return [
    '',
    'Live calls of the instances that work, least / mean / most:',
    ...balanceTable(verdict),
    '',
    'Calls of the instances that were struck, from the blow, p50 / p99 / most:',
    ...takeoverTable(verdict.blows),
    '',
    ...loadWords(verdict),
    ...[...verdict.lost, ...verdict.wrong].map((words) => `LOST OR WRONG ${words}`),
    ...verdict.violations.map((words) => `VIOLATED ${words}`),
    '',
    summaryOf(verdict),
  ];
}

const balanceTable = ({ balances }: FleetVerdict): string[] =>
  table(
    ['', 'before', '15 s after'],
    balances.map(({ name, before, after }) => [name, balanceOf(before), balanceOf(after)]),
  );

function takeoverTable(blows: readonly Blow[]): string[] {
  const rows = [...Map.groupBy(blows, ({ name }) => name)].map(([name, same]) => {
    const adopted = same.flatMap((blow) => [...blow.adopted.values()]);
    const count = adopted.reduce((sum, size) => sum + size, 0);
    return [
      name,
      String(same.reduce((sum, { calls }) => sum + calls.size, 0)),
      spread(same.flatMap(({ claimedMs }) => claimedMs)),
      spread(same.flatMap(({ reachedMs }) => reachedMs)),
      spread(same.flatMap(({ cutMs }) => cutMs)),
      count === 0 ? '0' : `${count} by ${adopted.length}, at most ${Math.max(...adopted)}`,
      String(same.reduce((sum, { ended }) => sum + ended, 0)),
    ];
  });
  return table(
    ['', 'calls', 'claimed elsewhere', 'stream there', 'of that without any', 'adopted', 'ended before'],
    rows,
  );
}

function loadWords({ meter, lastedMs, callMs, instances }: FleetVerdict): string[] {
  const perSecond = (count: number): string => (count / (lastedMs / 1_000)).toFixed(1);
  const perCallMinute = (count: number): string => (count / Math.max(1 / 60_000, callMs / 60_000)).toFixed(1);
  const reads = meter.count('read', 'readAfter', 'readPayloads', 'findByCarrierId', 'list');
  const beats = meter.count('beat', 'instances', 'forget');
  const appends = meter.count('append');
  const inbox = meter.count('put', 'pending');
  return [
    `The database: ${perSecond(appends)} appends/s (${meter.most} in the busiest second), ${perSecond(reads)} reads/s, ${perSecond(inbox)} of the inbox/s, ${perSecond(beats)} beats and looks at the others/s by ${instances.toFixed(1)} instances.`,
    `A minute of a call: ${perCallMinute(appends)} appends, ${perCallMinute(reads)} reads, ${perCallMinute(inbox)} of the inbox: ${perCallMinute(meter.total - beats)} operations before any are put together, and ${(meter.writtenBytes / 1_024 / Math.max(1 / 60_000, callMs / 60_000)).toFixed(1)} kB written as JSON.`,
  ];
}

/** As the last line of every run. */
export function summaryOf(verdict: FleetVerdict): string {
  const { plan, completed, declined, lost, wrong, violations } = verdict;
  const count = (number: number, words: string): string => `${number === 0 ? 'no' : number} ${words}`;
  return `${plan.calls} calls on ${plan.instances} instances: ${completed} in conversation to their end, ${declined} turned away since the database was out of reach, ${count(lost.length, 'lost')}, ${count(wrong.length, 'adopted wrongly')}, ${count(violations.length, 'violations')}`;
}

export const isGood = ({ lost, wrong, violations }: FleetVerdict): boolean =>
  lost.length + wrong.length + violations.length === 0;
