/**
 * Owns: what the rounds say together: each subject's figures, and their ratio to the yardsticks' with its spread.
 *
 * A ratio is made of one round each, of those that followed one another: what the machine did besides is then the same
 * for both. Its spread is from the least to the most of the rounds.
 */
import { hasKeptUp } from './kept-up.ts';
import type { Round } from './round.ts';
import { type SubjectName, titleOf } from './subject.ts';

export interface Spread {
  median: number;
  least: number;
  most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] ?? Number.NaN)
      : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return { median, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

export const roundsOf = (rounds: readonly Round[], subject: SubjectName): Round[] =>
  rounds.filter((round) => round.subject === subject);

/** The n-th round of the one by the n-th round of the other. */
export function ratioOf(
  rounds: readonly Round[],
  one: SubjectName,
  other: SubjectName,
  figure: (round: Round) => number,
): Spread {
  const others = roundsOf(rounds, other);
  return spreadOf(
    roundsOf(rounds, one).map((round, index) => figure(round) / figure(others[index] ?? round)),
  );
}

interface Row {
  name: string;
  figure: (round: Round) => number;
  digits: number;
  /** As a ratio, too. */
  isCompared?: boolean;
}

const kilobytes = (bytes: number): number => bytes / 1_000;

const rows: readonly Row[] = [
  { name: 'CPU s per call-minute', figure: ({ cpuSeconds }) => cpuSeconds, digits: 4, isCompared: true },
  {
    name: 'memory per call, live, kB',
    figure: (round) => kilobytes(round.liveBytesPerCall),
    digits: 0,
    isCompared: true,
  },
  {
    name: 'memory per call, resident, kB',
    figure: (round) => kilobytes(round.rssBytesPerCall),
    digits: 0,
    isCompared: true,
  },
  { name: 'added latency up p50, ms', figure: ({ figures }) => figures.up.p50, digits: 2, isCompared: true },
  { name: 'added latency up p99, ms', figure: ({ figures }) => figures.up.p99, digits: 2, isCompared: true },
  { name: 'added latency up max, ms', figure: ({ figures }) => figures.up.max, digits: 1 },
  { name: 'frames held for a pair p50, ms', figure: ({ figures }) => figures.upHeld.p50, digits: 2 },
  {
    name: 'added latency down p50, ms',
    figure: ({ figures }) => figures.down.p50,
    digits: 2,
    isCompared: true,
  },
  {
    name: 'added latency down p99, ms',
    figure: ({ figures }) => figures.down.p99,
    digits: 2,
    isCompared: true,
  },
  { name: 'added latency down max, ms', figure: ({ figures }) => figures.down.max, digits: 1 },
  { name: 'first delta of a reply p99, ms', figure: ({ figures }) => figures.downFirst.p99, digits: 2 },
  { name: 'share of a core', figure: ({ cpuShare }) => cpuShare, digits: 3 },
  { name: 'event loop busy', figure: ({ busyShare }) => busyShare, digits: 3 },
  { name: 'waited for a core', figure: ({ waitShare }) => waitShare, digits: 3 },
  { name: 'frames arrived by those sent', figure: ({ keptUp }) => keptUp, digits: 3 },
  { name: 'generator: waited for a core', figure: (round) => round.generatorWaitShare, digits: 3 },
  { name: 'generator: share of a core', figure: (round) => round.generatorCpuShare, digits: 3 },
  { name: 'generator: late p99, ms', figure: ({ figures }) => figures.generatorLate.p99, digits: 2 },
];

const told = ({ median, least, most }: Spread, digits: number): string =>
  `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;

export function writeComparison(rounds: readonly Round[], subjects: readonly SubjectName[]): string {
  const lines = [`Each figure: the rounds' median (least to most), ${rounds.length} rounds in all.`];
  for (const subject of subjects) {
    const own = roundsOf(rounds, subject);
    lines.push('', `${titleOf(subject)} (${own.map(({ liveCalls }) => liveCalls).join(', ')} calls)`);
    for (const { name, figure, digits } of rows) {
      lines.push(`  ${name.padEnd(34)} ${told(spreadOf(own.map(figure)), digits)}`);
    }
    lines.push(`  counts of the last round: ${JSON.stringify(own.at(-1)?.counts)}`);
  }
  return [...lines, ...ratioLines(rounds, subjects), ...doubtsIn(rounds)].join('\n');
}

const mostWaitShare = 0.1;

/** What makes a round's figures doubtful: another process had the core, or somebody could not keep up. */
export function doubtsIn(rounds: readonly Round[]): string[] {
  return rounds.flatMap((round, index) => {
    const { subject, waitShare, generatorWaitShare, keptUp } = round;
    const place = `round ${index + 1} in order (${subject})`;
    return [
      ...(waitShare > mostWaitShare
        ? [`${place}: it waited ${percent(waitShare)} of the time for a core`]
        : []),
      ...(generatorWaitShare > mostWaitShare
        ? [`${place}: the generator waited ${percent(generatorWaitShare)} of the time for a core`]
        : []),
      ...(!hasKeptUp(round) ? [`${place}: only ${percent(keptUp)} of the frames arrived in time`] : []),
    ].map((doubt) => `doubtful: ${doubt}`);
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

function ratioLines(rounds: readonly Round[], subjects: readonly SubjectName[]): string[] {
  if (!subjects.includes('service')) return [];
  return subjects
    .filter((subject) => subject !== 'service')
    .flatMap((other) => [
      '',
      `${titleOf('service')} by ${titleOf(other)}`,
      ...rows
        .filter(({ isCompared }) => isCompared)
        .map(
          ({ name, figure }) => `  ${name.padEnd(34)} ${told(ratioOf(rounds, 'service', other, figure), 3)}`,
        ),
    ]);
}
