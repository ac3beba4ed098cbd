import { describe, expect, test } from 'vitest';
import { bytesOfMs, connect, connectPhone, phoneSettings, silence, speak, voice } from './client.ts';
import { orderBreaches } from './order.ts';
import { shapeBreaches } from './shapes.ts';

const vad = (fields: object = {}): object => ({ type: 'server_vad', silence_duration_ms: 500, ...fields });

describe('server voice activity detection', () => {
  test('turns speech into an answered turn in one burst', async () => {
    const { clock, client } = await connectPhone({}, vad());
    const from = client.events.length;
    speak(client);
    await clock.advance(0);
    expect(client.types(from)).toEqual([
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'response.created',
    ]);
    await clock.advance(10_000);
    expect(client.last('response.done').response.status).toBe('completed');
    expect(orderBreaches(client.events)).toEqual([]);
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('says where speech began, padding included, and where it noticed the end', async () => {
    const { clock, client } = await connectPhone({}, vad({ prefix_padding_ms: 160 }));
    client.append(silence(640));
    client.append(voice(1_280));
    client.append(silence(1_000));
    await clock.advance(0);
    expect(client.last('input_audio_buffer.speech_started').audio_start_ms).toBe(640 - 160);
    expect(client.last('input_audio_buffer.speech_stopped').audio_end_ms).toBe(640 + 1_280 + 512);
  });

  test('counts the audio of the whole session, across turns', async () => {
    const { clock, client } = await connectPhone({}, vad());
    for (let turn = 0; turn < 2; turn += 1) {
      speak(client, 960, 640);
      await clock.advance(5_000);
    }
    expect(client.of('input_audio_buffer.speech_started').map((event) => event.audio_start_ms)).toEqual([
      20,
      1_920 + 20,
    ]);
  });

  test('never begins a turn before the end of the last one', async () => {
    const { clock, client } = await connectPhone(
      {},
      vad({ silence_duration_ms: 64, prefix_padding_ms: 5_000 }),
    );
    client.append(voice(320));
    client.append(silence(64));
    client.append(voice(320));
    await clock.advance(0);
    const [first, second] = client.of('input_audio_buffer.speech_started');
    expect(first?.audio_start_ms).toBe(0);
    expect(second?.audio_start_ms).toBe(384);
  });

  test('announces, commits and adds a turn under one id', async () => {
    const { clock, client } = await connectPhone({}, vad());
    speak(client);
    await clock.advance(0);
    const ids = ['speech_started', 'speech_stopped', 'committed'].map(
      (name) => client.last(`input_audio_buffer.${name}`).item_id,
    );
    expect(new Set([...ids, client.last('conversation.item.added').item.id]).size).toBe(1);
  });

  test('hears nothing in quiet audio, and more with a lower threshold', async () => {
    const quiet = voice(960, 500);
    const { clock, client } = await connectPhone({}, vad());
    client.append(quiet);
    await clock.advance(0);
    expect(client.of('input_audio_buffer.speech_started')).toEqual([]);
    client.send(phoneSettings(vad({ threshold: 0.2 })));
    client.append(quiet);
    await clock.advance(0);
    expect(client.of('input_audio_buffer.speech_started')).toHaveLength(1);
  });

  test('goes over a pause that is shorter than the silence it waits for', async () => {
    const { clock, client } = await connectPhone({}, vad());
    for (const part of [voice(640), silence(480), voice(640), silence(640)]) client.append(part);
    await clock.advance(0);
    expect(client.of('input_audio_buffer.speech_started')).toHaveLength(1);
    expect(client.last('input_audio_buffer.speech_stopped').audio_end_ms).toBe(640 + 480 + 640 + 512);
  });

  test('never ends a turn while no audio comes', async () => {
    const { clock, client } = await connectPhone({}, vad());
    client.append(voice(640));
    await clock.advance(60_000);
    expect(client.of('input_audio_buffer.speech_stopped')).toEqual([]);
    client.append(silence(640));
    await clock.advance(0);
    expect(client.of('input_audio_buffer.speech_stopped')).toHaveLength(1);
  });

  test('hears the same speech in each format, however its bytes are cut', async () => {
    const moments: unknown[] = [];
    for (const [format, rate] of [
      ['audio/pcmu', 8],
      ['audio/pcma', 8],
      ['audio/pcm', 48],
    ] as const) {
      const { clock, client } = await connect();
      client.send({
        type: 'session.update',
        session: { type: 'realtime', audio: { input: { format: { type: format } } } },
      });
      const loud = format === 'audio/pcm' ? 0x20 : 0x10;
      const quiet = { 'audio/pcmu': 0xff, 'audio/pcma': 0xd5, 'audio/pcm': 0x00 }[format];
      const audio = Buffer.concat([
        Buffer.alloc(640 * rate, quiet),
        Buffer.alloc(960 * rate, loud),
        Buffer.alloc(640 * rate, quiet),
      ]);
      client.append(audio, 777);
      await clock.advance(0);
      moments.push([
        client.last('input_audio_buffer.speech_started').audio_start_ms,
        client.last('input_audio_buffer.speech_stopped').audio_end_ms,
      ]);
    }
    expect(moments).toEqual([
      [340, 2_112],
      [340, 2_112],
      [340, 2_112],
    ]);
  });

  test('forgets an open turn when the format changes', async () => {
    const { clock, client, session } = await connectPhone({}, vad());
    client.append(voice(650));
    client.send({
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { format: { type: 'audio/pcm' } } } },
    });
    client.append(new Uint8Array(48 * 2_000));
    await clock.advance(0);
    expect(client.of('input_audio_buffer.speech_stopped')).toEqual([]);
    expect(session.appendedBytes).toBe(650 * 8 + 48 * 2_000);
  });

  test('leaves the answer to the client where it shall create none', async () => {
    const { clock, client } = await connectPhone({}, vad({ create_response: false }));
    speak(client);
    await clock.advance(1_000);
    expect(client.of('conversation.item.done')).toHaveLength(1);
    expect(client.of('response.created')).toEqual([]);
  });

  test('reports that no response could begin where it may not interrupt the running one', async () => {
    const { clock, client } = await connectPhone({}, vad({ interrupt_response: false }));
    speak(client);
    await clock.advance(400);
    speak(client);
    await clock.advance(0);
    expect(client.errors.map(({ code }) => code)).toEqual(['conversation_already_has_active_response']);
    await clock.advance(10_000);
    expect(client.of('response.done').map(({ response }) => response.status)).toEqual(['completed']);
  });

  test('keeps no more of an open turn when it is switched off', async () => {
    const { clock, client } = await connectPhone({}, vad());
    client.append(voice(640));
    client.send(phoneSettings(null));
    client.append(silence(2_000));
    await clock.advance(0);
    expect(client.types().at(-1)).toBe('session.updated');
  });
});

