import { describe, expect, it } from 'vitest';
import { audioOf, openSession } from './started-session.ts';

/** A whole spoken turn in the order in which the live service sends it (OpenAI Realtime, server events). */
function sayTurn(say: (event: object) => void): void {
  const audio = (value: number) => Buffer.from(audioOf(250, value)).toString('base64');
  const place = { response_id: 'resp_1', item_id: 'item_A', output_index: 0, content_index: 0 };
  const caller = { id: 'item_U', type: 'message', status: 'completed', role: 'user', content: [] };
  const agent = { id: 'item_A', type: 'message', status: 'in_progress', role: 'assistant', content: [] };
  const transcript = 'Hello, Marcelo! Great to meet you.';
  const response = { object: 'realtime.response', id: 'resp_1', conversation_id: 'conv_1', metadata: null };
  const events: object[] = [
    { type: 'input_audio_buffer.speech_started', audio_start_ms: 1460, item_id: 'item_U' },
    { type: 'input_audio_buffer.speech_stopped', audio_end_ms: 4256, item_id: 'item_U' },
    { type: 'input_audio_buffer.committed', previous_item_id: null, item_id: 'item_U' },
    { type: 'conversation.item.added', previous_item_id: null, item: caller },
    { type: 'conversation.item.done', previous_item_id: null, item: caller },
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null } },
    {
      type: 'conversation.item.input_audio_transcription.delta',
      item_id: 'item_U',
      content_index: 0,
      delta: ' Hello',
      obfuscation: 'sOu3zwViFH',
    },
    { type: 'response.output_item.added', response_id: 'resp_1', output_index: 0, item: agent },
    { type: 'conversation.item.added', previous_item_id: 'item_U', item: agent },
    { type: 'response.content_part.added', ...place, part: { type: 'audio', transcript: '' } },
    { type: 'response.output_audio_transcript.delta', ...place, delta: 'Hello', obfuscation: 'kX1y' },
    { type: 'response.output_audio.delta', ...place, delta: audio(1) },
    { type: 'response.output_audio.delta', ...place, delta: audio(2) },
    {
      type: 'conversation.item.input_audio_transcription.completed',
      item_id: 'item_U',
      content_index: 0,
      transcript: 'Hello, my name is Marcelo.',
      usage: { type: 'duration', seconds: 3 },
    },
    { type: 'response.output_audio.done', ...place },
    { type: 'response.output_audio_transcript.done', ...place, transcript },
    { type: 'response.content_part.done', ...place, part: { type: 'audio', transcript } },
    { type: 'conversation.item.done', previous_item_id: null, item: { ...agent, status: 'completed' } },
    { type: 'response.output_item.done', response_id: 'resp_1', output_index: 0, item: agent },
    {
      type: 'response.done',
      response: {
        ...response,
        status: 'completed',
        status_details: null,
        output: [{ ...agent, status: 'completed' }],
        usage: {
          total_tokens: 205,
          input_tokens: 41,
          output_tokens: 164,
          input_token_details: {
            text_tokens: 14,
            audio_tokens: 27,
            image_tokens: 0,
            cached_tokens: 5,
            cached_tokens_details: { text_tokens: 5, audio_tokens: 0, image_tokens: 0 },
          },
          output_token_details: { text_tokens: 28, audio_tokens: 136, reasoning_tokens: 0 },
        },
      },
    },
    {
      type: 'rate_limits.updated',
      rate_limits: [{ name: 'tokens', limit: 1, remaining: 1, reset_seconds: 1 }],
    },
  ];
  events.forEach((event, index) => {
    say({ event_id: `event_${index}`, ...event });
  });
}

