/**
 * Owns: whether traces are kept, and the one way in which the service gets hold of them.
 * Does not own: how (`otlp-traces.ts`).
 *
 * Invariants:
 * T5. Without a collector nothing of the OpenTelemetry SDK is loaded.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import type { SpanSink } from '../call-telemetry.ts';
import type { Logger } from '../logger.ts';
import { type CollectorVariables, collectorFrom } from './collector.ts';

export interface Traces extends SpanSink {
  /** Spans since the start that no collector took. */
  readonly dropped: number;
  /** Sends what waits, for a second at most. Never rejects. */
  shutdown(): Promise<void>;
}

export interface TracesOptions {
  version: string;
  instance: string;
  /** The model that replies are asked of. */
  model: string;
  /** Values of the configuration that are secret. */
  secrets: readonly string[];
  clock: Clock;
  logger: Logger;
}

const noTraces: Traces = { dropped: 0, record: () => null, shutdown: async () => undefined };

export async function createTraces(variables: CollectorVariables, options: TracesOptions): Promise<Traces> {
  const collector = collectorFrom(variables);
  if (collector === null) return noTraces;
  const { OtlpTraces } = await import('./otlp-traces.ts');
  return new OtlpTraces(collector, options);
}
