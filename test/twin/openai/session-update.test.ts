import { describe, expect, test } from 'vitest';
import { connect, connectPhone } from './client.ts';
import { shapeBreaches } from './shapes.ts';

const update = (session: object): object => ({ type: 'session.update', event_id: 'cfg', session });
const realtime = (fields: object): object => update({ type: 'realtime', ...fields });

describe('a new session', () => {
  test('is announced at once with its whole configuration', async () => {
    const { client } = await connect();
    expect(client.types()).toEqual(['session.created']);
    expect(shapeBreaches(client.events)).toEqual([]);
    const { session } = client.last('session.created');
    expect(session).toMatchObject({
      type: 'realtime',
      object: 'realtime.session',
      model: 'gpt-realtime-2.1',
      output_modalities: ['audio'],
      tools: [],
      tool_choice: 'auto',
      max_output_tokens: 'inf',
      audio: {
        input: { format: { type: 'audio/pcm', rate: 24_000 }, transcription: null, noise_reduction: null },
        output: { format: { type: 'audio/pcm', rate: 24_000 }, voice: 'marin', speed: 1 },
      },
    });
    expect(session.audio.input.turn_detection?.silence_duration_ms).toBe(500);
  });

  test('of the first generation has another voice and a shorter silence', async () => {
    const { client } = await connect({ model: 'gpt-realtime' });
    const { audio } = client.last('session.created').session;
    expect([audio.output.voice, audio.input.turn_detection?.silence_duration_ms]).toEqual(['alloy', 200]);
  });
});

