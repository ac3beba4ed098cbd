/** Spans of calls as a process makes them, kept in memory. */
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import type { Entry } from '../../../src/machines/entries.ts';
import { maskNumbers } from '../../../src/telemetry/mask.ts';
import type { Exemplar } from '../../../src/telemetry/metrics/metrics.ts';
import { CallTimeline } from '../../../src/telemetry/timeline/call-timeline.ts';
import { SpanRecorder } from '../../../src/telemetry/traces/span-recorder.ts';

export interface RecordedCall {
  spans: ReadableSpan[];
  exemplars: Exemplar[];
}

/** @param from how many of the entries the process only reads: it takes the call over after them */
export function record(entries: readonly Entry[], from = 0, instance = 'one'): RecordedCall {
  const exporter = new InMemorySpanExporter();
  const recorder = new SpanRecorder({
    version: '1.2.3',
    instance,
    model: 'gpt-realtime',
    mask: maskNumbers,
    processor: new SimpleSpanProcessor({ exporter }),
  });
  const timeline = new CallTimeline();
  const exemplars = entries.flatMap((entry, index) => {
    const episodes = timeline.apply(entry);
    if (index < from) return [];
    return episodes.map((episode) => recorder.record('CA1', timeline.traceId ?? '', episode));
  });
  return { spans: exporter.getFinishedSpans(), exemplars };
}

export const idOf = (span: ReadableSpan): string => span.spanContext().spanId;
export const parentIdOf = (span: ReadableSpan): string | null => span.parentSpanContext?.spanId ?? null;
