import { describe, expect, it } from 'vitest';
import type { FakeService } from './fake-service.ts';
import { audioOf, openSession, startSession } from './started-session.ts';

const activeError = (eventId: string | null) => ({
  code: 'conversation_already_has_active_response',
  message: 'Conversation already has an active response in progress: resp_1.',
  event_id: eventId,
});

/** A request as it is sent: its metadata comes back in the reply to it. */
const creation = (eventId: string, response: object): object => ({
  type: 'response.create',
  event_id: eventId,
  response: { metadata: { request: eventId }, ...response },
});

/** What the service says of a reply that answers the request. */
const answering = (eventId: string): object => ({ metadata: { request: eventId } });

const cancellationOf = (replyId: string): object => ({ type: 'response.cancel', response_id: replyId });

describe('a request for a reply', () => {
  it('carries instructions only where there are some', () => {
    const { service, session } = openSession();
    session.createReply(null);
    service.startReply();
    service.finishReply();
    session.createReply('Greet the caller.');
    expect(service.sent).toEqual([
      creation('reply_1', {}),
      creation('reply_2', { instructions: 'Greet the caller.' }),
    ]);
  });

  it.each([null, 'Say that it takes a moment.'])('may be for words alone: %s', (instructions) => {
    const { service, session } = openSession();
    session.createReply(instructions, { tools: false });
    const spoken = instructions === null ? {} : { instructions };
    expect(service.sent).toEqual([creation('reply_1', { ...spoken, tool_choice: 'none' })]);
  });

  it('for words alone is another one than with tools, wherever it is told from others', () => {
    const { service, session } = openSession();
    const choices = () => service.sent.map(({ response }) => response?.tool_choice ?? 'auto');
    session.createReply(null);
    session.createReply(null, { tools: false });
    session.createReply(null, { tools: false });
    session.createReply(null, { tools: true });
    service.startReply('resp_1');
    service.finishReply('resp_1');
    expect(choices()).toEqual(['auto', 'none']);
    service.sayError(activeError('reply_2'));
    session.createReply(null);
    service.finishReply('resp_unheard');
    service.startReply('resp_2');
    service.finishReply('resp_2');
    expect(choices()).toEqual(['auto', 'none', 'none', 'auto']);
  });

  it('waits while a reply is active, also one that the service began by itself (L4)', () => {
    const { service, session } = openSession();
    service.startReply();
    session.createReply(null);
    expect(service.sent).toEqual([]);
    service.finishReply();
    expect(service.sentTypes).toEqual(['response.create']);
  });

  it('waits for a reply that the service began before the session was open (L4)', () => {
    const { service, session } = startSession();
    service.accept();
    service.sayCreated();
    session.createReply(null);
    service.startReply('resp_early');
    session.cancelReply();
    session.createReply(null);
    service.confirmSettings();
    service.acknowledgeItems();
    expect(service.sentOfType('response.create')).toEqual([]);
    expect(service.sentOfType('response.cancel')).toEqual([]);
    service.finishReply('resp_early');
    expect(service.sentOfType('response.create')).toHaveLength(1);
  });

  it('waits while another one is unanswered (L4)', () => {
    const { service, session } = openSession();
    session.createReply('one');
    session.createReply('two');
    expect(service.sent).toHaveLength(1);
    service.startReply();
    expect(service.sent).toHaveLength(1);
    service.finishReply();
    expect(service.sent[1]?.response.instructions).toBe('two');
  });

  it('is sent once however often it is asked for before it is answered', () => {
    const { service, session } = openSession();
    session.createReply(null);
    session.createReply(null);
    service.startReply();
    service.finishReply();
    expect(service.sent).toHaveLength(1);
  });

  it('waits once however often it is asked for while it waits', () => {
    const { service, session } = openSession();
    service.startReply();
    session.createReply(null);
    session.createReply(null);
    service.finishReply();
    service.startReply('resp_2');
    service.finishReply('resp_2');
    expect(service.sent).toHaveLength(1);
  });

  it('gives way, the oldest first, where more than four wait', () => {
    const { service, session, oddities } = openSession();
    service.startReply();
    for (const instructions of ['1', '2', '3', '4', '5']) session.createReply(instructions);
    service.finishReply();
    expect(service.sent[0]?.response.instructions).toBe('2');
    expect(oddities).toEqual(['bound']);
  });

  it('is not held up by the end of an older reply than the active one', () => {
    const { service, session } = openSession();
    service.startReply('resp_1');
    service.startReply('resp_2');
    session.createReply(null);
    service.finishReply('resp_1');
    expect(service.sent).toEqual([]);
    service.finishReply('resp_2');
    expect(service.sent).toHaveLength(1);
  });
});

