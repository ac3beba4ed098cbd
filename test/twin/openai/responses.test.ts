import { describe, expect, test } from 'vitest';
import { scriptedBrain } from '../../../src/twin/openai/scripted-brain.ts';
import { readSegments } from '../../../src/twin/openai/segments.ts';
import { connect, connectPhone, speak, type TestClient, type World } from './client.ts';
import { orderBreaches } from './order.ts';
import { shapeBreaches } from './shapes.ts';

const tools = [{ type: 'function', name: 'get_weather', parameters: { type: 'object' } }];

const toolBrain = scriptedBrain({
  turns: [
    {
      caller: 'Weather?',
      reply: {
        say: [{ text: 'Let me look that up for you, it takes a moment.', lengthMs: 3_000 }],
        calls: [{ name: 'get_weather', arguments: { city: 'London' } }],
        afterResult: { say: [{ text: 'It is foggy.', lengthMs: 800 }] },
      },
    },
  ],
});

async function askForWeather(options: object = {}): Promise<World> {
  const world = await connectPhone({ brain: toolBrain, ...options });
  world.client.send({ type: 'session.update', session: { type: 'realtime', tools } });
  speak(world.client);
  await world.clock.advance(0);
  return world;
}

const callIdOf = (client: TestClient): string => client.last('response.function_call_arguments.done').call_id;

const outputFor = (callId: string): object => ({
  type: 'conversation.item.create',
  item: { type: 'function_call_output', call_id: callId, output: 'foggy' },
});

describe('a spoken response', () => {
  test('begins 350 ms after its creation and comes five times faster than it plays', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    await clock.advance(340);
    expect(client.types().at(-1)).toBe('response.created');
    await clock.advance(20);
    expect(client.of('response.output_audio.delta')).toHaveLength(1);
    await clock.runUntil(() => client.of('response.done').length === 1, 5_000);
    const tookMs = clock.monotonic() - 110 - 350;
    expect(tookMs).toBeGreaterThan(2_000 / 5 - 80);
    expect(tookMs).toBeLessThan(2_000 / 5 + 20);
  });

  test('comes in pieces of about a quarter of a second, the first one shorter', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    const sizes = client
      .of('response.output_audio.delta')
      .map(({ delta }) => Buffer.from(delta, 'base64').byteLength);
    expect(sizes[0]).toBeLessThan(1_200);
    for (const size of sizes.slice(1, -1)) {
      expect(size).toBeGreaterThanOrEqual(1_800);
      expect(size).toBeLessThanOrEqual(2_200);
    }
    expect(new Set(sizes).size).toBeGreaterThan(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(16_000);
  });

  test('can be heard segment by segment', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    const heard = readSegments(client.heard).map(({ reply, segment, frames }) => [
      reply,
      segment,
      frames.length,
    ]);
    expect(heard).toEqual([
      [0, 0, 50],
      [0, 1, 50],
    ]);
  });

  test('has its transcript ahead of its audio, and whole in the closing events', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    const deltas = client.of('response.output_audio_transcript.delta').map(({ delta }) => delta);
    expect(deltas.join('')).toBe('Welcome. How can I help?');
    expect(client.last('response.output_audio_transcript.done').transcript).toBe(deltas.join(''));
    const lastText = client.events.findLastIndex(
      ({ type }) => type === 'response.output_audio_transcript.delta',
    );
    const lastAudio = client.events.findLastIndex(({ type }) => type === 'response.output_audio.delta');
    expect(lastText).toBeLessThan(lastAudio);
  });

  test('pads every text delta so that its length does not show', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    for (const { delta, obfuscation } of client.of('response.output_audio_transcript.delta')) {
      expect((delta.length + obfuscation.length) % 16).toBe(0);
      expect(obfuscation.length).toBeGreaterThan(0);
    }
    expect(client.of('response.output_audio.delta').every((event) => !('obfuscation' in event))).toBe(true);
  });

  test('is followed by the limits', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    expect(client.types().slice(-2)).toEqual(['response.done', 'rate_limits.updated']);
    const [limit] = client.last('rate_limits.updated').rate_limits;
    expect(limit.limit - limit.remaining).toBe(client.last('response.done').response.usage.total_tokens);
  });

  test('comes in the format that the session or the response asks for', async () => {
    const { clock, client } = await connect();
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    expect(client.heard.byteLength).toBe(2_000 * 48);
    client.send({
      type: 'response.create',
      response: { audio: { output: { format: { type: 'audio/pcma' } } } },
    });
    await clock.advance(5_000);
    expect(client.last('response.done').response.audio.output).toEqual({
      format: { type: 'audio/pcma' },
      voice: 'marin',
    });
  });

  test('works at the pace that the twin is told', async () => {
    const pace = { firstOutputDelayMs: 1_000, speedFactor: 1, deltaMs: 100, jitter: 0 };
    const { clock, client } = await connectPhone({ pace });
    client.send({ type: 'response.create' });
    await clock.advance(999);
    expect(client.of('response.output_audio.delta')).toEqual([]);
    await clock.advance(1_001);
    const sent = client.heard.byteLength / 8;
    expect(sent).toBeGreaterThan(950);
    expect(sent).toBeLessThan(1_150);
  });

  test('is the same for the same seed, and another for another', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const { clock, client } = await connectPhone({ seed });
      client.send({ type: 'response.create' });
      await clock.advance(5_000);
      return client.events.map((event) => JSON.stringify(event));
    };
    expect(await run(7)).toEqual(await run(7));
    expect(await run(7)).not.toEqual(await run(8));
  });
});

