/** Owns: what a process tells of itself and its calls: counts of the carrier's edge, metrics, spans, log lines of calls. */
import { edgeEvents, Tally } from '../adapters/twilio/tally.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { CallMeter } from '../telemetry/call-meter.ts';
import { CallTelemetry, type SpanSink } from '../telemetry/call-telemetry.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics/metrics.ts';
import type { Prices } from '../telemetry/prices.ts';

export interface Instruments {
  tally: Tally;
  metrics: Metrics;
  calls: CallTelemetry;
}

const noSpans: SpanSink = { record: () => null };

export function createInstruments(clock: Clock, logger: Logger, prices: Prices | null): Instruments {
  const tally = new Tally(clock, (line, error) => logger.warn({ category: 'connection', err: error }, line));
  const metrics = new Metrics();
  metrics.watchProcess();
  metrics.askCounts('edgeEvents', () => edgeEvents.map((event) => [{ event }, tally.countOf(event)]));
  const calls = new CallTelemetry({ logger, meter: new CallMeter(metrics, prices), spans: noSpans });
  return { tally, metrics, calls };
}
