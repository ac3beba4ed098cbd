/**
 * Owns: what a load run says in the end, as data, and as text for a terminal.
 * Does not own: the page (`html.ts`), the run (`load-run.ts`), what counts as a leak (`leaks.ts`).
 */
import type { DurationName, Figures, FiguresByName } from '../../src/twin/load/measures.ts';
import { type Leaks, tellLeft } from './leaks.ts';

/** Of one second. */
export interface Sample {
  /** Since the first call was placed. */
  atMs: number;
  liveCalls: number;
  liveSessions: number;
  figures: FiguresByName;
  /** Of one core; null where the process cannot be seen. */
  cpuShare: number | null;
  residentBytes: number | null;
  generatorCpuShare: number;
}

export interface LoadReport {
  target: string;
  scenario: string;
  calls: number;
  rampMs: number;
  windowMs: number;
  /** Live at the end of the window. */
  liveCalls: number;
  figures: FiguresByName;
  counts: Record<string, number>;
  cpuSecondsPerCallMinute: number | null;
  liveBytesPerCall: number | null;
  residentBytesPerCall: number | null;
  /** The least bounds of the service's own histogram; null where it has none. */
  eventLoopDelayMs: { p50: number | null; p99: number | null; max: number | null };
  generatorCpuShare: number;
  leaks: Leaks;
  samples: Sample[];
}

export const titledDurations: readonly [DurationName, string][] = [
  ['up', 'added latency up'],
  ['upHeld', 'frames held for a pair'],
  ['down', 'added latency down'],
  ['downFirst', 'first delta of a reply'],
  ['firstSound', 'time to first sound'],
  ['turn', 'end of speech to reply'],
  ['bargeIn', 'barge-in to clear'],
  ['generatorLate', 'generator late'],
];

const fixed = (value: number | null, digits: number): string => value?.toFixed(digits) ?? '-';

function durationLine(title: string, { count, p50, p90, p99, p999, max }: Figures): string {
  const cells = [p50, p90, p99, p999, max].map((value) => value.toFixed(2).padStart(9)).join('');
  return `  ${title.padEnd(26)}${String(count).padStart(9)}${count === 0 ? '' : cells}`;
}

/** Whether a count is of something that went wrong. */
export const isTrouble = (name: string): boolean =>
  name.startsWith('error.') || name.startsWith('stream.closed') || name === 'call.declined';

export function troublesOf(counts: Record<string, number>): [name: string, count: number][] {
  return Object.entries(counts).filter(([name]) => isTrouble(name));
}

const kilobytes = (bytes: number | null): string =>
  bytes === null ? '-' : `${(bytes / 1_000).toFixed(0)} kB`;
const megabytes = (bytes: number | null): string => (bytes === null ? '-' : `${(bytes / 1e6).toFixed(1)} MB`);

export function writeReport(report: LoadReport): string {
  const { figures, counts, leaks, eventLoopDelayMs: delay } = report;
  const troubles = troublesOf(counts);
  return [
    `${report.target}: ${report.calls} calls, ${report.scenario}, measured for ${(report.windowMs / 1_000).toFixed(0)} s`,
    `  calls placed ${counts['call.placed'] ?? 0}, completed ${counts['call.completed'] ?? 0}, live at the end of the window ${report.liveCalls}`,
    `  frames sent ${counts['frames.sent'] ?? 0}, arrived ${counts['frames.received'] ?? 0}, given again ${counts['frames.repeated'] ?? 0}`,
    '',
    `  ${'milliseconds'.padEnd(26)}${'count'.padStart(9)}${['p50', 'p90', 'p99', 'p99.9', 'max'].map((name) => name.padStart(9)).join('')}`,
    ...titledDurations.map(([name, title]) => durationLine(title, figures[name])),
    '',
    `  CPU seconds per call-minute   ${fixed(report.cpuSecondsPerCallMinute, 4)} (generator: ${(100 * report.generatorCpuShare).toFixed(0)} % of a core)`,
    `  memory per call               ${kilobytes(report.liveBytesPerCall)} in use, ${kilobytes(report.residentBytesPerCall)} resident`,
    `  event loop delay              p50 under ${fixed(delay.p50, 1)} ms, p99 under ${fixed(delay.p99, 1)} ms, max under ${fixed(delay.max, 0)} ms`,
    `  left after ${(leaks.waitedMs / 1_000).toFixed(1)} s           ${tellLeft(leaks)}; memory in use ${megabytes(leaks.liveBytesBefore)} before, ${megabytes(leaks.liveBytesAfter)} after, resident ${megabytes(leaks.residentBytesBefore)} and ${megabytes(leaks.residentBytesAfter)}`,
    `  troubles                      ${troubles.length === 0 ? 'none' : ''}`,
    ...troubles.map(([name, count]) => `    ${name.padEnd(40)} ${count}`),
  ].join('\n');
}