describe('a written response', () => {
  test('comes where the session asks for text', async () => {
    const { clock, client } = await connect();
    client.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } });
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    expect(client.types().slice(-9)).toEqual(
      [
        'response.output_item.added',
        'conversation.item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'conversation.item.done',
        'response.output_item.done',
        'response.done',
      ]
        .concat('rate_limits.updated')
        .slice(-9),
    );
    expect(client.last('response.output_text.done').text).toBe('Welcome. How can I help?');
    expect(orderBreaches(client.events)).toEqual([]);
    expect(shapeBreaches(client.events)).toEqual([]);
  });
});

describe('a response with a tool call', () => {
  test('holds commentary and call as two outputs whose pieces come side by side', async () => {
    const { clock, client } = await askForWeather();
    await clock.advance(5_000);
    const [commentary, call] = client.last('response.done').response.output;
    expect(commentary.phase).toBe('commentary');
    expect(call).toMatchObject({
      type: 'function_call',
      name: 'get_weather',
      arguments: '{"city":"London"}',
    });
    const types = client.types();
    expect(types.indexOf('response.function_call_arguments.delta')).toBeLessThan(
      types.lastIndexOf('response.output_audio.delta'),
    );
    expect(orderBreaches(client.events)).toEqual([]);
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('marks no commentary for models of the first generation', async () => {
    const { clock, client } = await askForWeather({ model: 'gpt-realtime' });
    await clock.advance(5_000);
    expect(client.last('response.done').response.output[0]).not.toHaveProperty('phase');
  });

  test('goes on only after the result and a new request', async () => {
    const { clock, client } = await askForWeather();
    await clock.advance(5_000);
    client.send(outputFor(callIdOf(client)));
    await clock.advance(60_000);
    expect(client.of('response.created')).toHaveLength(1);
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    expect(client.last('response.done').response.output[0]).toMatchObject({
      phase: 'final_answer',
      content: [{ type: 'output_audio', transcript: 'It is foggy.' }],
    });
  });

  test('takes the result in when it is done, if that comes earlier', async () => {
    const { clock, client } = await askForWeather();
    await clock.runUntil(() => client.of('response.function_call_arguments.done').length === 1, 5_000);
    expect(client.of('response.done')).toEqual([]);
    client.send(outputFor(callIdOf(client)));
    await clock.advance(5_000);
    const types = client.types();
    expect(types.slice(types.indexOf('response.done'))).toEqual([
      'response.done',
      'rate_limits.updated',
      'conversation.item.added',
      'conversation.item.done',
    ]);
    expect(client.last('conversation.item.added').item.type).toBe('function_call_output');
  });

  test('refuses an early result whose item cannot be added once the response is done', async () => {
    const { clock, client } = await askForWeather();
    await clock.runUntil(() => client.of('response.function_call_arguments.done').length === 1, 5_000);
    client.send({ ...outputFor(callIdOf(client)), previous_item_id: 'nowhere', event_id: 'early' });
    await clock.advance(5_000);
    expect(client.errors).toMatchObject([{ code: 'item_not_found', event_id: 'early' }]);
  });

  test.each([
    ['no tool is declared', { tools: [] }],
    ['none may be chosen', { tool_choice: 'none' }],
  ])('makes no call where %s', async (_why, response) => {
    const { clock, client } = await connectPhone({ brain: toolBrain }, null);
    client.send({ type: 'session.update', session: { type: 'realtime', tools } });
    client.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Weather?' }] },
    });
    client.send({ type: 'response.create', response });
    await clock.advance(5_000);
    const types = client.last('response.done').response.output.map(({ type }: { type: string }) => type);
    expect(types).toEqual(['message']);
  });
});

