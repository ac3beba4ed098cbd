/**
 * Owns: what the short benchmark refuses: a clear step back against the relay of the same run, memory per call, and
 * calls that did not do as they should.
 * Does not own: the bounds, which are in `bounds.json`.
 *
 * No bound is a time: a slow machine is as slow for the relay. Memory in use after a collection depends on none.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { troublesOf } from '../load/load-report.ts';
import { ratioOf, roundsOf, spreadOf } from './comparison.ts';
import type { Round } from './round.ts';

const boundsSchema = z.strictObject({
  /** The service's CPU time for a minute of a call by the relay's that parses JSON. */
  cpuByRelay: z.number().positive(),
  liveBytesPerCall: z.number().positive(),
});
export type Bounds = z.infer<typeof boundsSchema>;

export const readBounds = (): Bounds =>
  boundsSchema.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'bounds.json'), 'utf8')));

/** What is beyond its bound, in words. By the medians: one round that something else disturbed decides nothing. */
export function breachesOf(rounds: readonly Round[], calls: number, bounds: Bounds): string[] {
  const cpu = ratioOf(rounds, 'service', 'relay', ({ cpuSeconds }) => cpuSeconds).median;
  const service = roundsOf(rounds, 'service');
  const liveBytes = spreadOf(service.map(({ liveBytesPerCall }) => liveBytesPerCall)).median;
  return [
    ...above('CPU time by the relay’s', cpu, bounds.cpuByRelay),
    ...above('bytes in use per call', liveBytes, bounds.liveBytesPerCall),
    ...rounds.flatMap((round) => troublesIn(round, calls)),
  ];
}

/** What is no number is beyond any bound. */
const above = (name: string, value: number, bound: number): string[] =>
  value <= bound ? [] : [`${name}: ${value.toFixed(2)}, at most ${bound}`];

function troublesIn({ subject, liveCalls, counts }: Round, calls: number): string[] {
  const missing = liveCalls === calls ? [] : [`${subject}: ${liveCalls} of ${calls} calls were live`];
  return [...missing, ...troublesOf(counts).map(([name, count]) => `${subject}: ${name} ${count}`)];
}
