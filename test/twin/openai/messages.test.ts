import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientEventTypes } from '../../../src/twin/openai/protocol/client-events.ts';
import { connect, connectPhone } from './client.ts';
import { orderBreaches } from './order.ts';
import { shapeBreaches } from './shapes.ts';

describe('a message that is no event', () => {
  test.each(['', 'null', '[]', '7', '"text"', '{', '{"type":"session.update"'])(
    '%j is answered',
    async (text) => {
      const { clock, client } = await connect();
      client.socket?.send(text);
      await clock.advance(0);
      expect(client.errors).toMatchObject([{ code: 'invalid_event', event_id: null }]);
    },
  );

  test('of bytes is answered', async () => {
    const { clock, client } = await connect();
    client.socket?.sendBinary?.(Uint8Array.of(1, 2, 3));
    await clock.advance(0);
    expect(client.errors).toMatchObject([{ code: 'invalid_event' }]);
  });

  test('without a type is answered', async () => {
    const { clock, client } = await connect();
    client.send({ event_id: 'mine' });
    await clock.advance(0);
    expect(client.errors).toEqual([
      {
        type: 'invalid_request_error',
        code: 'invalid_event',
        message: "The 'type' field is missing.",
        param: null,
        event_id: 'mine',
      },
    ]);
  });

  test.each(['response.cancelled', 'output_audio_buffer.clear', 'toString', 7, { deep: true }])(
    'of type %j is answered with the types that there are',
    async (type) => {
      const { clock, client } = await connect();
      client.send({ type });
      await clock.advance(0);
      expect(client.errors).toMatchObject([{ code: 'invalid_value', param: 'type' }]);
      for (const known of clientEventTypes) expect(client.errors[0]?.message).toContain(`'${known}'`);
    },
  );

  test('is not repeated at length', async () => {
    const { clock, client } = await connect();
    client.send({ type: 'x'.repeat(100_000) });
    client.send({ type: 'response.cancel', ['y'.repeat(100_000)]: 1 });
    client.send({ type: 'response.cancel', event_id: 'z'.repeat(513) });
    await clock.advance(0);
    expect(client.errors.map(({ code }) => code)).toEqual([
      'invalid_value',
      'unknown_parameter',
      'invalid_value',
    ]);
    for (const { message, param } of client.errors) {
      expect(message.length + (param?.length ?? 0)).toBeLessThan(1_000);
    }
  });
});

describe('an append', () => {
  test.each([
    [
      'as most clients write it',
      (audio: string) => `{"type":"input_audio_buffer.append","audio":"${audio}"}`,
    ],
    ['with spaces', (audio: string) => `{ "type": "input_audio_buffer.append", "audio": "${audio}" }`],
    [
      'with an identifier',
      (audio: string) => `{"event_id":"e","type":"input_audio_buffer.append","audio":"${audio}"}`,
    ],
    [
      'with escapes',
      (audio: string) => `{"type":"input_audio_buffer.append","audio":"${audio.replaceAll('/', '\\/')}"}`,
    ],
  ])('is read %s', async (_how, write) => {
    const { clock, client, session } = await connectPhone();
    const audio = Buffer.from(Array.from({ length: 160 }, (_, index) => 255 - index));
    client.socket?.send(write(audio.toString('base64')));
    await clock.advance(0);
    expect(client.errors).toEqual([]);
    expect(Buffer.from(session.appendedAudio()).equals(audio)).toBe(true);
    expect(session.appends).toBe(1);
    expect(client.types().at(-1)).toBe('session.updated');
  });

  test.each([{ audio: 'no base64!' }, { audio: 'abc' }, { audio: 7 }, {}])(
    'of %j is refused',
    async (fields) => {
      const { clock, client, session } = await connectPhone();
      client.send({ type: 'input_audio_buffer.append', ...fields });
      await clock.advance(0);
      expect(client.errors).toMatchObject([{ param: 'audio' }]);
      expect(session.appendedBytes).toBe(0);
    },
  );
});

test('an event is kept for inspection as it came, appends left out', async () => {
  const { clock, client, session } = await connect();
  const event = { type: 'response.cancel', event_id: 'mine', response_id: 'resp_1' };
  client.send(event);
  client.append(new Uint8Array(160));
  await clock.advance(0);
  expect(session.received).toEqual([event]);
});

test('the newest ten thousand events are kept', async () => {
  const { clock, client, session } = await connect();
  for (let count = 0; count < 10_001; count += 1) {
    client.send({ type: 'response.cancel', event_id: `e${count}` });
  }
  await clock.advance(0);
  expect(session.received).toHaveLength(10_000);
  expect(session.received[0]?.event_id).toBe('e1');
});

describe('whatever a client sends', () => {
  const values = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean(), fc.jsonValue());
  const words = fc.constantFrom(
    'root',
    'item_1',
    'message',
    'user',
    'assistant',
    'function_call',
    'function_call_output',
    'realtime',
    'audio/pcmu',
    'server_vad',
    'none',
    'input_text',
    'AAAA',
  );
  const field = fc.constantFrom(
    'event_id',
    'session',
    'audio',
    'item',
    'item_id',
    'previous_item_id',
    'content_index',
    'audio_end_ms',
    'response',
    'response_id',
    'type',
    'id',
    'call_id',
    'content',
    'role',
    'text',
    '__proto__',
    'constructor',
  );
  const nested = fc.dictionary(field, fc.oneof(words, values, fc.dictionary(field, fc.oneof(words, values))));
  const event = fc
    .tuple(fc.constantFrom(...clientEventTypes), nested)
    .map(([type, fields]) => JSON.stringify({ ...fields, type }));
  const valid = fc.constantFrom(
    { type: 'response.create' },
    { type: 'response.cancel' },
    { type: 'input_audio_buffer.commit' },
    { type: 'input_audio_buffer.clear' },
    { type: 'input_audio_buffer.append', audio: Buffer.alloc(1_600, 0x10).toString('base64') },
    { type: 'input_audio_buffer.append', audio: Buffer.alloc(9_600, 0xff).toString('base64') },
    { type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } },
    {
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { format: { type: 'audio/pcmu' } } } },
    },
    { type: 'conversation.item.create', item: { id: 'item_1', type: 'message', role: 'user', content: [] } },
    { type: 'conversation.item.truncate', item_id: 'item_1', content_index: 0, audio_end_ms: 0 },
    { type: 'conversation.item.delete', item_id: 'item_1' },
  );
  const message = fc.oneof(
    fc.string(),
    fc.json(),
    event,
    valid.map((one) => JSON.stringify(one)),
    fc.uint8Array(),
  );

  test('the session lives on, keeps to its tables, and answers the next event', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(message, fc.nat(700)), { maxLength: 15 }), async (messages) => {
        const { clock, client, session } = await connect();
        for (const [data, pauseMs] of messages) {
          if (typeof data === 'string') client.socket?.send(data);
          else client.socket?.sendBinary?.(data);
          await clock.advance(pauseMs);
        }
        client.send({ type: 'conversation.item.retrieve', item_id: 'nowhere', event_id: 'last' });
        await clock.advance(20_000);
        expect(session.closure).toBeNull();
        expect(client.errors.at(-1)).toMatchObject({ code: 'item_not_found', event_id: 'last' });
        expect(orderBreaches(client.events)).toEqual([]);
        expect(shapeBreaches(client.events)).toEqual([]);
        client.socket?.terminate();
        await clock.advance(1);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