describe('a request that meets an active reply', () => {
  it('is asked again once that reply is over, and only then', () => {
    const { service, session } = openSession();
    session.createReply('Say it.');
    service.startReply('resp_1');
    service.sayError(activeError('reply_1'));
    expect(service.sent).toHaveLength(1);
    service.finishReply('resp_1');
    expect(service.sent[1]).toEqual(creation('reply_2', { instructions: 'Say it.' }));
  });

  it('waits for the end of a reply that it never heard of', () => {
    const { service, session } = openSession();
    session.createReply(null);
    service.sayError(activeError('reply_1'));
    session.createReply('another');
    expect(service.sent).toHaveLength(1);
    service.finishReply('resp_unheard');
    expect(service.sent).toHaveLength(2);
    expect(service.sent[1]).toEqual(creation('reply_2', {}));
  });

  it('does not wait for the end of a reply outside the conversation', () => {
    const { service, session } = openSession();
    session.createReply(null);
    service.sayError(activeError('reply_1'));
    service.finishReply('resp_o', { conversation_id: null });
    expect(service.sent).toHaveLength(1);
  });

  it('is recognised where the error names no event', () => {
    const { service, session } = openSession();
    session.createReply(null);
    service.startReply();
    service.sayError(activeError(null));
    service.finishReply();
    expect(service.sent).toHaveLength(2);
  });

  it('is not asked again for the error of another request', () => {
    const { service, session } = openSession();
    session.createReply(null);
    service.startReply();
    service.sayError(activeError('reply_77'));
    service.finishReply();
    expect(service.sent).toHaveLength(1);
  });

  it('is asked again before what was asked later, and once', () => {
    const { service, session } = openSession();
    session.createReply('first');
    service.startReply();
    session.createReply('later');
    session.createReply('first');
    service.sayError(activeError('reply_1'));
    service.finishReply();
    service.startReply('resp_2');
    service.finishReply('resp_2');
    service.startReply('resp_3');
    service.finishReply('resp_3');
    expect(service.sent.map(({ response }) => response.instructions)).toEqual(['first', 'later', 'first']);
  });

  it('is recognised after a reply that came between, and is asked again after the one that it met', () => {
    const { service, session } = openSession();
    session.createReply(null);
    service.startReply('resp_1');
    service.finishReply('resp_1');
    service.startReply('resp_2');
    service.sayError(activeError('reply_1'));
    expect(service.sent).toHaveLength(1);
    service.finishReply('resp_2');
    expect(service.sent).toHaveLength(2);
  });

  it('is forgotten where it was cancelled in the meantime', () => {
    const { service, session } = openSession();
    session.createReply(null);
    service.startReply('resp_1');
    service.finishReply('resp_1');
    session.cancelReply();
    service.startReply('resp_2');
    service.sayError(activeError('reply_1'));
    service.finishReply('resp_2');
    expect(service.sent).toHaveLength(1);
  });

  it('gives way to four later ones', () => {
    const { service, session, oddities } = openSession();
    session.createReply('first');
    service.startReply();
    for (const instructions of ['1', '2', '3', '4']) session.createReply(instructions);
    service.sayError(activeError('reply_1'));
    service.finishReply();
    expect(service.sent[1]?.response.instructions).toBe('1');
    expect(oddities).toEqual(['bound']);
  });

  it('is not asked again where nothing was asked', () => {
    const { service } = openSession();
    service.sayError(activeError(null));
    service.startReply();
    service.finishReply();
    expect(service.sent).toEqual([]);
  });
});

