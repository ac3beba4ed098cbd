/**
 * Owns: the two goals of the service as its processes count them: calls that were served to the end, and windows of
 * audio in which it suffered. What a killed process had counted died with it.
 * Does not own: what callers heard (`measure.ts`).
 */
import type { ServiceProcess } from './service-process.ts';

interface Counted {
  served: number;
  notServed: number;
  windows: number;
  windowsWithIssue: number;
}

const samples: Record<keyof Counted, RegExp> = {
  served: /^holdfast_calls_total\{.*served="yes"\} (\d+)/gm,
  notServed: /^holdfast_calls_total\{.*served="no"\} (\d+)/gm,
  windows: /^holdfast_media_windows_total\{.*\} (\d+)/gm,
  windowsWithIssue: /^holdfast_media_windows_total\{issue="yes"\} (\d+)/gm,
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

async function countsOf(service: ServiceProcess): Promise<Counted | null> {
  const text = await fetch(`http://${service.adminAddress}/metrics`)
    .then((response) => response.text())
    .catch(() => null);
  if (text === null) return null;
  const counts = Object.entries(samples).map(([name, pattern]) => [
    name,
    sum([...text.matchAll(pattern)].map(([, value]) => Number(value))),
  ]);
  return Object.fromEntries(counts) as Counted;
}

const share = (part: number, whole: number): string => (whole === 0 ? '–' : (part / whole).toFixed(4));

/** One line for a table; null where no process is left that counted anything. */
export async function goalsOf(services: readonly ServiceProcess[]): Promise<string | null> {
  const all = await Promise.all(services.filter(({ isRunning }) => isRunning).map(countsOf));
  const counted = all.filter((counts) => counts !== null);
  const of = (name: keyof Counted): number => sum(counted.map((counts) => counts[name]));
  const ended = of('served') + of('notServed');
  if (ended === 0 && of('windows') === 0) return null;
  return `completion ratio ${share(of('served'), ended)} of ${ended}, media issue ratio ${share(of('windowsWithIssue'), of('windows'))} of ${of('windows')} windows`;
}
