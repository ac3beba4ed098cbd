/**
 * Owns: everything that is told of calls while they live here: each entry once, as a log line, as measurements and as
 * spans.
 * Does not own: what each of them makes of it.
 *
 * Invariants:
 * O1. A projection of entries: what a log held before this process had the call is applied in silence.
 * O2. Nothing here can fail or hold up a call: its caller guards it, and nothing waits.
 * I4. Of a call that left nothing is kept.
 */
import type { Entry } from '../machines/entries.ts';
import { logEntry } from './call-log.ts';
import type { CallMeter } from './call-meter.ts';
import type { Logger } from './logger.ts';
import type { Exemplar } from './metrics/metrics.ts';
import { CallTimeline } from './timeline/call-timeline.ts';
import type { Episode } from './timeline/episode.ts';

/** Where spans go. */
export interface SpanSink {
  /** @returns the episode's span, or null where no spans are kept */
  record(callId: string, traceId: string, episode: Episode): Exemplar | null;
}

interface Followed {
  timeline: CallTimeline;
  /** Since when nobody has been heard for too long. */
  deadAirSince: number | null;
  /** When the newest session was asked for. */
  opensModelSince: number | null;
  figures: CallFigures;
}

/** What a list of calls tells of each. */
export interface CallFigures {
  /** From the caller's last word to the first sound of the newest answer. */
  latencyMs: number | null;
  recoveries: number;
}

/** What the entry brought about. */
export interface Outcome {
  /** The line is open and nobody was heard for longer than is borne. */
  isDeadAir: boolean;
  /** A session with the model is being opened. */
  opensModel: boolean;
}

export interface CallTelemetryOptions {
  logger: Logger;
  meter: CallMeter;
  spans: SpanSink;
}

export class CallTelemetry {
  readonly #options: CallTelemetryOptions;
  readonly #followed = new Map<string, Followed>();

  constructor(options: CallTelemetryOptions) {
    this.#options = options;
  }

  /** O1. A call that this process is about to have; a second time begins anew. */
  follow(callId: string, entries: readonly Entry[]): void {
    const timeline = new CallTimeline();
    const figures: CallFigures = { latencyMs: null, recoveries: 0 };
    for (const entry of entries) for (const episode of timeline.apply(entry)) note(figures, episode);
    this.#followed.set(callId, { timeline, deadAirSince: null, opensModelSince: null, figures });
  }

  observe(callId: string, entry: Entry, { isDeadAir, opensModel }: Outcome): void {
    const { logger, meter, spans } = this.#options;
    const followed = this.#followed.get(callId);
    if (!followed) return;
    const { timeline, figures } = followed;
    const episodes = timeline.apply(entry);
    const { traceId } = timeline;
    logEntry(logger, { callId, traceId }, entry);
    meter.entry(entry);
    this.#noteDeadAir(followed, entry.at, isDeadAir);
    this.#noteModel(followed, entry, opensModel);
    for (const episode of episodes) {
      note(figures, episode);
      meter.episode(episode, traceId === null ? null : spans.record(callId, traceId, episode));
    }
  }

  /** The call left this process. */
  forget(callId: string): void {
    this.#followed.delete(callId);
  }

  traceIdOf(callId: string): string | null {
    return this.#followed.get(callId)?.timeline.traceId ?? null;
  }

  /** Null where the call is not here. */
  figuresOf(callId: string): Readonly<CallFigures> | null {
    return this.#followed.get(callId)?.figures ?? null;
  }

  #noteModel(followed: Followed, { type, at }: Entry, opensModel: boolean): void {
    const { opensModelSince } = followed;
    if (type === 'model.opened' && opensModelSince !== null) {
      this.#options.meter.modelOpened(at - opensModelSince);
      followed.opensModelSince = null;
    }
    if (opensModel) followed.opensModelSince = at;
  }

  #noteDeadAir(followed: Followed, at: number, isDeadAir: boolean): void {
    if (followed.deadAirSince !== null) this.#options.meter.deadAir(at - followed.deadAirSince);
    followed.deadAirSince = isDeadAir ? at : null;
  }
}

function note(figures: CallFigures, episode: Episode): void {
  if (episode.kind === 'answer') figures.latencyMs = episode.endedAt - episode.startedAt;
  if (episode.kind === 'recovery') figures.recoveries += 1;
}