describe('a spoken turn', () => {
  it('is heard in the order in which the service tells it', () => {
    const { service, ear } = openSession();
    sayTurn((event) => service.say(event));
    expect(ear.heard).toContainEqual({ heard: 'turnEnded', itemId: 'item_U', audioMs: 4256 });
    expect(ear.order).toEqual([
      'caller.startedSpeaking',
      'turnEnded',
      'caller.stoppedSpeaking',
      'reply.started',
      'audio',
      'audio',
      'caller.transcribed',
      'itemEnded',
      'reply.transcribed',
      'replyEnded',
      'reply.finished',
    ]);
  });

  it('is told with ids, the silence of the turn detection, tokens, and the words as payloads', () => {
    const { service, ear } = openSession();
    sayTurn((event) => service.say(event));
    expect(ear.signals).toEqual([
      { entry: { type: 'caller.startedSpeaking', itemId: 'item_U' } },
      { entry: { type: 'caller.stoppedSpeaking', itemId: 'item_U', silenceMs: 420 } },
      { entry: { type: 'reply.started', replyId: 'resp_1' } },
      {
        entry: { type: 'caller.transcribed', itemId: 'item_U', transcript: { bytes: 26 } },
        payloads: { transcript: 'Hello, my name is Marcelo.' },
      },
      {
        entry: { type: 'reply.transcribed', itemId: 'item_A', transcript: { bytes: 34 } },
        payloads: { transcript: 'Hello, Marcelo! Great to meet you.' },
      },
      {
        entry: {
          type: 'reply.finished',
          replyId: 'resp_1',
          status: 'completed',
          cause: null,
          voiced: true,
          toolCalls: 0,
          usage: {
            inputTextTokens: 14,
            inputAudioTokens: 27,
            inputCachedTokens: 5,
            outputTextTokens: 28,
            outputAudioTokens: 136,
          },
        },
      },
    ]);
    expect(ear.heard.flatMap((one) => (one.heard === 'audio' ? [one.audio] : []))).toEqual([
      Buffer.from(audioOf(250, 1)),
      Buffer.from(audioOf(250, 2)),
    ]);
  });

  it('holds nothing that is unknown or out of place', () => {
    const { service, oddities } = openSession();
    sayTurn((event) => service.say(event));
    expect(oddities).toEqual([]);
  });

  it('is heard once where every message is delivered twice', () => {
    const once = openSession();
    sayTurn((event) => once.service.say(event));
    const twice = openSession();
    sayTurn((event) => {
      twice.service.say(event);
      twice.service.say(event);
    });
    expect(twice.ear.heard).toEqual(once.ear.heard);
  });
});

describe('what the caller said', () => {
  it('is not known where the transcription failed or is empty', () => {
    const { service, ear } = openSession();
    const type = 'conversation.item.input_audio_transcription';
    service.say({ type: `${type}.failed`, item_id: 'item_1', error: { code: 'audio_unintelligible' } });
    service.say({ type: `${type}.completed`, item_id: 'item_2', transcript: ' \n' });
    expect(ear.signals).toEqual([
      { entry: { type: 'caller.transcribed', itemId: 'item_1', transcript: null } },
      { entry: { type: 'caller.transcribed', itemId: 'item_2', transcript: null } },
    ]);
  });

  it('ends without a known silence where the turn detection is semantic', () => {
    const { service, ear } = openSession({ turnDetection: { type: 'semantic_vad', eagerness: 'high' } });
    service.say({ type: 'input_audio_buffer.speech_stopped', audio_end_ms: 900, item_id: 'item_U' });
    expect(ear.entriesOf('caller.stoppedSpeaking')[0]?.silenceMs).toBe(0);
  });
});

