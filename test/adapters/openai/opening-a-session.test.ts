import { describe, expect, it } from 'vitest';
import { createOpenAiModel } from '../../../src/adapters/openai/model.ts';
import type { HistoryItem } from '../../../src/runtime/ports/model.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import type { RealtimeSession } from '../../support/realtime-message.ts';
import { FakeService } from './fake-service.ts';
import { apiKey, audioOf, openSession, plainRequest, startSession } from './started-session.ts';

describe('connecting', () => {
  it('asks for the model by the address and shows the key in the header alone', () => {
    const { service } = startSession();
    expect(service.requests).toEqual([
      {
        url: 'wss://service.test/v1/realtime?model=gpt-realtime-2.1',
        headers: { Authorization: `Bearer ${apiKey}` },
        handshakeTimeoutMs: 10_000,
        maxMessageBytes: 4_194_304,
      },
    ]);
  });

  it('names the caller by the hash that it is given', () => {
    const { service } = startSession({ safetyIdentifier: 'c2hhMjU2' });
    expect(service.requests[0]?.headers).toEqual({
      Authorization: `Bearer ${apiKey}`,
      'OpenAI-Safety-Identifier': 'c2hhMjU2',
    });
  });

  it('refuses an address that is none when it is created', () => {
    const options = { model: 'm', apiKey, clock: new VirtualClock(), random: Math.random };
    const { openSocket } = new FakeService();
    expect(() => createOpenAiModel({ ...options, openSocket, url: 'not an address' })).toThrow(
      expect.objectContaining({ code: 'configuration.invalid' }),
    );
  });

  it('waits for session.created, however long the socket is open', () => {
    const { service } = startSession();
    service.accept();
    service.say({ type: 'session.updated', session: {} });
    expect(service.texts).toEqual([]);
  });
});

describe('the settings', () => {
  it('are all explicit: mu-law both ways, the voice, the turn detection, the transcription and the tools', () => {
    const { service } = startSession();
    service.accept();
    service.sayCreated();
    expect(service.sent).toEqual([
      {
        type: 'session.update',
        session: {
          type: 'realtime',
          output_modalities: ['audio'],
          instructions: 'You answer the phone.',
          audio: {
            input: {
              format: { type: 'audio/pcmu' },
              transcription: { model: 'gpt-realtime-whisper', language: 'en' },
              turn_detection: {
                type: 'server_vad',
                threshold: 0.6,
                prefix_padding_ms: 250,
                silence_duration_ms: 420,
                idle_timeout_ms: null,
                create_response: true,
                interrupt_response: true,
              },
            },
            output: { format: { type: 'audio/pcmu' }, voice: 'marin' },
          },
          tools: [
            {
              type: 'function',
              name: 'get_weather',
              description: 'Look up the weather.',
              parameters: { type: 'object', properties: { city: { type: 'string' } } },
            },
            {
              type: 'function',
              name: 'book_table',
              description: 'Look up the weather.',
              parameters: { type: 'object', properties: { city: { type: 'string' } } },
            },
          ],
          tool_choice: 'auto',
        },
      },
    ]);
  });

  it('leave the language out where none is expected, and carry semantic turn detection', () => {
    const { service } = startSession({
      transcription: { model: 'gpt-transcribe', language: null },
      turnDetection: { type: 'semantic_vad', eagerness: 'low' },
    });
    service.accept();
    service.sayCreated();
    expect(service.sent[0]?.session.audio.input).toEqual({
      format: { type: 'audio/pcmu' },
      transcription: { model: 'gpt-transcribe' },
      turn_detection: {
        type: 'semantic_vad',
        eagerness: 'low',
        create_response: true,
        interrupt_response: true,
      },
    });
  });
});

