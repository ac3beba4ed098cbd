import { describe, expect, it } from 'vitest';
import { audioOf, openSession, type Started, startSession } from './started-session.ts';

const closedHere = [
  {
    type: 'model.closed',
    generation: 3,
    code: 1000,
    cause: 'closed here',
    reaction: 'retry',
    retryAfterMs: null,
    jitter: 0.25,
  },
];

/** Everything that a session offers, after its end. */
const useAll = ({ session }: Started): void => {
  session.appendAudio(Buffer.alloc(3, 0x55));
  session.createReply('more');
  session.cancelReply();
  session.truncate('item_A', 10);
  session.sendToolResult('call_1', 'done');
  session.close();
};

describe('closing from here', () => {
  it('gives up a socket that is still being opened', async () => {
    const { clock, service, ear, session } = startSession();
    session.close();
    session.close();
    expect(service.isGivenUp).toBe(true);
    expect(ear.entries).toEqual(closedHere);
    await clock.advance(60_000);
    expect(ear.entries).toEqual(closedHere);
    expect(clock.pendingTimers).toBe(0);
  });

  it('shakes hands, and signals the end at once and once', () => {
    const { clock, service, ear, session } = openSession();
    session.close();
    expect(service.closedWith).toBe(1000);
    expect(ear.entries).toEqual(closedHere);
    service.close(1000);
    session.close();
    expect(ear.entries).toEqual(closedHere);
    expect(service.isTerminated).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('drops a socket whose far side takes over 1 s to shake hands', async () => {
    const { clock, service, ear, session } = openSession();
    session.close();
    await clock.advance(999);
    expect(service.isTerminated).toBe(false);
    await clock.advance(1);
    expect(service.isTerminated).toBe(true);
    service.close(1006);
    expect(ear.entries).toEqual(closedHere);
    expect(clock.pendingTimers).toBe(0);
  });

  it('sends nothing and hears nothing any more', async () => {
    const started = openSession();
    const { clock, service, ear, session } = started;
    session.createReply(null);
    session.close();
    const texts = service.texts.length;
    service.startReply();
    service.sayAudio(audioOf(20));
    service.sayRaw('{');
    service.sayError({ code: 'invalid_api_key' });
    useAll(started);
    await clock.advance(60_000);
    expect(service.texts).toHaveLength(texts);
    expect(ear.entries).toEqual(closedHere);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is possible from within any signal, and nothing is heard after it', () => {
    const play = ({ service }: Started): void => {
      service.accept();
      service.sayCreated();
      service.confirmSettings();
      service.startReply();
      service.sayAudio(audioOf(20));
      service.say({
        type: 'response.output_item.done',
        response_id: 'resp_1',
        item: { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{}' },
      });
      service.say({
        type: 'response.output_audio_transcript.delta',
        response_id: 'resp_1',
        item_id: 'item_A',
        delta: 'Hello',
      });
      service.finishReply();
    };
    const whole = startSession();
    play(whole);
    const types = new Set(whole.ear.entries.map(({ type }) => type));
    expect([...types]).toEqual([
      'model.opened',
      'reply.started',
      'tool.requested',
      'reply.transcribed',
      'reply.finished',
    ]);
    for (const type of types) {
      const started = startSession();
      started.ear.react = (entry) => entry.type === type && started.session.close();
      play(started);
      expect(started.ear.order.at(-1)).toBe('model.closed');
      expect(started.ear.entriesOf('model.closed')).toHaveLength(1);
      expect(started.service.closedWith).toBe(1000);
    }
  });
});

describe('a session that is lost', () => {
  it('is lost once, whatever comes after it', async () => {
    const started = openSession();
    const { clock, service, ear } = started;
    service.close(1006);
    service.close(1000);
    useAll(started);
    await clock.advance(60_000);
    expect(ear.entries).toEqual([expect.objectContaining({ type: 'model.closed', code: 1006 })]);
    expect(service.closedWith).toBeNull();
    expect(clock.pendingTimers).toBe(0);
  });

  it('still tells what came of a transcript, before its end: it may have been heard', () => {
    const { service, ear } = openSession();
    const delta = { type: 'response.output_audio_transcript.delta', response_id: 'resp_1' };
    service.startReply();
    service.sayAudio(audioOf(100));
    service.say({ ...delta, item_id: 'item_A', delta: 'I was about to' });
    service.close(1006);
    expect(ear.order).toEqual(['reply.started', 'audio', 'reply.transcribed', 'model.closed']);
    expect(ear.payloadsOf('reply.transcribed')).toEqual([{ transcript: 'I was about to' }]);
  });

  it('leaves no request for a reply behind', async () => {
    const { clock, service, session } = openSession();
    session.createReply(null);
    service.close(1006);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(10_000);
    expect(service.texts).toHaveLength(1);
  });
});

describe('the heartbeat', () => {
  it('pings as often as the call asks for, and goes on while it is answered', async () => {
    const { clock, service, ear } = openSession();
    await clock.advance(35_000);
    expect(service.pings).toBe(3);
    expect(ear.entries).toEqual([]);
  });

  it('drops a connection that missed a pong', async () => {
    const { clock, service, ear } = openSession();
    service.answersPings = false;
    await clock.advance(19_999);
    expect(ear.entries).toEqual([]);
    await clock.advance(1);
    expect(service.isTerminated).toBe(true);
    expect(ear.entries).toEqual([
      expect.objectContaining({ type: 'model.closed', code: null, cause: 'pong.missed', reaction: 'retry' }),
    ]);
    service.close(1006);
    expect(ear.entries).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes any message for a sign of life: a pong may be late where much is said', async () => {
    const { clock, service, ear } = openSession();
    service.answersPings = false;
    await clock.advance(15_000);
    service.startReply();
    await clock.advance(10_000);
    expect(ear.entriesOf('model.closed')).toEqual([]);
    await clock.advance(5_000);
    expect(ear.entriesOf('model.closed')).toHaveLength(1);
  });

  it.each([500, 2_000])(
    'tells within twice its pause that a connection is half open: %i ms',
    async (pingEveryMs) => {
      for (const deafAfterMs of [0, 1, pingEveryMs - 1, pingEveryMs, pingEveryMs + 1]) {
        const { clock, service, ear } = openSession({ pingEveryMs });
        await clock.advance(deafAfterMs);
        service.answersPings = false;
        await clock.advance(2 * pingEveryMs);
        expect(ear.entries).toMatchObject([
          { type: 'model.closed', cause: 'pong.missed', reaction: 'retry' },
        ]);
        expect(service.isTerminated).toBe(true);
      }
    },
  );
});

describe('a far side that reads no longer', () => {
  it('ends the session as stalled, and nothing more is queued', () => {
    const { service, ear, session } = openSession();
    service.bufferedBytes = 1_048_576;
    session.appendAudio(Buffer.alloc(3, 0x55));
    expect(service.texts).toHaveLength(1);
    expect(session.bufferedBytes()).toBe(1_048_576);
    service.bufferedBytes++;
    session.appendAudio(Buffer.alloc(3, 0x55));
    session.appendAudio(Buffer.alloc(3, 0x55));
    expect(service.texts).toHaveLength(1);
    expect(service.isTerminated).toBe(true);
    expect(ear.entries).toEqual([
      expect.objectContaining({ type: 'model.closed', code: null, cause: 'stalled', reaction: 'retry' }),
    ]);
  });

  it('is noticed with the first thing that is sent, and the session was never open', () => {
    const { service, ear, session } = startSession();
    session.createReply(null);
    service.accept();
    service.sayCreated();
    service.bufferedBytes = 2_000_000;
    service.confirmSettings();
    expect(ear.order).toEqual(['model.closed']);
  });

  it('is noticed while it is opened, too', () => {
    const { service, ear } = startSession();
    service.accept();
    service.bufferedBytes = 2_000_000;
    service.sayCreated();
    expect(ear.order).toEqual(['model.closed']);
  });
});

it('buffers nothing before there is a socket', () => {
  expect(startSession().session.bufferedBytes()).toBe(0);
});