describe('a call that is cut off', () => {
  test('was not made: the model makes it again when asked', async () => {
    const { clock, client } = await askForWeather({ pace: { textDelayMs: 200 } });
    await clock.runUntil(() => client.of('response.function_call_arguments.delta').length === 2, 5_000);
    client.send({ type: 'response.cancel' });
    await clock.advance(0);
    const [, call] = client.last('response.done').response.output;
    expect(call).toMatchObject({ type: 'function_call', status: 'incomplete' });
    expect(orderBreaches(client.events)).toEqual([]);
    client.send({ type: 'response.create' });
    await clock.advance(10_000);
    expect(client.last('response.done').response.output.at(-1)).toMatchObject({
      type: 'function_call',
      status: 'completed',
      arguments: '{"city":"London"}',
    });
  });

  test('can be followed by audio of its commentary that was under way', async () => {
    const { clock, client, session } = await askForWeather({ pace: { textDelayMs: 200 } });
    session.inject({ kind: 'lateDeltas', count: 2 });
    await clock.runUntil(() => client.of('response.function_call_arguments.delta').length === 2, 5_000);
    client.send({ type: 'response.cancel' });
    await clock.advance(100);
    const types = client.events.map(({ type }) => type).filter((type) => !type.includes('transcription'));
    expect(types.slice(types.indexOf('response.done'))).toEqual([
      'response.done',
      'rate_limits.updated',
      'response.output_audio.delta',
      'response.output_audio.delta',
    ]);
  });
});

describe('the responses of a session', () => {
  test('can be looked at while they run and afterwards', async () => {
    const { clock, client, session } = await connectPhone();
    client.send({ type: 'response.create', response: { metadata: { why: 'test' } } });
    await clock.advance(500);
    const [response] = session.responses;
    expect(response).toMatchObject({ status: 'in_progress', statusDetails: null, usage: null });
    expect(response?.request.metadata).toEqual({ why: 'test' });
    client.send({ type: 'response.cancel' });
    await clock.advance(0);
    expect(response).toMatchObject({
      status: 'cancelled',
      statusDetails: { type: 'cancelled', reason: 'client_cancelled' },
      audioMs: Math.floor(client.heard.byteLength / 8),
    });
    expect(response?.output.map(({ type }) => type)).toEqual(['message']);
    expect(response?.usage?.output_tokens).toBeGreaterThan(0);
  });

  test('are at most a thousand, which does not unlock the voice', async () => {
    const { clock, client, session } = await connectPhone();
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    session.inject({ kind: 'response', outcome: 'empty', which: 'every' });
    for (let count = 0; count < 1_000; count += 1) {
      client.send({ type: 'response.create' });
      await clock.advance(400);
    }
    expect(session.responses).toHaveLength(1_000);
    expect(session.responses.every(({ audioMs }) => audioMs === 0)).toBe(true);
    client.send({
      type: 'session.update',
      session: { type: 'realtime', audio: { output: { voice: 'ash' } } },
    });
    await clock.advance(0);
    expect(client.errors).toMatchObject([{ code: 'cannot_update_voice' }]);
  });
});

describe('the one response of the conversation', () => {
  test('keeps a second one out', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    client.send({ type: 'response.create', event_id: 'second' });
    await clock.advance(10);
    const { id } = client.last('response.created').response;
    expect(client.errors).toEqual([
      {
        type: 'invalid_request_error',
        code: 'conversation_already_has_active_response',
        message: `Conversation already has an active response in progress: ${id}. Wait until the response is finished before creating a new one.`,
        param: null,
        event_id: 'second',
      },
    ]);
    await clock.advance(5_000);
    client.send({ type: 'response.create' });
    await clock.advance(10);
    expect(client.of('response.created')).toHaveLength(2);
  });

  test('is cut short at its maximum of tokens', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create', response: { max_output_tokens: 20 } });
    await clock.advance(5_000);
    const { status, status_details, output, max_output_tokens } = client.last('response.done').response;
    expect(status).toBe('incomplete');
    expect(status_details).toEqual({ type: 'incomplete', reason: 'max_output_tokens' });
    expect(output[0].status).toBe('incomplete');
    expect(max_output_tokens).toBe(20);
  });
});

