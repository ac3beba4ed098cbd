/** What the spans of a call say, and what they never say. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { created, modelClosed, modelOpened, toolRequested } from '../machines/support/facts.ts';
import { eventfulCall, stamped, traceId } from './support/call-entries.ts';
import { idOf, record } from './support/kept-spans.ts';

const { spans } = record(eventfulCall);
const named = (name: string, among: readonly ReadableSpan[] = spans): ReadableSpan[] =>
  among.filter((span) => span.name === name);
const errorsOf = (name: string): unknown[] =>
  named(name).map(({ status, attributes }) =>
    status.code === SpanStatusCode.ERROR ? attributes['error.type'] : null,
  );

const timesOf = ({ startTime, endTime }: ReadableSpan): [start: number, end: number] => {
  const [start, end] = [startTime, endTime].map(([seconds, nanos]) => seconds * 1_000 + nanos / 1e6);
  return [start ?? 0, end ?? 0];
};

describe('a span', () => {
  it('is made of each kind of episode', () => {
    const names = new Set(spans.map(({ name }) => name));
    expect([...names].sort()).toEqual([
      'answer',
      'barge_in',
      'call',
      'chat gpt-realtime',
      'execute_tool find_order',
      'greeting',
      'recovery model',
      'recovery process',
      'recovery stream',
      'session',
      'stream',
      'transfer',
      'turn',
    ]);
  });

  it('has the times of its entries, to the millisecond', () => {
    const [call] = named('call');
    expect(call && timesOf(call)).toEqual([eventfulCall[0]?.at, eventfulCall.at(-1)?.at]);
  });

  it('names the call and the process that sent it', () => {
    for (const { attributes, resource } of spans) {
      expect(attributes).toMatchObject({ 'holdfast.call.id': 'CA1', 'gen_ai.conversation.id': 'CA1' });
      expect(resource.attributes).toMatchObject({
        'service.name': 'holdfast',
        'service.version': '1.2.3',
        'service.instance.id': 'one',
      });
    }
  });

  it('of a reply says what the conventions for generative AI ask', () => {
    const [reply] = named('chat gpt-realtime').filter(
      ({ attributes }) => attributes['gen_ai.response.id'] === 'greeting',
    );
    expect(reply?.kind).toBe(SpanKind.CLIENT);
    expect(reply?.attributes).toEqual({
      'holdfast.call.id': 'CA1',
      'gen_ai.conversation.id': 'CA1',
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-realtime',
      'gen_ai.request.stream': true,
      'gen_ai.output.type': 'speech',
      'gen_ai.response.id': 'greeting',
      'gen_ai.response.time_to_first_chunk': 0.1,
      'gen_ai.usage.input_tokens': 120,
      'gen_ai.usage.output_tokens': 50,
      'gen_ai.usage.cache_read.input_tokens': 60,
      'holdfast.usage.input_audio_tokens': 20,
      'holdfast.usage.output_audio_tokens': 40,
      'holdfast.reply.status': 'completed',
    });
  });

  it('of a tool says which and what became of it', () => {
    const [tool] = named('execute_tool find_order');
    expect(tool?.attributes).toMatchObject({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'find_order',
      'gen_ai.tool.type': 'function',
      'holdfast.outcome': 'timedOut',
    });
  });

  it('of an answer shows how long turn detection took, as its own share', () => {
    const [answer] = named('answer');
    expect(answer?.attributes['holdfast.turn.end_of_turn']).toBe(0.5);
  });

  it('of a turn leads to the one whose answer it cut, and no other does', () => {
    const turns = named('turn');
    const [cut, next, ...others] = turns;
    expect(cut?.attributes['holdfast.outcome']).toBe('interrupted');
    expect(next?.links.map(({ context }) => context)).toEqual([
      expect.objectContaining({ traceId, spanId: cut && idOf(cut) }),
    ]);
    expect([cut, ...others].flatMap((turn) => turn?.links)).toEqual([]);
  });

  it('has failed where its episode did, and says why in a word', () => {
    expect(errorsOf('call')).toEqual(['stream.lost']);
    expect(errorsOf('turn')).toEqual([null, null, null]);
    expect(errorsOf('chat gpt-realtime')).toEqual([null, null, null, null, 'server_error', null]);
    expect(errorsOf('execute_tool find_order')).toEqual(['timedOut']);
    expect(errorsOf('session')).toEqual(['1006', null, null]);
    expect(errorsOf('stream')).toEqual([null, '31921']);
    expect(errorsOf('recovery model')).toEqual([null]);
    expect(errorsOf('recovery stream')).toEqual(['lost']);
    expect(errorsOf('transfer')).toEqual(['busy']);
  });

  it('has not failed where a session or a stream was closed in order', () => {
    const orderly: Entry[] = stamped([
      created({}, { traceId }),
      { type: 'stream.started', streamId: 'one', attempt: 1 },
      { type: 'stream.closed', streamId: 'one', code: 1_000 },
      { type: 'stream.started', streamId: 'two', attempt: 2 },
      { type: 'stream.closed', streamId: 'two', code: 1_006 },
      modelOpened(1),
      modelClosed(1, { code: 1_000, cause: 'closed here' }),
      { type: 'call.ended', reason: 'caller.hungUp' },
    ]);
    const failed = record(orderly).spans.filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ name, attributes }) => [name, attributes['holdfast.stream.attempt']])).toEqual([
      ['stream', 2],
    ]);
  });

  it('shows no number, wherever one got into an entry', () => {
    const number = '+15551234567';
    const told: Entry[] = stamped([
      created({}, { traceId }),
      modelOpened(1),
      toolRequested('tool1', `call ${number}`),
      modelClosed(1, { cause: `no route to ${number}` }),
      { type: 'call.ended', reason: `asked for ${number}` },
    ]);
    const texts = JSON.stringify(
      record(told).spans.map(({ name, attributes, status }) => [name, attributes, status]),
    );
    expect(texts).toContain('no route to [number]');
    expect(texts).toContain('execute_tool call [number]');
    expect(texts).not.toContain(number.slice(1));
  });
});