describe('an update of the session', () => {
  test('changes the fields that it names and no others', async () => {
    const { clock, client } = await connect();
    const before = client.last('session.created').session;
    client.send(realtime({ instructions: 'Be brief.', audio: { output: { speed: 1.2 } } }));
    await clock.advance(0);
    expect(client.last('session.updated').session).toEqual({
      ...before,
      instructions: 'Be brief.',
      audio: { ...before.audio, output: { ...before.audio.output, speed: 1.2 } },
    });
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('changes single fields of the turn detection while its kind stays', async () => {
    const { clock, client } = await connect();
    const detect = (turn_detection: object | null): object =>
      realtime({ audio: { input: { turn_detection } } });
    const current = (): unknown => client.last('session.updated').session.audio.input.turn_detection;
    client.send(detect({ type: 'server_vad', threshold: 0.7 }));
    client.send(detect({ type: 'server_vad', silence_duration_ms: 300 }));
    await clock.advance(0);
    expect(current()).toMatchObject({ threshold: 0.7, silence_duration_ms: 300, prefix_padding_ms: 300 });
    client.send(detect({ type: 'semantic_vad', eagerness: 'low' }));
    await clock.advance(0);
    expect(current()).toEqual({
      type: 'semantic_vad',
      eagerness: 'low',
      create_response: true,
      interrupt_response: true,
    });
    client.send(detect(null));
    await clock.advance(0);
    expect(current()).toBeNull();
    client.send(detect({ type: 'server_vad' }));
    await clock.advance(0);
    expect(current()).toMatchObject({ threshold: 0.5, silence_duration_ms: 500 });
  });

  test('sets, changes and removes noise reduction and transcription', async () => {
    const { clock, client } = await connect();
    const input = (fields: object): object => realtime({ audio: { input: fields } });
    const current = (): { noise_reduction: unknown; transcription: unknown } =>
      client.last('session.updated').session.audio.input;
    client.send(
      input({ noise_reduction: { type: 'near_field', strength: 0.5 }, transcription: { model: 'm' } }),
    );
    client.send(input({ noise_reduction: { type: 'far_field' } }));
    await clock.advance(0);
    expect(current().noise_reduction).toEqual({ type: 'far_field', strength: 0.5 });
    expect(current().transcription).toEqual({ model: 'm', language: null, prompt: null });
    client.send(input({ noise_reduction: null, transcription: null }));
    await clock.advance(0);
    expect([current().noise_reduction, current().transcription]).toEqual([null, null]);
  });

  test('with empty instructions brings the default ones back', async () => {
    const { clock, client } = await connect();
    client.send(realtime({ instructions: 'Be brief.' }));
    client.send(realtime({ instructions: '' }));
    await clock.advance(0);
    expect(client.last('session.updated').session.instructions).toBe(
      client.last('session.created').session.instructions,
    );
  });

  test('takes every field that the service knows', async () => {
    const { clock, client } = await connect();
    client.send(
      realtime({
        model: 'gpt-realtime-2.1',
        output_modalities: ['text'],
        tools: [
          { type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object' } },
          { type: 'mcp', server_label: 'docs', server_url: 'https://example.test' },
        ],
        tool_choice: { type: 'function', name: 'look' },
        max_output_tokens: 4_096,
        parallel_tool_calls: true,
        reasoning: { effort: 'low' },
        truncation: {
          type: 'retention_ratio',
          retention_ratio: 0.8,
          token_limits: { post_instructions: 8_000 },
        },
        tracing: { workflow_name: 'calls' },
        prompt: { id: 'pmpt_1', variables: { name: 'x' } },
        include: ['item.input_audio_transcription.logprobs'],
        audio: {
          input: {
            format: { type: 'audio/pcma' },
            transcription: { model: 'gpt-realtime-whisper', language: 'en', delay: 'low' },
          },
          output: { format: { type: 'audio/pcm' }, voice: { id: 'voice_1' } },
        },
      }),
    );
    await clock.advance(0);
    expect(client.errors).toEqual([]);
    expect(client.last('session.updated').session.audio.output).toEqual({
      format: { type: 'audio/pcm', rate: 24_000 },
      voice: { id: 'voice_1' },
      speed: 1,
    });
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('without its type is refused with the missing parameter', async () => {
    const { clock, client } = await connect();
    client.send(update({ instructions: 'x', modalities: ['text'] }));
    await clock.advance(0);
    expect(client.errors).toEqual([
      {
        type: 'invalid_request_error',
        code: 'missing_required_parameter',
        message: "Missing required parameter: 'session.type'.",
        param: 'session.type',
        event_id: 'cfg',
      },
    ]);
  });

  test('with an unknown field is refused with its name', async () => {
    const { clock, client } = await connect();
    client.send(realtime({ modalities: ['text'] }));
    await clock.advance(0);
    expect(client.errors).toEqual([
      {
        type: 'invalid_request_error',
        code: 'unknown_parameter',
        message: "Unknown parameter: 'session.modalities'.",
        param: 'session.modalities',
        event_id: 'cfg',
      },
    ]);
  });

  test.each([
    [{ temperature: 0.8 }, 'unknown_parameter', 'session.temperature'],
    [{ model: 'gpt-realtime' }, 'invalid_value', 'session.model'],
    [{ output_modalities: ['audio', 'text'] }, 'invalid_value', 'session.output_modalities'],
    [{ output_modalities: [] }, 'invalid_value', 'session.output_modalities'],
    [{ max_output_tokens: 5_000 }, 'invalid_value', 'session.max_output_tokens'],
    [{ tool_choice: 'sometimes' }, 'invalid_value', 'session.tool_choice'],
    [{ tools: [{ type: 'function' }] }, 'missing_required_parameter', 'session.tools[0].name'],
    [{ instructions: 7 }, 'invalid_value', 'session.instructions'],
    [
      { audio: { input: { format: { type: 'audio/pcmu', rate: 8_000 } } } },
      'unknown_parameter',
      'session.audio.input.format.rate',
    ],
    [
      { audio: { input: { format: { type: 'g711_ulaw' } } } },
      'invalid_value',
      'session.audio.input.format.type',
    ],
    [
      { audio: { input: { format: { type: 'audio/pcm', rate: 16_000 } } } },
      'invalid_value',
      'session.audio.input.format.rate',
    ],
    [{ audio: { output: { speed: 2 } } }, 'invalid_value', 'session.audio.output.speed'],
    [
      { audio: { input: { turn_detection: { type: 'server_vad', threshold: 1.5 } } } },
      'invalid_value',
      'session.audio.input.turn_detection.threshold',
    ],
    [
      { audio: { input: { turn_detection: { type: 'server_vad', idle_timeout_ms: 100 } } } },
      'invalid_value',
      'session.audio.input.turn_detection.idle_timeout_ms',
    ],
    [
      { audio: { input: { turn_detection: { type: 'semantic_vad', threshold: 0.5 } } } },
      'unknown_parameter',
      'session.audio.input.turn_detection.threshold',
    ],
    [
      { audio: { input: { turn_detection: {} } } },
      'missing_required_parameter',
      'session.audio.input.turn_detection.type',
    ],
    [
      { audio: { input: { transcription: {} } } },
      'missing_required_parameter',
      'session.audio.input.transcription.model',
    ],
  ])('is refused whole with %j', async (fields, code, param) => {
    const { clock, client, session } = await connect();
    const before = structuredClone(session.settings);
    client.send(realtime({ instructions: 'Half of it is fine.', ...fields }));
    await clock.advance(0);
    expect(client.errors).toMatchObject([{ type: 'invalid_request_error', code, param, event_id: 'cfg' }]);
    expect(session.settings).toEqual(before);
    expect(client.of('session.updated')).toEqual([]);
  });

  test('of a transcription session is refused', async () => {
    const { clock, client } = await connect();
    client.send(update({ type: 'transcription' }));
    client.send(update({ type: 'other' }));
    await clock.advance(0);
    expect(client.errors.map(({ message }) => message)).toEqual([
      'Passing a transcription session update event to a realtime session is not allowed.',
      "Invalid value: 'other'. Supported values are: 'realtime'.",
    ]);
  });

  test('of the voice is refused with all else in it once the model has spoken', async () => {
    const { clock, client } = await connectPhone();
    const speakAs = realtime({ instructions: 'New.', audio: { output: { voice: 'cedar' } } });
    client.send(speakAs);
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    client.send(speakAs);
    await clock.advance(0);
    expect(client.of('session.updated')).toHaveLength(2);
    expect(client.errors).toEqual([
      {
        type: 'invalid_request_error',
        code: 'cannot_update_voice',
        message: "Cannot update a conversation's voice if assistant audio is present.",
        param: null,
        event_id: 'cfg',
      },
    ]);
  });

  test('of the voice is taken while the model has only been asked to speak', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    client.send(realtime({ audio: { output: { voice: 'cedar' } } }));
    await clock.advance(0);
    expect(client.errors).toEqual([]);
  });
});