describe('model.opened (L2)', () => {
  it('comes once the settings are confirmed, with the session and its end in milliseconds', () => {
    const { service, ear } = startSession();
    service.accept();
    service.sayCreated();
    expect(ear.entries).toEqual([]);
    service.confirmSettings();
    expect(ear.entries).toEqual([
      { type: 'model.opened', generation: 3, sessionId: 'sess_1', expiresAt: 1_785_460_927_000 },
    ]);
  });

  it('comes once, whatever is confirmed again', () => {
    const { service, ear } = startSession();
    service.letIn();
    service.say({ type: 'session.created', session: { id: 'sess_2' } });
    service.say({ type: 'session.updated', session: {} });
    expect(ear.order).toEqual(['model.opened']);
  });

  it('says that the end is not known where the service does not name it', () => {
    const { service, ear } = startSession();
    service.accept();
    service.sayCreated({ expires_at: null });
    service.confirmSettings();
    expect(ear.entriesOf('model.opened')[0]?.expiresAt).toBeNull();
  });

  it('says that the end is not known where the service names one that is no time', () => {
    for (const expires_at of [1e308, 1e18, 'soon']) {
      const { service, ear } = startSession();
      service.accept();
      service.sayCreated({ expires_at });
      service.confirmSettings();
      expect(ear.entriesOf('model.opened')[0]?.expiresAt).toBeNull();
    }
  });

  it('takes a stored voice that is echoed as an object', () => {
    const { service, ear } = startSession({ voice: 'voice_12' });
    service.accept();
    service.sayCreated();
    service.confirmSettings((settings) => {
      settings.audio.output.voice = { id: 'voice_12' };
    });
    expect(ear.order).toEqual(['model.opened']);
  });

  it('does not ask semantic turn detection for the silence it waits for', () => {
    const { service, ear } = startSession({ turnDetection: { type: 'semantic_vad', eagerness: 'auto' } });
    service.letIn();
    expect(ear.order).toEqual(['model.opened']);
  });

  const faults: [string, (settings: RealtimeSession) => void][] = [
    ['output_modalities', (settings) => (settings.output_modalities = ['text'])],
    ['audio.input.format', (settings) => (settings.audio.input.format = { type: 'audio/pcm', rate: 24_000 })],
    ['audio.output.format', (settings) => (settings.audio.output.format = { type: 'audio/pcma' })],
    ['audio.output.voice', (settings) => (settings.audio.output.voice = 'alloy')],
    ['turn_detection.type', (settings) => (settings.audio.input.turn_detection = null)],
    [
      'turn_detection.silence_duration_ms',
      (settings) => (settings.audio.input.turn_detection!.silence_duration_ms = 200),
    ],
    [
      'turn_detection.create_response',
      (settings) => (settings.audio.input.turn_detection!.create_response = false),
    ],
    [
      'turn_detection.interrupt_response',
      (settings) => (settings.audio.input.turn_detection!.interrupt_response = false),
    ],
    ['tools', (settings) => settings.tools.pop()],
    ['output_modalities', (settings) => delete settings.output_modalities],
  ];

  it.each(faults)(
    'does not come while %s is not as asked; the session then ends and says so',
    async (name, spoil) => {
      const { clock, service, ear } = startSession();
      service.accept();
      service.sayCreated();
      service.confirmSettings(spoil);
      await clock.advance(4_999);
      expect(ear.entries).toEqual([]);
      await clock.advance(1);
      expect(ear.entries).toEqual([
        {
          type: 'model.closed',
          generation: 3,
          code: null,
          cause: `settings.unconfirmed: ${name}`,
          reaction: 'retry',
          retryAfterMs: null,
          jitter: 0.25,
        },
      ]);
      expect(service.closedWith).toBe(1000);
    },
  );
});

describe('the time that opening may take', () => {
  const closedBecause = (cause: string) => [
    expect.objectContaining({ type: 'model.closed', code: null, cause, reaction: 'retry' }),
  ];

  it('is 10 s for the handshake', async () => {
    const { clock, service, ear } = startSession();
    await clock.advance(9_999);
    expect(ear.entries).toEqual([]);
    await clock.advance(1);
    expect(ear.entries).toEqual(closedBecause('handshake.timeout'));
    expect(service.isGivenUp).toBe(true);
  });

  it('is 10 s more for session.created', async () => {
    const { clock, service, ear } = startSession();
    await clock.advance(9_000);
    service.accept();
    await clock.advance(9_999);
    expect(ear.entries).toEqual([]);
    await clock.advance(1);
    expect(ear.entries).toEqual(closedBecause('session.created.timeout'));
    expect(service.closedWith).toBe(1000);
  });

  it('is 5 s more for the settings', async () => {
    const { clock, service, ear } = startSession();
    service.accept();
    await clock.advance(9_000);
    service.sayCreated();
    await clock.advance(5_000);
    expect(ear.entries).toEqual(closedBecause('settings.unconfirmed: unanswered'));
  });

  it('no longer matters once the session is open', async () => {
    const { clock, ear } = openSession();
    await clock.advance(60_000);
    expect(ear.entries).toEqual([]);
  });
});