describe("a request for what the service owes by itself: the answer to the caller's turn", () => {
  const standIn = { tools: true, standsIn: true } as const;

  it('is not asked again where it met that answer (Q5)', () => {
    const { service, session } = openSession();
    session.createReply(null, standIn);
    service.startReply('resp_own');
    service.sayError(activeError('reply_1'));
    service.finishReply('resp_own');
    expect(service.sentTypes).toEqual(['response.create']);
  });

  it('is not asked again where it met that answer, and the answer is over before the refusal comes', () => {
    const { service, session } = openSession();
    session.createReply(null, standIn);
    service.startReply('resp_own');
    service.finishReply('resp_own');
    service.sayError(activeError('reply_1'));
    service.finishReply('resp_own');
    expect(service.sentTypes).toEqual(['response.create']);
  });

  it('is not sent where that answer begins while it waits', () => {
    const { service, session } = openSession();
    session.createReply('Greet the caller.');
    session.createReply(null, standIn);
    session.createReply('Say that we close.');
    service.startReply('resp_own');
    service.finishReply('resp_own');
    service.startReply('resp_2');
    service.finishReply('resp_2');
    expect(service.sent.map(({ response }) => response.instructions)).toEqual([
      'Greet the caller.',
      'Say that we close.',
    ]);
  });

  it('is answered where it is the only one', () => {
    const { service, ear, session } = openSession();
    session.createReply(null, standIn);
    service.startReply('resp_1', answering('reply_1'));
    service.finishReply('resp_1');
    expect(ear.entriesOf('reply.finished')).toHaveLength(1);
  });

  it('keeps another one that asks for a reply of its own', () => {
    const { service, session } = openSession();
    session.createReply(null, standIn);
    session.createReply(null);
    service.startReply('resp_own');
    service.sayError(activeError('reply_1'));
    service.finishReply('resp_own');
    expect(service.sentTypes).toEqual(['response.create', 'response.create']);
  });
});

describe('a request that nobody answers', () => {
  it('is sent again when it is asked for again after 4 s', async () => {
    const { clock, service, session } = openSession();
    session.createReply(null);
    await clock.advance(3_999);
    session.createReply(null);
    expect(service.sent).toHaveLength(1);
    await clock.advance(1);
    session.createReply(null);
    expect(service.sent).toHaveLength(2);
  });

  it('lets the next one go after 4 s', async () => {
    const { clock, service, session } = openSession();
    session.createReply('lost');
    session.createReply('next');
    await clock.advance(4_000);
    expect(service.sent[1]?.response.instructions).toBe('next');
  });

  it('is not spoken twice where the service was only slow (Q1)', async () => {
    const { clock, service, session } = openSession();
    session.createReply(null);
    await clock.advance(6_000);
    session.createReply(null);
    service.startReply('resp_1');
    service.sayError(activeError('reply_2'));
    service.finishReply('resp_1');
    expect(service.sent).toHaveLength(2);
  });

  it('is asked again where every sending of it was refused (Q1)', async () => {
    const { clock, service, session } = openSession();
    session.createReply(null);
    await clock.advance(6_000);
    session.createReply(null);
    service.startReply('resp_1');
    service.sayError(activeError('reply_1'));
    service.sayError(activeError('reply_2'));
    service.finishReply('resp_1');
    expect(service.sent).toHaveLength(3);
  });

  it('waits no longer once it is refused for another reason', () => {
    const { service, session, oddities } = openSession();
    session.createReply('refused');
    session.createReply('next');
    service.sayError({ code: 'server_error', event_id: 'reply_1' });
    expect(service.sent[1]?.response.instructions).toBe('next');
    expect(oddities).toEqual(['ignoredError']);
  });

  it('gives the next one its own 4 s', async () => {
    const { clock, service, session } = openSession();
    for (const instructions of ['refused', 'next', 'last']) session.createReply(instructions);
    await clock.advance(3_000);
    service.sayError({ code: 'server_error', event_id: 'reply_1' });
    await clock.advance(3_999);
    expect(service.sent).toHaveLength(2);
    await clock.advance(1);
    expect(service.sent).toHaveLength(3);
  });

  it('still waits after the error of another message', () => {
    const { service, session } = openSession();
    session.createReply('one');
    session.createReply('next');
    service.sayError({ code: 'item_not_found', event_id: 'other_1' });
    expect(service.sent).toHaveLength(1);
  });
});

