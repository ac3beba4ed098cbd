/** Owns: what a process counts: the carrier's edge, and the metrics made of entries and counts. */
import { edgeEvents, Tally } from '../adapters/twilio/tally.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { Registry } from '../runtime/registry.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';

export interface Instruments {
  tally: Tally;
  metrics: Metrics;
}

export function createInstruments(
  clock: Clock,
  logger: Logger,
  registry: () => Registry | undefined,
): Instruments {
  const tally = new Tally(clock, (line, error) => logger.warn({ category: 'connection', err: error }, line));
  const counts = () => edgeEvents.map((event) => [event, tally.countOf(event)] as const);
  const metrics = new Metrics({
    liveCalls: () => registry()?.size ?? 0,
    journalStalledMs: () => registry()?.stalledMs ?? 0,
    edgeEvents: counts,
  });
  return { tally, metrics };
}