describe('semantic detection', () => {
  test.each([
    ['high', 320],
    ['auto', 704],
    ['low', 1_216],
  ])('with eagerness %s waits for %d ms of silence', async (eagerness, silenceMs) => {
    const { clock, client } = await connectPhone({}, { type: 'semantic_vad', eagerness });
    client.append(voice(640));
    client.append(silence(2_000));
    await clock.advance(0);
    expect(client.last('input_audio_buffer.speech_stopped').audio_end_ms).toBe(640 + silenceMs);
  });
});

describe('without turn detection', () => {
  test('a commit makes an item and no response', async () => {
    const { clock, client, session } = await connectPhone({}, null);
    client.append(voice(300));
    client.send({ type: 'input_audio_buffer.commit' });
    await clock.advance(5_000);
    expect(client.types().slice(-5)).toEqual([
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'conversation.item.input_audio_transcription.delta',
      'conversation.item.input_audio_transcription.completed',
    ]);
    expect(session.items).toHaveLength(1);
    expect(client.of('response.created')).toEqual([]);
  });

  test('a commit of less than 100 ms is refused with what there was', async () => {
    const { clock, client } = await connectPhone({}, null);
    client.send({ type: 'input_audio_buffer.commit', event_id: 'mine' });
    client.append(voice(60));
    client.send({ type: 'input_audio_buffer.commit' });
    await clock.advance(0);
    expect(client.errors[0]).toEqual({
      type: 'invalid_request_error',
      code: 'input_audio_buffer_commit_empty',
      message:
        'Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has 0.00ms of audio.',
      param: null,
      event_id: 'mine',
    });
    expect(client.errors[1]?.message).toContain('only has 60.00ms');
  });

  test('a refused commit keeps the audio, a commit takes it', async () => {
    const { clock, client, session } = await connectPhone({}, null);
    client.append(voice(60));
    client.send({ type: 'input_audio_buffer.commit' });
    client.append(voice(60));
    client.send({ type: 'input_audio_buffer.commit' });
    client.send({ type: 'input_audio_buffer.commit' });
    await clock.advance(0);
    expect(client.of('input_audio_buffer.committed')).toHaveLength(1);
    expect(client.errors).toHaveLength(2);
    expect(session.appends).toBe(6);
    expect(session.appendedBytes).toBe(bytesOfMs(120));
    expect(Buffer.from(session.appendedAudio()).equals(Buffer.concat([voice(60), voice(60)]))).toBe(true);
  });

  test('a clear drops what was appended', async () => {
    const { clock, client } = await connectPhone({}, null);
    client.append(voice(300));
    client.send({ type: 'input_audio_buffer.clear' });
    client.send({ type: 'input_audio_buffer.commit' });
    await clock.advance(0);
    expect(client.types().slice(-2)).toEqual(['input_audio_buffer.cleared', 'error']);
  });
});

describe('the client under voice activity detection', () => {
  test('ends an open turn with a commit, under the id that was announced', async () => {
    const { clock, client } = await connectPhone({}, vad());
    client.append(silence(640));
    client.append(voice(640));
    client.send({ type: 'input_audio_buffer.commit' });
    client.append(silence(1_000));
    await clock.advance(0);
    expect(client.of('input_audio_buffer.speech_stopped')).toEqual([]);
    expect(client.last('input_audio_buffer.committed').item_id).toBe(
      client.last('input_audio_buffer.speech_started').item_id,
    );
    client.send({
      type: 'conversation.item.retrieve',
      item_id: client.last('input_audio_buffer.committed').item_id,
    });
    await clock.advance(0);
    const { audio } = client.last('conversation.item.retrieved').item.content[0];
    expect(Buffer.from(audio, 'base64').byteLength).toBe(bytesOfMs(300 + 640));
  });

  test('drops an open turn with a clear', async () => {
    const { clock, client } = await connectPhone({}, vad());
    client.append(voice(640));
    client.send({ type: 'input_audio_buffer.clear' });
    client.append(silence(1_000));
    await clock.advance(0);
    expect(client.of('input_audio_buffer.speech_stopped')).toEqual([]);
    expect(client.of('input_audio_buffer.committed')).toEqual([]);
  });
});