describe('a reply that is refused because too much was asked for', () => {
  const refuse = (service: FakeService, message: string, code = 'rate_limit_exceeded'): void => {
    const error = { type: 'tokens', code, message };
    service.finishReply('resp_1', { status: 'failed', status_details: { type: 'failed', error } });
  };
  const limitReached = (pause: string): string =>
    `Rate limit reached for gpt-realtime on tokens per min (TPM): Limit 40000, Used 39669, Requested 8571. Please try again in ${pause}. Visit https://platform.openai.com/account/rate-limits to learn more.`;

  it.each([
    ['250ms', 250],
    ['6.232s', 6_232],
    ['0s', 0],
    ['1m26.4s', 10_000],
    ['2h', 10_000],
  ])(
    'is followed by the next request after the pause that is asked for, of 10 s at most: %s',
    async (pause, ms) => {
      const { clock, service, session } = openSession();
      session.createReply(null);
      service.startReply();
      refuse(service, limitReached(pause));
      session.createReply(null);
      if (ms > 0) await clock.advance(ms - 1);
      expect(service.sentOfType('response.create')).toHaveLength(1);
      await clock.advance(1);
      expect(service.sentOfType('response.create')).toHaveLength(2);
    },
  );

  it('is followed by it at once where that is not why it failed', () => {
    const { service, session } = openSession();
    service.startReply();
    session.createReply(null);
    refuse(service, limitReached('6s'), 'server_error');
    expect(service.sentTypes).toEqual(['response.create']);
  });

  const unnamed = 'Rate limit reached. Please try again later.';

  /** What the next request waits after each of these refusals, with a jitter of a quarter; each reply to it ends so. */
  async function waitsAfter(messages: readonly string[], end: object) {
    const { clock, service, session } = openSession();
    const waits: number[] = [];
    for (const message of messages) {
      service.startReply();
      refuse(service, message);
      session.createReply(null);
      const startedAt = clock.monotonic();
      await clock.runUntil(() => service.sentOfType('response.create').length > waits.length, 20_000);
      waits.push(clock.monotonic() - startedAt);
      service.startReply();
      service.finishReply('resp_1', end);
    }
    return waits;
  }

  it('is followed by it after growing pauses with jitter where none is asked for, of 10 s at most (Q3)', async () => {
    const steps = [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
    const waits = await waitsAfter(
      steps.map(() => unnamed),
      { status: 'cancelled' },
    );
    expect(waits).toEqual(steps.map((ms) => Math.round(ms * 0.625)));
  });

  it('is followed by it after the first pause again once a reply came to its end', async () => {
    expect(await waitsAfter([unnamed, unnamed], { status: 'completed' })).toEqual([313, 313]);
  });

  it('is followed by it after a longer pause where one was asked for before', async () => {
    expect(await waitsAfter([limitReached('250ms'), unnamed], { status: 'cancelled' })).toEqual([250, 625]);
  });

  it('is followed by it after a longer pause than is asked for where that was too short before', async () => {
    const told = [250, 250, 250].map((ms) => limitReached(`${ms}ms`));
    expect(await waitsAfter(told, { status: 'cancelled' })).toEqual([250, 625, 1_250]);
  });

  it('leaves no pause behind, and none where the session ends', async () => {
    const { clock, service, session } = openSession();
    service.startReply();
    session.createReply(null);
    refuse(service, limitReached('8s'));
    service.startReply();
    refuse(service, limitReached('2s'));
    await clock.advance(2_000);
    expect(service.sentTypes).toEqual(['response.create']);
    service.startReply();
    refuse(service, limitReached('8s'));
    session.close();
    await clock.advance(1_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves no pause behind where whoever hears of it ends the session', async () => {
    const { clock, service, session, ear } = openSession();
    ear.react = ({ type }) => {
      if (type === 'reply.finished') session.close();
    };
    service.startReply();
    refuse(service, limitReached('8s'));
    await clock.advance(1_000);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a request that is refused because too much was asked for', () => {
  const tooMuch = { type: 'rate_limit_exceeded', message: 'Please try again in 2s.' };

  it.each([{ code: null }, { code: 'rate_limit_exceeded', type: 'tokens' }])(
    'is sent again after the pause that is asked for, before those that wait: %j',
    async (name) => {
      const { clock, service, session } = openSession();
      session.createReply('refused');
      session.createReply('next');
      service.sayError({ ...tooMuch, ...name, event_id: 'reply_1' });
      await clock.advance(1_999);
      expect(service.sent).toHaveLength(1);
      await clock.advance(1);
      expect(service.sent.map(({ response }) => response.instructions)).toEqual(['refused', 'refused']);
      service.startReply();
      service.finishReply();
      expect(service.sent[2]?.response.instructions).toBe('next');
    },
  );

  it('is sent again after growing pauses where none is asked for', async () => {
    const { clock, service, session } = openSession();
    session.createReply(null, { tools: true, standsIn: true });
    service.sayError({ ...tooMuch, message: '', event_id: 'reply_1' });
    await clock.advance(313);
    service.sayError({ ...tooMuch, message: '', event_id: 'reply_2' });
    await clock.advance(624);
    expect(service.sent).toHaveLength(2);
    await clock.advance(1);
    expect(service.sent).toHaveLength(3);
  });

  it('is not sent again where nobody wants it any more', async () => {
    const { clock, service, session } = openSession();
    session.createReply(null);
    session.cancelReply();
    service.sayError({ ...tooMuch, event_id: 'reply_1' });
    await clock.advance(10_000);
    expect(service.sent).toHaveLength(1);
  });

  it('may be none that the error names: the next one waits all the same', async () => {
    const { clock, service, session } = openSession();
    service.sayError({ ...tooMuch, event_id: null });
    session.createReply(null);
    await clock.advance(1_999);
    expect(service.sent).toEqual([]);
    await clock.advance(1);
    expect(service.sent).toHaveLength(1);
  });
});

describe('cancelling', () => {
  it('names the active reply, and once', () => {
    const { service, session } = openSession();
    service.startReply();
    session.cancelReply();
    session.cancelReply();
    expect(service.sent).toEqual([{ type: 'response.cancel', response_id: 'resp_1' }]);
  });

  it('sends nothing where no reply is active', () => {
    const { service, session } = openSession();
    session.cancelReply();
    service.startReply();
    service.finishReply();
    session.cancelReply();
    expect(service.sent).toEqual([]);
  });

  it('leaves the reply to the service where the caller speaks into it', () => {
    const { service, session } = openSession();
    service.startReply();
    service.say({ type: 'input_audio_buffer.speech_started', audio_start_ms: 10, item_id: 'item_U' });
    session.cancelReply();
    expect(service.sent).toEqual([]);
  });

  it('cancels a reply that began after the caller did', () => {
    const { service, session } = openSession();
    service.say({ type: 'input_audio_buffer.speech_started', audio_start_ms: 10, item_id: 'item_U' });
    service.startReply();
    session.cancelReply();
    expect(service.sent).toEqual([{ type: 'response.cancel', response_id: 'resp_1' }]);
  });

  it('can be done as soon as the reply is heard of', () => {
    const { service, ear, session } = openSession();
    ear.react = (entry) => entry.type === 'reply.started' && session.cancelReply();
    service.startReply();
    expect(service.sent).toEqual([{ type: 'response.cancel', response_id: 'resp_1' }]);
  });

  it('forgets what waits', () => {
    const { service, session } = openSession();
    service.startReply();
    session.createReply(null);
    session.cancelReply();
    service.finishReply('resp_1', { status: 'cancelled' });
    expect(service.sentTypes).toEqual(['response.cancel']);
  });

  it('reaches a reply that was only just asked for, by its id and once it begins (Q4)', () => {
    const { service, session } = openSession();
    session.createReply(null);
    session.cancelReply();
    session.cancelReply();
    expect(service.sentTypes).toEqual(['response.create']);
    service.startReply('resp_1', answering('reply_1'));
    session.cancelReply();
    expect(service.sent.slice(1)).toEqual([cancellationOf('resp_1')]);
  });

  it('lets nobody hear the reply to a request that was cancelled before it began', () => {
    const { service, ear, session } = openSession();
    session.createReply(null);
    session.cancelReply();
    service.startReply('resp_1', answering('reply_1'));
    service.sayAudio(audioOf(20), 'resp_1');
    service.finishReply('resp_1', { status: 'cancelled' });
    expect(ear.order).toEqual([]);
  });

  it.each([{ metadata: null }, {}, answering('reply_77'), { metadata: { request: 7 } }])(
    'spares a reply of the service that comes before the one asked for: %o (Q4)',
    (response) => {
      const { service, ear, session } = openSession();
      session.createReply(null);
      service.say({ type: 'input_audio_buffer.speech_started', audio_start_ms: 0, item_id: 'item_U' });
      session.cancelReply();
      service.startReply('resp_own', response);
      service.sayError(activeError('reply_1'));
      service.finishReply('resp_own');
      expect(service.sentTypes).toEqual(['response.create']);
      expect(ear.entriesOf('reply.finished')).toHaveLength(1);
    },
  );

  it('spares the reply to the next request', () => {
    const { service, ear, session } = openSession();
    session.createReply('greet');
    session.cancelReply();
    session.createReply('answer');
    service.sayError(activeError('reply_1'));
    service.finishReply('resp_unheard');
    service.startReply('resp_1', answering('reply_2'));
    expect(service.sentTypes).toEqual(['response.create', 'response.create']);
    expect(ear.entriesOf('reply.started')).toHaveLength(1);
  });

  it('reaches the reply to a request that was met late, after another one came and went', () => {
    const { service, session } = openSession();
    session.createReply(null);
    service.startReply('resp_own');
    service.finishReply('resp_own');
    session.cancelReply();
    service.startReply('resp_1', answering('reply_1'));
    expect(service.sent.slice(1)).toEqual([cancellationOf('resp_1')]);
  });

  it('reaches a reply that begins after nobody had answered in time', async () => {
    const { clock, service, session } = openSession();
    session.createReply(null);
    await clock.advance(4_000);
    session.cancelReply();
    service.startReply('resp_1', answering('reply_1'));
    expect(service.sent.slice(1)).toEqual([cancellationOf('resp_1')]);
  });

  it('is followed by the next request once the cancelled reply is over', () => {
    const { service, session } = openSession();
    session.createReply(null);
    session.cancelReply();
    session.createReply(null);
    expect(service.sentTypes).toEqual(['response.create']);
    service.startReply('resp_1', answering('reply_1'));
    service.finishReply('resp_1', { status: 'cancelled' });
    expect(service.sentTypes).toEqual(['response.create', 'response.cancel', 'response.create']);
  });

  it('does not let a cancelled request come back', () => {
    const { service, session } = openSession();
    session.createReply(null);
    session.cancelReply();
    service.sayError(activeError('reply_1'));
    service.finishReply('resp_other');
    expect(service.sentTypes).toEqual(['response.create']);
  });
});
