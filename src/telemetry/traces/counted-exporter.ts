/**
 * Owns: the account of spans on their way to a collector: how many wait, how many were lost.
 * Does not own: batching and sending (the OpenTelemetry SDK).
 *
 * Invariants:
 * I9. No more than `mostWaiting` spans wait or are being sent: what comes on top is not even made.
 * T3. Each span that was admitted is counted once, as sent or as dropped, whatever the collector does.
 */
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

type Done = Parameters<SpanExporter['export']>[1];
type Result = Parameters<Done>[0];

/** `ExportResultCode.FAILED` of `@opentelemetry/core`, which is no dependency of ours. */
const failed = 1;

/** What went wrong in sending, or why it was not tried. */
export type DropCause = Error | 'queueFull' | 'stopping';

export interface CountedExporterOptions {
  exporter: SpanExporter;
  mostWaiting: number;
  onDropped(cause: DropCause): void;
}

export class CountedExporter implements SpanExporter {
  readonly #options: CountedExporterOptions;
  #waiting = 0;
  #dropped = 0;

  constructor(options: CountedExporterOptions) {
    this.#options = options;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** @returns whether there is room for one more span: the caller then makes it */
  admit(): boolean {
    if (this.#waiting < this.#options.mostWaiting) {
      this.#waiting++;
      return true;
    }
    this.drop(1, 'queueFull');
    return false;
  }

  drop(spans: number, cause: DropCause): void {
    this.#dropped += spans;
    this.#options.onDropped(cause);
  }

  export(spans: ReadableSpan[], done: Done): void {
    try {
      this.#options.exporter.export(spans, (result) => this.#settle(spans.length, result, done));
    } catch (error) {
      this.#settle(spans.length, { code: failed, error: error as Error }, done);
    }
  }

  async forceFlush(): Promise<void> {
    await this.#options.exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.#options.exporter.shutdown();
  }

  #settle(spans: number, result: Result, done: Done): void {
    this.#waiting -= spans;
    if (result.code === failed) this.drop(spans, result.error ?? new Error('the collector took nothing'));
    done(result);
  }
}
