/**
 * Owns: sending the spans of this process to an OpenTelemetry collector (OTLP over HTTP, JSON), in batches.
 * Does not own: making them (`span-recorder.ts`), counting them (`counted-exporter.ts`).
 *
 * Loaded only where a collector is configured (`traces.ts`): the SDK costs time and memory at the start.
 *
 * Invariants:
 * T4. A collector that is slow, refuses or is not there costs spans and nothing else: nobody waits for it, but for
 *     `shutdown`, which takes at most `shutdownMs`. Of its trouble the log tells once in `quietMs`.
 * I4. After `shutdown` no connection is open.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Logger } from '../logger.ts';
import { maskNumbers, maskSecrets } from '../mask.ts';
import type { Exemplar } from '../metrics/metrics.ts';
import type { Episode } from '../timeline/episode.ts';
import type { Collector } from './collector.ts';
import { CountedExporter, type DropCause } from './counted-exporter.ts';
import { SpanRecorder } from './span-recorder.ts';
import type { Traces, TracesOptions } from './traces.ts';

/** How long the collector may take for a batch, a second try included. */
const exportMs = 5_000;
/** What a process that is killed takes with it, at most. */
const batchEveryMs = 1_000;
const batchSpans = 512;
/** Some seconds of a busy process, a few megabytes. */
const mostWaiting = 2_048;
const shutdownMs = 1_000;
const quietMs = 60_000;

/** Whoever does not even accept the connection is given up as soon as one who does not answer. */
const connections = { keepAlive: true, timeout: exportMs } as const;

export class OtlpTraces implements Traces {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #agent: HttpAgent;
  readonly #exporter: CountedExporter;
  readonly #recorder: SpanRecorder;
  #quietUntil = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | null = null;

  constructor(collector: Collector, { clock, logger, secrets, ...about }: TracesOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#agent = collector.url.startsWith('https:')
      ? new HttpsAgent(connections)
      : new HttpAgent(connections);
    this.#exporter = new CountedExporter({
      exporter: exporterTo(collector, this.#agent),
      mostWaiting,
      onDropped: (cause) => this.#tell(cause),
    });
    const processor = new BatchSpanProcessor({
      exporter: this.#exporter,
      maxQueueSize: mostWaiting,
      maxExportBatchSize: batchSpans,
      scheduledDelayMillis: batchEveryMs,
      exportTimeoutMillis: 2 * exportMs,
    });
    const withoutSecrets = maskSecrets(secrets);
    const mask = (text: string) => maskNumbers(withoutSecrets(text));
    this.#recorder = new SpanRecorder({ ...about, mask, processor });
  }

  get dropped(): number {
    return this.#exporter.dropped;
  }

  record(callId: string, traceId: string, episode: Episode): Exemplar | null {
    if (this.#closing !== null) {
      this.#exporter.drop(1, 'stopping');
      return null;
    }
    return this.#exporter.admit() ? this.#recorder.record(callId, traceId, episode) : null;
  }

  shutdown(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimeout(resolve, shutdownMs);
    // What went wrong was told by `onDropped`.
    const sent = this.#recorder.shutdown().catch(() => undefined);
    await Promise.race([sent, late]);
    this.#clock.clearTimeout(timer);
    this.#disconnect();
  }

  /** I4. The exporter may be about to try again. */
  #disconnect(): void {
    this.#agent.createConnection = (_, connected) => {
      connected?.(new Error('the process stops'), new Socket());
      return null;
    };
    this.#agent.destroy();
  }

  #tell(cause: DropCause): void {
    const now = this.#clock.monotonic();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + quietMs;
    const why = typeof cause === 'string' ? { cause } : { err: cause };
    const { dropped } = this;
    this.#logger.warn({ category: 'service', ...why, dropped }, 'spans did not reach the trace collector');
  }
}

const exporterTo = ({ url, headers }: Collector, agent: HttpAgent): OTLPTraceExporter =>
  new OTLPTraceExporter({ url, headers, timeoutMillis: exportMs, httpAgentOptions: () => agent });