describe('what is asked before the session is open', () => {
  it('drops audio', () => {
    const { service, session } = startSession();
    session.appendAudio(Buffer.alloc(3, 0x55));
    service.accept();
    service.sayCreated();
    session.appendAudio(Buffer.alloc(3, 0x55));
    service.confirmSettings();
    expect(service.sentOfType('input_audio_buffer.append')).toEqual([]);
  });

  it('holds a request for a reply until it is open', () => {
    const { service, session } = startSession();
    session.createReply(null);
    service.accept();
    service.sayCreated();
    expect(service.sentTypes).toEqual(['session.update']);
    service.confirmSettings();
    expect(service.sentTypes).toEqual(['session.update', 'response.create']);
  });

  it('holds tool results, the newest 32 of them, and sends them before any request for a reply', () => {
    const { service, session, oddities } = startSession();
    session.createReply(null);
    for (let index = 0; index < 33; index++) session.sendToolResult(`call_${index}`, 'done');
    service.letIn();
    const items = service.sentOfType('conversation.item.create');
    expect(items).toHaveLength(32);
    expect(items[0]?.item.content[0].text).toContain('call_1:');
    expect(service.sentTypes.at(-1)).toBe('response.create');
    expect(oddities).toEqual(['bound']);
  });

  it('holds what it is told of the time before it, in its place among the tool results', () => {
    const { service, session } = startSession();
    const says = (text: string): HistoryItem => ({ kind: 'speech', role: 'agent', text });
    session.remember(says('We close at six.'), 0);
    session.sendToolResult('call_1', 'done');
    service.letIn();
    session.remember(says('Goodbye.'), 1);
    const events = service.sentOfType('conversation.item.create');
    expect(events[0]).toEqual({
      type: 'conversation.item.create',
      previous_item_id: 'root',
      item: {
        id: 'added_0',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'We close at six.' }],
      },
    });
    expect(events[1]?.item.content[0].text).toContain('call_1:');
    expect(events[2]).toMatchObject({ previous_item_id: 'added_0', item: { id: 'added_1' } });
  });

  it('lets a listener speak as soon as it hears of the open session', () => {
    const started = startSession();
    started.ear.react = (entry) => {
      if (entry.type !== 'model.opened') return;
      started.session.appendAudio(Buffer.from(audioOf(20)));
      started.session.createReply('Greet the caller.');
    };
    started.service.letIn();
    expect(started.service.sentTypes).toEqual([
      'session.update',
      'input_audio_buffer.append',
      'response.create',
    ]);
  });
});

describe('an error while the session is being opened', () => {
  const bugs = ['invalid_value', 'missing_required_parameter', 'unknown_parameter', 'invalid_event'];

  it.each(bugs)('gives up on %s: the same settings would be refused again', (code) => {
    const { service, ear, oddities } = startSession();
    service.accept();
    service.sayCreated();
    service.sayError({ code, event_id: null });
    expect(ear.entries).toEqual([
      expect.objectContaining({ type: 'model.closed', code: null, cause: code, reaction: 'giveUp' }),
    ]);
    expect(service.closedWith).toBe(1000);
    expect(oddities).toEqual(['refusedMessage']);
  });

  it('goes on after one that it does not know', () => {
    const { service, ear, oddities } = startSession();
    service.accept();
    service.sayError({ code: 'news_of_next_year' });
    service.sayCreated();
    service.confirmSettings();
    expect(ear.order).toEqual(['model.opened']);
    expect(oddities).toEqual(['ignoredError']);
  });
});

it('keeps each session to its own request', () => {
  const { service } = startSession({ ...plainRequest, instructions: 'Another one.', tools: [] });
  service.accept();
  service.sayCreated();
  expect(service.sent[0]?.session).toMatchObject({ instructions: 'Another one.', tools: [] });
});