describe('a response outside the conversation', () => {
  const outOfBand = {
    type: 'response.create',
    response: { conversation: 'none', metadata: { purpose: 'summary' }, output_modalities: ['text'] },
  };

  test('runs beside the one of the conversation and leaves no item', async () => {
    const { clock, client, session } = await connectPhone();
    client.send({ type: 'response.create' });
    client.send(outOfBand);
    await clock.advance(5_000);
    expect(client.errors).toEqual([]);
    const done = client.of('response.done').map(({ response }) => response);
    const summary = done.find(({ conversation_id }) => conversation_id === null);
    expect(summary).toMatchObject({ status: 'completed', metadata: { purpose: 'summary' } });
    expect(done.find(({ conversation_id }) => conversation_id !== null)).toMatchObject({ metadata: null });
    expect(session.items).toHaveLength(1);
    const about = client.events
      .filter(({ item }) => item?.id === summary?.output[0].id)
      .map(({ type }) => type);
    expect(about).toEqual(['response.output_item.added', 'response.output_item.done']);
    expect(orderBreaches(client.events)).toEqual([]);
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('is cancelled only by its id', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    client.send(outOfBand);
    await clock.advance(10);
    const [main, beside] = client.of('response.created').map(({ response }) => response.id);
    client.send({ type: 'response.cancel' });
    await clock.advance(0);
    expect(client.last('response.done').response).toMatchObject({ id: main, status: 'cancelled' });
    client.send({ type: 'response.cancel' });
    await clock.advance(0);
    expect(client.errors).toMatchObject([{ code: 'response_cancel_not_active' }]);
    client.send({ type: 'response.cancel', response_id: beside });
    await clock.advance(0);
    expect(client.last('response.done').response).toMatchObject({ id: beside, status: 'cancelled' });
  });

  test('reads what it is given instead of the conversation', async () => {
    const seen: unknown[] = [];
    const brain = {
      reply: (request: { items: unknown; instructions: unknown; reason: unknown }) => {
        seen.push(request);
        return { reply: 0, segments: [], calls: [] };
      },
      transcribe: () => ({ text: '' }),
    };
    const { clock, client } = await connectPhone({ brain });
    client.send({
      type: 'conversation.item.create',
      item: { id: 'known', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
    });
    const system = { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Be brief.' }] };
    const input = [{ type: 'item_reference', id: 'known' }, system];
    client.send({
      type: 'response.create',
      response: { conversation: 'none', input, instructions: 'Sum up.' },
    });
    client.send({ type: 'response.create', response: { conversation: 'none', input: [] } });
    client.send({
      type: 'response.create',
      response: { conversation: 'none', input: [{ type: 'item_reference', id: 'unknown' }] },
    });
    await clock.advance(0);
    expect(seen).toEqual([
      {
        reason: 'outOfBand',
        instructions: 'Sum up.',
        items: [
          { kind: 'caller', text: 'Hello', isSilence: false },
          { kind: 'system', text: 'Be brief.' },
        ],
      },
      { reason: 'outOfBand', instructions: null, items: [] },
    ]);
    expect(client.errors).toMatchObject([{ code: 'item_not_found', param: 'response.input' }]);
  });

  test('is one of at most 32 at a time', async () => {
    const { clock, client } = await connectPhone();
    for (let count = 0; count < 33; count += 1) client.send(outOfBand);
    await clock.advance(10);
    expect(client.of('response.created')).toHaveLength(32);
    expect(client.errors).toMatchObject([{ type: 'rate_limit_exceeded' }]);
  });
});

describe('what a response.create may not ask for', () => {
  test.each([
    [{ temperature: 1 }, 'unknown_parameter', 'response.temperature'],
    [{ output_modalities: ['audio', 'text'] }, 'invalid_value', 'response.output_modalities'],
    [{ conversation: 'other' }, 'invalid_value', 'response.conversation'],
    [{ max_output_tokens: 0 }, 'invalid_value', 'response.max_output_tokens'],
    [{ input: [{ type: 'item_reference' }] }, 'missing_required_parameter', 'response.input[0].id'],
    [
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v'])) },
      'invalid_value',
      'response.metadata',
    ],
  ])('%j', async (response, code, param) => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create', response });
    await clock.advance(1_000);
    expect(client.errors).toMatchObject([{ code, param }]);
    expect(client.of('response.created')).toEqual([]);
  });

  test('another voice once the model has spoken', async () => {
    const { clock, client } = await connectPhone();
    const withVoice = (name: string): object => ({
      type: 'response.create',
      response: { audio: { output: { voice: name } } },
    });
    client.send(withVoice('cedar'));
    await clock.advance(5_000);
    expect(client.last('response.done').response.audio.output.voice).toBe('cedar');
    client.send(withVoice('marin'));
    client.send(withVoice('ash'));
    await clock.advance(10);
    expect(client.errors).toMatchObject([{ code: 'cannot_update_voice' }]);
    expect(client.of('response.created')).toHaveLength(2);
  });
});
