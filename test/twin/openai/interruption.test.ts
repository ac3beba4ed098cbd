import { describe, expect, test } from 'vitest';
import { connectPhone, silence, speak, voice, type World } from './client.ts';
import { orderBreaches } from './order.ts';
import { shapeBreaches } from './shapes.ts';

/** A phone whose model is in the middle of its greeting of two seconds. */
async function midGreeting(turnDetection?: object): Promise<World & { itemId: string }> {
  const world = await connectPhone({}, turnDetection);
  world.client.send({ type: 'response.create' });
  await world.clock.runUntil(() => world.client.of('response.output_audio.delta').length === 4, 5_000);
  return { ...world, itemId: world.client.last('response.output_item.added').item.id };
}

/** A phone whose model has greeted. */
async function afterGreeting(turnDetection?: object): Promise<World & { itemId: string }> {
  const world = await midGreeting(turnDetection);
  await world.clock.advance(5_000);
  return world;
}

const truncate = (itemId: string, audioEndMs: unknown, contentIndex = 0): object => ({
  type: 'conversation.item.truncate',
  event_id: 'cut',
  item_id: itemId,
  content_index: contentIndex,
  audio_end_ms: audioEndMs,
});

const createText = (role: string, text: string, id: string): object => ({
  type: 'conversation.item.create',
  item: {
    id,
    type: 'message',
    role,
    content: [{ type: role === 'assistant' ? 'output_text' : 'input_text', text }],
  },
});