describe('a reply that is cut off', () => {
  const transcriptDelta = (delta: string, itemId = 'item_A') => ({
    type: 'response.output_audio_transcript.delta',
    response_id: 'resp_1',
    item_id: itemId,
    delta,
  });
  const transcriptDone = (transcript: string) => ({
    type: 'response.output_audio_transcript.done',
    response_id: 'resp_1',
    item_id: 'item_A',
    transcript,
  });

  it('ends its items and is transcribed with what came so far', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.say(transcriptDelta('I think '));
    service.sayAudio(audioOf(100));
    service.say(transcriptDelta('that'));
    service.finishReply('resp_1', {
      status: 'cancelled',
      status_details: { type: 'cancelled', reason: 'turn_detected' },
    });
    expect(ear.order).toEqual([
      'reply.started',
      'audio',
      'reply.transcribed',
      'itemEnded',
      'replyEnded',
      'reply.finished',
    ]);
    expect(ear.payloadsOf('reply.transcribed')).toEqual([{ transcript: 'I think that' }]);
    expect(ear.entriesOf('reply.finished')[0]).toMatchObject({ status: 'cancelled', cause: 'turn_detected' });
  });

  it('is transcribed as far as it has come, twice a second: another process may have to go on with it', async () => {
    const { clock, service, ear } = openSession();
    await clock.advance(1_000);
    service.startReply();
    service.say(transcriptDelta('I '));
    service.sayAudio(audioOf(100));
    service.say(transcriptDelta('think '));
    service.say(transcriptDelta('that '));
    await clock.advance(499);
    service.say(transcriptDelta('it '));
    await clock.advance(1);
    service.say(transcriptDelta('is '));
    service.say(transcriptDone('I think that it is so'));
    expect(ear.payloadsOf('reply.transcribed')).toEqual([
      { transcript: 'I think ' },
      { transcript: 'I think that it is ' },
      { transcript: 'I think that it is so' },
    ]);
  });

  it('is transcribed to its end once', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.sayAudio(audioOf(100));
    service.say(transcriptDone('I think'));
    service.say(transcriptDelta(' twice'));
    service.say(transcriptDone('I think twice'));
    service.finishReply('resp_1', { status: 'cancelled' });
    expect(ear.payloadsOf('reply.transcribed')).toEqual([{ transcript: 'I think' }]);
  });

  it('has no transcript of an item without audio, and none where no word came', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.say(transcriptDelta('unheard', 'item_B'));
    service.sayAudio(audioOf(100));
    service.finishReply('resp_1', { status: 'cancelled' });
    expect(ear.order).toEqual(['reply.started', 'audio', 'itemEnded', 'replyEnded', 'reply.finished']);
  });

  it('keeps a transcript within its bound', () => {
    const { service, ear } = openSession({}, { limits: { transcriptCharacters: 10 } });
    service.startReply();
    service.sayAudio(audioOf(100));
    service.say(transcriptDelta('12345678'));
    service.say(transcriptDelta('90abc'));
    service.finishReply('resp_1', { status: 'cancelled' });
    expect(ear.payloadsOf('reply.transcribed')).toEqual([{ transcript: '1234567890' }]);
  });
});

describe('the end of a reply', () => {
  const finishedWith = (response: Record<string, unknown>) => {
    const { service, ear } = openSession();
    service.startReply();
    service.finishReply('resp_1', response);
    return ear.entriesOf('reply.finished')[0];
  };

  it('tells why it failed by the code of the error', () => {
    const error = { type: 'server_error', code: 'rate_limit_exceeded', message: 'Rate limit reached' };
    expect(finishedWith({ status: 'failed', status_details: { type: 'failed', error } })).toMatchObject({
      status: 'failed',
      cause: 'rate_limit_exceeded',
      voiced: false,
      usage: null,
    });
  });

  it('tells why it failed by the type of the error where it has no code', () => {
    const error = { type: 'server_error', code: null, message: 'The server had an error' };
    expect(finishedWith({ status: 'failed', status_details: { error } })?.cause).toBe('server_error');
  });

  it('tells why it is incomplete', () => {
    const status_details = { type: 'incomplete', reason: 'max_output_tokens' };
    expect(finishedWith({ status: 'incomplete', status_details })?.cause).toBe('max_output_tokens');
  });

  it('does not repeat what is no plain word', () => {
    const error = { type: 'Key sk-123', code: 'Incorrect key: sk-123' };
    expect(finishedWith({ status: 'failed', status_details: { error } })?.cause).toBe('unnamed');
    expect(finishedWith({ status: 'failed', status_details: null })?.cause).toBeNull();
  });

  it('counts as failed where its status is of another kind', () => {
    expect(finishedWith({ status: 'something' })?.status).toBe('failed');
  });

  it('has no usage where the figures are missing, and zeros for those that are none', () => {
    expect(finishedWith({ usage: { total_tokens: 3 } })?.usage).toBeNull();
    expect(finishedWith({ usage: undefined })?.usage).toBeNull();
    const details = { text_tokens: 'x', audio_tokens: -1, cached_tokens: 1.5 };
    expect(
      finishedWith({ usage: { input_token_details: details, output_token_details: details } })?.usage,
    ).toEqual({
      inputTextTokens: 0,
      inputAudioTokens: 0,
      inputCachedTokens: 0,
      outputTextTokens: 0,
      outputAudioTokens: 0,
    });
  });

  it('is told once, and nothing of the reply is heard after it', () => {
    const { service, ear, oddities } = openSession();
    service.startReply();
    service.sayAudio(audioOf(20));
    service.finishReply();
    const heard = ear.order.length;
    service.finishReply();
    service.sayAudio(audioOf(20));
    expect(ear.order).toHaveLength(heard);
    expect(oddities).toEqual(['strayEvent', 'strayEvent']);
  });
});

