/**
 * Owns: making an OpenTelemetry span of each episode that ended, with the episode's own times.
 * Does not own: what it says (`episode-span.ts`), where it goes (the processor).
 *
 * Invariants:
 * T1. One span an episode, in the call's one trace, with the id that the episode has in every process.
 * T2. No text of a span shows a phone number or a secret.
 */
import {
  type Context,
  type HrTime,
  type Link,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  type IdGenerator,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SpanSink } from '../call-telemetry.ts';
import type { Mask } from '../mask.ts';
import type { Exemplar } from '../metrics/metrics.ts';
import type { Episode } from '../timeline/episode.ts';
import { type AttributeValue, type EpisodeSpan, spanOf } from './episode-span.ts';
import { spanIdOf } from './span-id.ts';

export interface SpanRecorderOptions {
  version: string;
  instance: string;
  /** The model that replies are asked of. */
  model: string;
  mask: Mask;
  processor: SpanProcessor;
}

/** The SDK asks for ids while it starts a span: it gets those of the episode at hand. */
class EpisodeIds implements IdGenerator {
  next: Exemplar = { traceId: '', spanId: '' };

  generateTraceId(): string {
    return this.next.traceId;
  }

  generateSpanId(): string {
    return this.next.spanId;
  }
}

const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, server: SpanKind.SERVER } as const;

/** Seconds and nanoseconds: a bare number might be read as time since the start of the process. */
const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)];

const contextOf = (traceId: string, spanId: string) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });

export class SpanRecorder implements SpanSink {
  readonly #model: string;
  readonly #mask: Mask;
  readonly #ids = new EpisodeIds();
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  constructor({ version, instance, model, mask, processor }: SpanRecorderOptions) {
    this.#model = model;
    this.#mask = mask;
    this.#provider = new TracerProvider({
      resource: defaultResource().merge(
        resourceFromAttributes({
          'service.name': 'holdfast',
          'service.version': version,
          'service.instance.id': instance,
        }),
      ),
      sampler: new AlwaysOnSampler(),
      idGenerator: this.#ids,
      spanProcessors: [processor],
    });
    this.#tracer = this.#provider.getTracer('holdfast', version);
  }

  record(callId: string, traceId: string, episode: Episode): Exemplar {
    const { kind, seq, startedAt, endedAt } = episode;
    const { name, role, attributes, error, parent } = spanOf(callId, this.#model, episode);
    const spanId = spanIdOf(traceId, kind, seq);
    this.#ids.next = { traceId, spanId };
    const options = {
      kind: kinds[role],
      startTime: hrTime(startedAt),
      attributes: this.#masked(attributes),
      links: linksOf(traceId, episode),
    };
    const span = this.#tracer.startSpan(this.#mask(name), options, parentContext(traceId, parent));
    if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: this.#mask(error) });
    span.end(hrTime(endedAt));
    return { traceId, spanId };
  }

  /** @throws where the processor could not hand on what it has */
  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }

  #masked(attributes: Record<string, AttributeValue>): Record<string, AttributeValue> {
    for (const [name, value] of Object.entries(attributes))
      if (typeof value === 'string') attributes[name] = this.#mask(value);
    return attributes;
  }
}

/** To the turn whose answer this one cut. */
function linksOf(traceId: string, episode: Episode): Link[] {
  if (episode.kind !== 'turn' || episode.interrupts === null) return [];
  return [{ context: contextOf(traceId, spanIdOf(traceId, 'turn', episode.interrupts)) }];
}

const parentContext = (traceId: string, parent: EpisodeSpan['parent']): Context =>
  parent === null
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, contextOf(traceId, spanIdOf(traceId, parent.kind, parent.seq)));
