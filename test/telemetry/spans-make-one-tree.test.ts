/** One call is one tree of spans, however many processes it lived in. */
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { eventfulCall, recordedCalls, traceId } from './support/call-entries.ts';
import { idOf, parentIdOf, record } from './support/kept-spans.ts';

const calls: [string, readonly Entry[]][] = [['eventful', eventfulCall], ...recordedCalls()];
const ended = calls.filter(([, entries]) => entries.at(-1)?.type === 'call.ended');

/** What there is of a span, but for the process that sent it and links, which a new process may not know. */
const shown = (span: ReadableSpan) => ({
  name: span.name,
  id: idOf(span),
  parent: parentIdOf(span),
  startTime: span.startTime,
  endTime: span.endTime,
  status: span.status,
  attributes: span.attributes,
});

const byId = (spans: readonly ReadableSpan[]) =>
  spans.map(shown).sort((one, other) => one.id.localeCompare(other.id));

describe('the spans of a call', () => {
  it('are there to be looked at', () => {
    expect(ended.length).toBeGreaterThan(10);
    expect(record(eventfulCall).spans.length).toBeGreaterThan(20);
  });

  it.each(ended)('are one tree below its one root: %s', (_, entries) => {
    const { spans } = record(entries);
    const ids = new Set(spans.map(idOf));
    const roots = spans.filter((span) => parentIdOf(span) === null);
    expect(ids.size).toBe(spans.length);
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([traceId]));
    expect(roots.map(({ name }) => name)).toEqual(['call']);
    expect(spans.filter((span) => parentIdOf(span) !== null && !ids.has(parentIdOf(span) ?? ''))).toEqual([]);
  });

  it.each(calls)('are the same wherever another process takes the call over: %s', (_, entries) => {
    const whole = byId(record(entries).spans);
    for (let taken = 0; taken <= entries.length; taken++) {
      const before = record(entries.slice(0, taken)).spans;
      const after = record(entries, taken, 'two').spans;
      expect(byId([...before, ...after]), `taken over after entry ${taken}`).toEqual(whole);
    }
  });

  it('of a turn in which its process died hang below that one turn', () => {
    const claim = eventfulCall.findIndex((entry) => entry.type === 'owner.claimed' && entry.why === 'orphan');
    const after = record(eventfulCall, claim, 'two').spans;
    const [turn] = after.filter(({ name }) => name === 'turn');
    const below = after.filter((span) => turn && parentIdOf(span) === idOf(turn));
    expect(below.map(({ name }) => name).sort()).toEqual([
      'answer',
      'chat gpt-realtime',
      'chat gpt-realtime',
    ]);
    expect(turn?.startTime[0]).toBeLessThan(after[0]?.endTime[0] ?? 0);
  });

  it('are what exemplars name', () => {
    const { spans, exemplars } = record(eventfulCall);
    expect(exemplars).toEqual(spans.map((span) => ({ traceId, spanId: idOf(span) })));
    expect(new Set(exemplars.map(({ spanId }) => spanId.length))).toEqual(new Set([16]));
  });
});