describe('items of a reply', () => {
  it('are kept apart where their events are mixed', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.sayAudio(audioOf(20), 'resp_1', 'item_A');
    service.sayAudio(audioOf(20), 'resp_1', 'item_B');
    service.say({ type: 'response.output_audio.done', response_id: 'resp_1', item_id: 'item_B' });
    service.sayAudio(audioOf(20), 'resp_1', 'item_A');
    service.say({ type: 'response.output_audio.done', response_id: 'resp_1', item_id: 'item_A' });
    expect(ear.heard.flatMap((one) => ('itemId' in one ? [`${one.heard} ${one.itemId}`] : []))).toEqual([
      'audio item_A',
      'audio item_B',
      'itemEnded item_B',
      'audio item_A',
      'itemEnded item_A',
    ]);
  });

  it('end once, and have no audio after their end', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.sayAudio(audioOf(20));
    service.say({ type: 'response.output_audio.done', response_id: 'resp_1', item_id: 'item_A' });
    service.say({ type: 'response.output_audio.done', response_id: 'resp_1', item_id: 'item_A' });
    service.sayAudio(audioOf(20));
    expect(ear.order).toEqual(['reply.started', 'audio', 'itemEnded']);
  });

  it('do not end where they had no audio, and empty audio is none', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.sayAudio(audioOf(0));
    service.say({ type: 'response.output_audio.done', response_id: 'resp_1', item_id: 'item_A' });
    service.finishReply();
    expect(ear.order).toEqual(['reply.started', 'replyEnded', 'reply.finished']);
    expect(ear.entriesOf('reply.finished')[0]?.voiced).toBe(false);
  });

  it('belong to one reply', () => {
    const { service, ear, oddities } = openSession();
    service.startReply('resp_1');
    service.sayAudio(audioOf(20), 'resp_1', 'item_A');
    service.startReply('resp_2');
    service.sayAudio(audioOf(20), 'resp_2', 'item_A');
    expect(ear.order).toEqual(['reply.started', 'audio', 'reply.started']);
    expect(oddities).toEqual(['strayEvent']);
  });

  it('are forgotten, the oldest first, beyond the bound', () => {
    const { service, session, oddities } = openSession({}, { limits: { replyItems: 2 } });
    service.startReply();
    for (const itemId of ['item_A', 'item_B', 'item_C']) service.sayAudio(audioOf(100), 'resp_1', itemId);
    for (const itemId of ['item_A', 'item_B', 'item_C']) session.truncate(itemId, 50);
    expect(service.sent.map(({ item_id }) => item_id)).toEqual(['item_B', 'item_C']);
    expect(oddities).toEqual(['bound']);
  });
});

describe('replies outside the conversation', () => {
  it('are not heard, whatever they do', () => {
    const { service, ear, session } = openSession();
    service.startReply('resp_o', { conversation_id: null });
    service.sayAudio(audioOf(20), 'resp_o', 'item_O');
    service.say({
      type: 'response.output_item.done',
      response_id: 'resp_o',
      item: {
        type: 'function_call',
        status: 'completed',
        call_id: 'c',
        name: 'get_weather',
        arguments: '{}',
      },
    });
    service.finishReply('resp_o', { conversation_id: null });
    expect(ear.heard).toEqual([]);
    session.createReply(null);
    expect(service.sentTypes).toEqual(['response.create']);
  });

  it('do not hold up a request, and do not let one go', () => {
    const { service, session } = openSession();
    service.startReply('resp_1');
    session.createReply(null);
    service.startReply('resp_o', { conversation_id: null });
    service.finishReply('resp_o', { conversation_id: null });
    expect(service.sent).toEqual([]);
  });
});

describe('more replies at once than a service has', () => {
  it('are forgotten, the oldest first', () => {
    const { service, ear, oddities } = openSession({}, { limits: { openReplies: 2 } });
    for (const replyId of ['resp_1', 'resp_2', 'resp_3']) service.startReply(replyId);
    for (const replyId of ['resp_1', 'resp_2', 'resp_3']) service.finishReply(replyId);
    expect(ear.entriesOf('reply.finished').map(({ replyId }) => replyId)).toEqual(['resp_2', 'resp_3']);
    expect(oddities).toEqual(['bound', 'strayEvent']);
  });

  it('are one where the service repeats itself', () => {
    const { service, ear, oddities } = openSession();
    service.startReply();
    service.startReply();
    expect(ear.order).toEqual(['reply.started']);
    expect(oddities).toEqual(['strayEvent']);
  });
});
