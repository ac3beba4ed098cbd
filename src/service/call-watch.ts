/**
 * Owns: who is told of the calls of this process and their sound, and what is made of it: log lines, metrics, spans.
 * Does not own: what each of them makes of it (`src/telemetry`).
 *
 * Invariants:
 * I4. Of a call that left nothing is kept.
 */
import type { Entry } from '../machines/entries.ts';
import type { QualityFigures } from '../media/quality.ts';
import type { ObservedStep } from '../runtime/call.ts';
import type { CallFigures, CallTelemetry } from '../telemetry/call-telemetry.ts';
import type { MediaMeter } from '../telemetry/media-meter.ts';
import type { Metrics } from '../telemetry/metrics/metrics.ts';

/** How the sound of a call flows, as it does. */
export interface SoundWatch {
  /** A mark came back so long after the audio before it should have been played. */
  roundTrip(ms: number): void;
  /** One piece of audio took so long here. Told of samples only. */
  bridged(direction: 'caller' | 'agent', ms: number): void;
}

export interface CallWatch extends SoundWatch {
  /** The call has parts here now, and this log so far. */
  follow(callId: string, entries: readonly Entry[]): void;
  observe(step: ObservedStep): void;
  /** Of the call's one trace; null where the call has no parts here. */
  traceIdOf(callId: string): string | null;
  /** For a list of calls; null where the call has no parts here. */
  figuresOf(callId: string): Readonly<CallFigures> | null;
  /** Another process took a call over. */
  yielded(): void;
  /** The call's parts are about to go. */
  forget(callId: string, sound: QualityFigures): void;
}

/** The chart's own word for a line that is open and silent for longer than is borne. */
const deadAir = { live: { silence: 'holding' } } as const;

export class MeteredCalls implements CallWatch {
  readonly #calls: CallTelemetry;
  readonly #media: MediaMeter;
  readonly #metrics: Metrics;

  constructor(calls: CallTelemetry, media: MediaMeter, metrics: Metrics) {
    this.#calls = calls;
    this.#media = media;
    this.#metrics = metrics;
  }

  follow(callId: string, entries: readonly Entry[]): void {
    this.#calls.follow(callId, entries);
  }

  observe({ call, entry, after, commands }: ObservedStep): void {
    this.#calls.observe(call.callId, entry, {
      isDeadAir: after.snapshot.matches(deadAir),
      opensModel: commands.some(({ type }) => type === 'openModel'),
    });
  }

  yielded(): void {
    this.#metrics.count('callsYielded', {});
  }

  traceIdOf(callId: string): string | null {
    return this.#calls.traceIdOf(callId);
  }

  figuresOf(callId: string): Readonly<CallFigures> | null {
    return this.#calls.figuresOf(callId);
  }

  forget(callId: string, sound: QualityFigures): void {
    this.#calls.forget(callId);
    this.#media.forget(callId, sound);
  }

  roundTrip(ms: number): void {
    this.#metrics.observe('markRoundTrip', {}, ms / 1_000);
  }

  bridged(direction: 'caller' | 'agent', ms: number): void {
    this.#media.bridged(direction, ms);
  }
}
