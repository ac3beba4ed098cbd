import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readServerEvent } from '../../../src/adapters/openai/server-events.ts';
import { audioOf, openSession, startSession } from './started-session.ts';

const refusedKinds = ({ entries }: { entries: { type: string }[] }) =>
  entries.flatMap((entry) => (entry.type === 'input.refused' && 'kind' in entry ? [entry.kind] : []));

describe('a message that cannot be read', () => {
  it('is refused once per kind and session, and the session goes on', () => {
    const { service, ear, session } = openSession({}, { limits: { messageCharacters: 1_000 } });
    for (let time = 0; time < 3; time++) {
      service.sayRaw('{"type":');
      service.sayRaw(new Uint8Array([1, 2, 3]));
      service.sayRaw(JSON.stringify({ type: 'response.output_text.delta', delta: 'x'.repeat(1_000) }));
    }
    expect(ear.entries).toEqual([
      { type: 'input.refused', peer: 'model', kind: 'malformed' },
      { type: 'input.refused', peer: 'model', kind: 'binary' },
      { type: 'input.refused', peer: 'model', kind: 'oversized' },
    ]);
    session.createReply(null);
    service.startReply();
    expect(ear.order.at(-1)).toBe('reply.started');
  });

  it('does not keep a session from opening', () => {
    const { service, ear } = startSession();
    service.accept();
    service.sayRaw('nonsense');
    service.sayCreated();
    service.sayRaw('[]');
    service.confirmSettings();
    expect(ear.order).toEqual(['input.refused', 'model.opened']);
  });

  const malformed: object[] = [
    { type: 'session.created', session: { id: '' } },
    { type: 'session.updated' },
    { type: 'error', error: 'text' },
    { type: 'input_audio_buffer.speech_started' },
    { type: 'input_audio_buffer.speech_stopped', item_id: 7 },
    { type: 'conversation.item.added', item: {} },
    { type: 'conversation.item.input_audio_transcription.completed', item_id: 'i', transcript: null },
    { type: 'response.created', response: { id: 'x'.repeat(201) } },
    { type: 'response.done', response: {} },
    { type: 'response.output_item.done', item: {} },
    { type: 'response.output_audio.delta', response_id: 'r', item_id: 'i' },
    { type: 'response.output_audio.delta', response_id: 'r', item_id: '', delta: '' },
    { type: 'response.output_audio.done', response_id: 'r' },
    { type: 'response.output_audio_transcript.done', response_id: 'r', item_id: 'i' },
    { type: 7 },
    { type: ['response.output_audio.delta'] },
    {},
  ];

  it.each(malformed.map((event) => JSON.stringify(event)))('is %s', (text) => {
    expect(readServerEvent(text)).toBe('malformed');
  });

  it.each(['', 'null', '3', '"text"', '[1]', '{"type":'])('is the text %j', (text) => {
    expect(readServerEvent(text)).toBe('malformed');
  });
});

describe('an event that is not known', () => {
  it.each(['response.telepathy.delta', 'constructor', '__proto__'])('is counted and ignored: %s', (type) => {
    const { service, ear, oddities } = openSession();
    service.sayRaw(`{"type":"${type}","event_id":"event_1"}`);
    expect(ear.heard).toEqual([]);
    expect(oddities).toEqual(['unknownEvent']);
  });

  it('is not one of the protocol from which nothing follows', () => {
    const { service, ear, oddities } = openSession();
    service.say({ type: 'rate_limits.updated', rate_limits: [] });
    service.say({ type: 'conversation.item.truncated', item_id: 'item_A' });
    expect(ear.heard).toEqual([]);
    expect(oddities).toEqual([]);
  });
});

describe('a message that is delivered twice', () => {
  it('is heard once where it names itself', () => {
    const { service, ear } = openSession();
    const event = { type: 'input_audio_buffer.speech_started', item_id: 'item_U', event_id: 'event_1' };
    service.say(event);
    service.say(event);
    service.say({ ...event, event_id: 'event_2' });
    expect(ear.order).toEqual(['caller.startedSpeaking', 'caller.startedSpeaking']);
  });

  it('may be two messages where it does not', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.sayAudio(audioOf(20));
    service.sayAudio(audioOf(20));
    expect(ear.order).toEqual(['reply.started', 'audio', 'audio']);
  });
});

describe('caller audio', () => {
  it('is one message of just that audio', () => {
    const { service, session } = openSession();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 1_000 }), (bytes) => {
        const audio = Buffer.from(bytes);
        session.appendAudio(audio);
        expect(JSON.parse(service.texts.at(-1) ?? '')).toEqual({
          type: 'input_audio_buffer.append',
          audio: audio.toString('base64'),
        });
      }),
    );
  });
});

describe('whatever a service sends (I10)', () => {
  const types = [
    'session.created',
    'session.updated',
    'error',
    'conversation.item.added',
    'conversation.item.input_audio_transcription.completed',
    'input_audio_buffer.speech_started',
    'response.created',
    'response.done',
    'response.output_item.done',
    'response.output_audio.delta',
    'response.output_audio_transcript.delta',
    'response.output_audio_transcript.done',
  ];
  const names = [
    'response',
    'session',
    'item',
    'error',
    'id',
    'item_id',
    'response_id',
    'delta',
    'transcript',
  ];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('resp_1', 'item_A', 'completed', 'function_call', 'get_weather', ''),
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom(...names, 'status', 'output', 'usage', 'code'), tie('any')),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  })).any;
  const nearlyAnEvent = fc
    .tuple(fc.constantFrom(...types), fc.dictionary(fc.constantFrom(...names), value))
    .map(([type, fields]) => JSON.stringify({ ...fields, type }));
  const anyMessage = fc.oneof(
    fc.string(),
    fc.uint8Array(),
    fc.json(),
    nearlyAnEvent,
    nearlyAnEvent.chain((text) => fc.nat(text.length).map((length) => text.slice(0, length))),
  );

  it('throws nothing, and every signal is a valid entry; only the session itself may end', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 30 }), fc.boolean(), (messages, isOpen) => {
        const started = isOpen ? openSession() : startSession();
        const other = openSession();
        if (!isOpen) started.service.accept();
        for (const message of messages) started.service.sayRaw(message);
        expect(started.ear.entriesOf('model.closed').length).toBeLessThanOrEqual(1);
        expect(new Set(refusedKinds(started.ear)).size).toBe(refusedKinds(started.ear).length);
        started.session.close();
        expect(started.ear.order.at(-1)).toBe('model.closed');
        expect(started.ear.entriesOf('model.closed')).toHaveLength(1);
        expect(other.ear.heard).toEqual([]);
        other.session.createReply(null);
        expect(other.service.sentTypes).toEqual(['response.create']);
      }),
      { numRuns: 300 },
    );
  });
});