describe('a caller who begins to speak', () => {
  test('cancels the response, which is closed in order before its end is reported', async () => {
    const { clock, client } = await midGreeting();
    const from = client.events.length;
    client.append(voice(64));
    await clock.advance(0);
    expect(client.types(from)).toEqual([
      'input_audio_buffer.speech_started',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
      'rate_limits.updated',
    ]);
    const { status, status_details, output } = client.last('response.done').response;
    expect(status).toBe('cancelled');
    expect(status_details).toEqual({ type: 'cancelled', reason: 'turn_detected' });
    expect(output[0].status).toBe('incomplete');
    await clock.advance(10_000);
    expect(client.of('response.output_audio.delta')).toHaveLength(4);
    expect(orderBreaches(client.events)).toEqual([]);
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('is charged for what was generated', async () => {
    const { clock, client } = await midGreeting();
    client.append(voice(64));
    await clock.advance(0);
    const { usage } = client.last('response.done').response;
    expect(usage.output_token_details.audio_tokens).toBe(Math.floor(client.heard.byteLength / 8 / 50));
  });

  test('leaves the response alone where it may not be interrupted', async () => {
    const { clock, client } = await midGreeting({ type: 'server_vad', interrupt_response: false });
    client.append(voice(64));
    await clock.advance(5_000);
    expect(client.last('response.done').response.status).toBe('completed');
  });

  test('cancels a response that has no output yet', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    client.append(voice(64));
    await clock.advance(1_000);
    expect(client.last('response.done').response).toMatchObject({ status: 'cancelled', output: [] });
  });

  test('gets the answer to what was said then', async () => {
    const { clock, client } = await midGreeting();
    speak(client);
    await clock.advance(5_000);
    expect(client.last('response.output_audio_transcript.done').transcript).toBe(
      'It is foggy and cold today. Take a coat with you.',
    );
  });
});

describe('a cancel by the client', () => {
  test('ends the response', async () => {
    const { clock, client } = await midGreeting();
    client.send({ type: 'response.cancel' });
    await clock.advance(0);
    expect(client.last('response.done').response.status_details).toEqual({
      type: 'cancelled',
      reason: 'client_cancelled',
    });
  });

  test('is refused when nothing runs', async () => {
    const { clock, client, itemId } = await afterGreeting();
    client.send({ type: 'response.cancel', event_id: 'late' });
    client.send({ type: 'response.cancel', response_id: itemId });
    await clock.advance(0);
    const error = {
      type: 'invalid_request_error',
      code: 'response_cancel_not_active',
      message: 'Cancellation failed: no active response found',
      param: null,
    };
    expect(client.errors).toEqual([
      { ...error, event_id: 'late' },
      { ...error, event_id: null },
    ]);
  });

  test('can be followed by audio that was still under way', async () => {
    const { clock, client, session } = await midGreeting();
    session.inject({ kind: 'lateDeltas', count: 3 });
    client.send({ type: 'response.cancel' });
    await clock.advance(1_000);
    const done = client.events.findIndex(({ type }) => type === 'response.done');
    expect(
      client.events.slice(done).filter(({ type }) => type === 'response.output_audio.delta'),
    ).toHaveLength(3);
    expect(orderBreaches(client.events)).toEqual([]);
  });

  test('has no late audio where there was none', async () => {
    const { clock, client, session } = await connectPhone();
    session.inject({ kind: 'lateDeltas', count: 3 });
    client.send({ type: 'response.create' });
    client.send({ type: 'response.cancel' });
    await clock.advance(1_000);
    expect(client.types().slice(-2)).toEqual(['response.done', 'rate_limits.updated']);
  });
});

describe('a truncation', () => {
  test('is confirmed, and takes the transcript and the unheard audio away', async () => {
    const { clock, client, itemId } = await afterGreeting();
    client.send(truncate(itemId, 1_520));
    client.send({ type: 'conversation.item.retrieve', item_id: itemId });
    await clock.advance(0);
    expect(client.last('conversation.item.truncated')).toMatchObject({
      item_id: itemId,
      content_index: 0,
      audio_end_ms: 1_520,
    });
    const [part] = client.last('conversation.item.retrieved').item.content;
    expect(part).not.toHaveProperty('transcript');
    expect(Buffer.from(part.audio, 'base64').equals(client.heard.subarray(0, 1_520 * 8))).toBe(true);
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('beyond the generated audio is refused with both lengths', async () => {
    const { clock, client, itemId } = await midGreeting();
    const generatedMs = Math.floor(client.heard.byteLength / 8);
    client.send(truncate(itemId, generatedMs + 1));
    await clock.advance(0);
    expect(client.errors).toEqual([
      {
        type: 'invalid_request_error',
        code: 'invalid_value',
        message: `Audio content of ${generatedMs}ms is already shorter than ${generatedMs + 1}ms`,
        param: null,
        event_id: 'cut',
      },
    ]);
    client.send(truncate(itemId, generatedMs));
    await clock.advance(0);
    expect(client.of('conversation.item.truncated')).toHaveLength(1);
  });

  test('cannot give back what an earlier one took', async () => {
    const { clock, client, itemId } = await afterGreeting();
    client.send(truncate(itemId, 500));
    client.send(truncate(itemId, 501));
    await clock.advance(0);
    expect(client.errors[0]?.message).toBe('Audio content of 500ms is already shorter than 501ms');
  });

  test('of an item that still grows holds at its end', async () => {
    const { clock, client, itemId } = await midGreeting({ type: 'server_vad', interrupt_response: false });
    client.send(truncate(itemId, 300));
    await clock.advance(5_000);
    expect(client.last('conversation.item.done').item.content).toEqual([{ type: 'output_audio' }]);
    client.send(truncate(itemId, 301));
    await clock.advance(0);
    expect(client.errors).toHaveLength(1);
  });

  test.each([
    ['a fraction', 1.5],
    ['a negative length', -1],
    ['a text', '100'],
  ])('with %s is refused', async (_what, audioEndMs) => {
    const { clock, client, itemId } = await afterGreeting();
    client.send(truncate(itemId, audioEndMs));
    await clock.advance(0);
    expect(client.errors).toMatchObject([{ code: 'invalid_value', param: 'audio_end_ms' }]);
  });

  test('of anything but spoken audio is refused', async () => {
    const { clock, client, itemId } = await afterGreeting();
    client.send(createText('user', 'Hello', 'of-user'));
    client.send(createText('assistant', 'Seeded', 'of-history'));
    client.send(truncate('of-user', 0));
    client.send(truncate('of-history', 0));
    client.send(truncate(itemId, 0, 1));
    await clock.advance(0);
    expect(client.errors.map(({ message }) => message)).toEqual(
      new Array(3).fill('Only model output audio messages can be truncated'),
    );
  });

  test('of an item without audio yet is refused', async () => {
    const { clock, client, session } = await connectPhone();
    session.inject({ kind: 'response', outcome: 'text_only' });
    client.send({ type: 'response.create' });
    await clock.advance(400);
    client.send(truncate(client.last('response.output_item.added').item.id, 0));
    client.send(truncate('unknown', 0));
    await clock.advance(0);
    expect(client.errors.map(({ code }) => code)).toEqual([null, 'item_not_found']);
  });

  test('shortens what later responses read', async () => {
    const audioRead = async (cutMs: number): Promise<number> => {
      const { clock, client, itemId } = await afterGreeting();
      client.send(truncate(itemId, cutMs));
      speak(client);
      await clock.advance(5_000);
      return client.last('response.done').response.usage.input_token_details.audio_tokens;
    };
    expect((await audioRead(2_000)) - (await audioRead(1_000))).toBe(20);
  });

  test('lets the model go on at the first segment that was not heard whole', async () => {
    const { clock, client, itemId } = await afterGreeting();
    client.send(truncate(itemId, 1_400));
    client.append(silence(100));
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    expect(client.last('response.output_audio_transcript.done').transcript).toBe('How can I help?');
  });
});
