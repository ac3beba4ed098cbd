import { describe, expect, it } from 'vitest';
import {
  causeOfError,
  type Reaction,
  reactionToError,
  refusals,
} from '../../../src/adapters/openai/refusals.ts';
import { apiKey, openSession, startSession } from './started-session.ts';

/** What OpenAI's documentation and public reports say of each signal; the table must say the same. */
const expected: Record<string, Reaction> = {
  'error.response_cancel_not_active': 'ignore',
  'error.conversation_already_has_active_response': 'requeue',
  'error.input_audio_buffer_commit_empty': 'ignore',
  'error.invalid_value': 'bug',
  'error.missing_required_parameter': 'bug',
  'error.unknown_parameter': 'bug',
  'error.invalid_event': 'bug',
  'error.cannot_update_voice': 'bug',
  'error.invalid_request_error': 'bug',
  'error.item_not_found': 'ignore',
  'error.unsupported_content_type': 'ignore',
  'error.rate_limit_exceeded': 'slowDown',
  'error.server_error': 'ignore',
  'error.session_expired': 'retry',
  'error.invalid_api_key': 'giveUp',
  'error.model_not_found': 'giveUp',
  'error.missing_model': 'giveUp',
  'error.invalid_intent': 'giveUp',
  'error.beta_api_shape_disabled': 'giveUp',
  'error.insufficient_quota': 'giveUp',
  'error.authentication_error': 'giveUp',
  'error.*': 'ignore',
  'close.1000': 'retry',
  'close.1001': 'retry',
  'close.1005': 'retry',
  'close.1006': 'retry',
  'close.1009': 'retry',
  'close.1011': 'retry',
  'close.1012': 'retry',
  'close.1013': 'retry',
  'close.3000': 'giveUp',
  'close.4000': 'giveUp',
  'close.4004': 'giveUp',
  'close.*': 'retry',
  'http.401': 'giveUp',
  'http.403': 'giveUp',
  'http.404': 'giveUp',
  'http.429': 'retry',
  'http.5xx': 'retry',
  'http.*': 'giveUp',
};

const rowsOf = (kind: string): [string, Reaction][] =>
  Object.entries(refusals).flatMap(([row, reaction]): [string, Reaction][] =>
    row.startsWith(`${kind}.`) ? [[row.slice(kind.length + 1), reaction]] : [],
  );
const closed = (fields: object) => [expect.objectContaining({ type: 'model.closed', ...fields })];

it('is one table that says what is known', () => {
  expect(refusals).toEqual(expected);
});

describe('an error event in an open session', () => {
  const rows = rowsOf('error').map(([code, reaction]): [string, Reaction] => [
    code === '*' ? 'of_another_kind' : code,
    reaction,
  ]);

  it.each(rows)('%s: %s', async (code, reaction) => {
    const { clock, service, ear, oddities, session } = openSession();
    session.createReply('Say it.');
    service.startReply();
    service.texts.length = 0;
    service.sayError({ code, message: `It is ${apiKey}.`, event_id: 'reply_1' });
    service.finishReply();
    await clock.advance(1_000);
    const ends = reaction === 'giveUp' || reaction === 'retry';
    expect(ear.entriesOf('model.closed')).toEqual(ends ? closed({ code: null, cause: code, reaction }) : []);
    expect(service.closedWith).toBe(ends ? 1000 : null);
    expect(oddities).toEqual(
      reaction === 'bug' ? ['refusedMessage'] : reaction === 'ignore' ? ['ignoredError'] : [],
    );
    expect(service.sent.map(({ response }) => response?.instructions)).toEqual(
      reaction === 'requeue' || reaction === 'slowDown' ? ['Say it.'] : [],
    );
  });

  it.each(rows.filter(([, reaction]) => reaction === 'giveUp' || reaction === 'retry'))(
    '%s before the close says why, the close says with which code',
    (code, reaction) => {
      const { service, ear } = openSession();
      service.sayError({ code });
      service.sayError({ code: code === 'session_expired' ? 'invalid_api_key' : 'session_expired' });
      expect(ear.entries).toEqual([]);
      service.close(4999, 'something else');
      expect(ear.entries).toEqual(closed({ code: 4999, cause: code, reaction }));
    },
  );

  it('is known by its type where it has no code', () => {
    expect(reactionToError({ code: null, type: 'invalid_request_error' })).toBe('bug');
    expect(reactionToError({ type: 'insufficient_quota' })).toBe('giveUp');
    expect(reactionToError({})).toBe('ignore');
    expect(causeOfError({})).toBe('unnamed');
  });

  it('is not taken for something that objects have by themselves', () => {
    for (const code of ['__proto__', 'constructor', 'toString']) {
      expect(reactionToError({ code })).toBe('ignore');
    }
  });
});

describe('a session that was let in and is refused at once', () => {
  it.each([
    ['invalid_api_key', 3000],
    ['beta_api_shape_disabled', 4000],
    ['missing_model', 4000],
    ['invalid_intent', 4000],
    ['model_not_found', 4004],
  ])('%s, then close %i', (code, closeCode) => {
    const { service, ear } = startSession();
    service.accept();
    service.sayError({ code });
    service.close(closeCode, `invalid_request_error.${code}`);
    expect(ear.entries).toEqual(closed({ code: closeCode, cause: code, reaction: 'giveUp' }));
  });

  it('is over after 1 s where the service says so and does not close', async () => {
    const { clock, service, ear } = startSession();
    service.accept();
    service.sayError({ code: 'invalid_api_key' });
    service.sayCreated();
    service.confirmSettings();
    await clock.advance(1_000);
    expect(ear.entriesOf('model.closed')).toEqual(
      closed({ code: null, cause: 'invalid_api_key', reaction: 'giveUp' }),
    );
    expect(service.closedWith).toBe(1000);
  });
});

describe('a close', () => {
  it.each(rowsOf('close'))('%s: %s', (row, reaction) => {
    const code = row === '*' ? 4999 : Number(row);
    const { service, ear } = openSession();
    service.close(code, `It was ${apiKey}.`);
    expect(ear.entries).toEqual(closed({ code, cause: `close.${code}`, reaction, retryAfterMs: null }));
  });

  it('says in its reason what its code does not: an empty account', () => {
    const { service, ear } = openSession();
    service.close(1013, 'insufficient_quota.insufficient_quota');
    expect(ear.entries).toEqual(closed({ code: 1013, cause: 'insufficient_quota', reaction: 'giveUp' }));
  });
});

describe('a refused upgrade', () => {
  const statuses: Record<string, number> = { '5xx': 503, '*': 418 };

  it.each(rowsOf('http'))('%s: %s', (row, reaction) => {
    const status = statuses[row] ?? Number(row);
    const { service, ear } = startSession();
    service.refuse({ status, retryAfterMs: 2_000, detail: `<p>The key ${apiKey} is wrong.</p>` });
    expect(ear.entries).toEqual(
      closed({ code: status, cause: `http.${status}`, reaction, retryAfterMs: 2_000, generation: 3 }),
    );
  });

  it('says in its body what its status does not', () => {
    const { service, ear } = startSession();
    const error = { code: 'insufficient_quota', type: 'insufficient_quota', message: '' };
    service.refuse({ status: 429, detail: JSON.stringify({ error }) });
    expect(ear.entries).toEqual(closed({ code: 429, cause: 'insufficient_quota', reaction: 'giveUp' }));
  });

  it.each(['null', '{"error":null}', '{"error":{"code":7}}', '[]'])(
    'takes the body %s for no reason',
    (detail) => {
      const { service, ear } = startSession();
      service.refuse({ status: 500, detail });
      expect(ear.entries).toEqual(closed({ code: 500, cause: 'http.500', reaction: 'retry' }));
    },
  );
});

describe('no connection', () => {
  it.each([
    ['network', `connect ECONNREFUSED 127.0.0.1:1 ${apiKey}`, 'network.ECONNREFUSED'],
    ['network', `something broke at ${apiKey}`, 'network.failed'],
    ['timeout', 'Opening handshake has timed out', 'handshake.timeout'],
  ] as const)('%s: %s', (kind, detail, cause) => {
    const { service, ear } = startSession();
    service.refuse({ kind, detail });
    expect(ear.entries).toEqual(closed({ code: null, cause, reaction: 'retry' }));
  });

  it('is final where no request can carry the key', async () => {
    const { FakeService } = await import('./fake-service.ts');
    const broken = new FakeService();
    broken.openingError = new TypeError(`Invalid character in header content ["${apiKey}"]`);
    const { clock, ear } = startSession({}, { openSocket: broken.openSocket });
    expect(ear.entries).toEqual(closed({ code: null, cause: 'request.invalid', reaction: 'giveUp' }));
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a session whose end an error has announced', () => {
  it('ends with that reason, also where it is closed from here before the service does so', () => {
    const { service, ear, session } = openSession();
    service.sayError({ code: 'insufficient_quota' });
    session.close();
    expect(ear.entries).toEqual(closed({ code: null, cause: 'insufficient_quota', reaction: 'giveUp' }));
    expect(service.closedWith).toBe(1000);
  });

  it('ends with that reason, also where it answers no more pings', async () => {
    const { clock, service, ear } = openSession({ pingEveryMs: 400 });
    service.answersPings = false;
    service.sayError({ code: 'insufficient_quota' });
    await clock.advance(800);
    expect(ear.entries).toEqual(closed({ code: null, cause: 'insufficient_quota', reaction: 'giveUp' }));
    expect(service.isTerminated).toBe(true);
  });

  it('is asked for nothing more', () => {
    const { service, session } = openSession();
    service.sayError({ code: 'insufficient_quota' });
    session.createReply(null);
    session.appendAudio(Buffer.alloc(3, 0x55));
    expect(service.sent).toEqual([]);
  });
});

describe('a reply that fails for a reason that no session survives', () => {
  it('ends the session at once, after the reply and before the next one is asked for', () => {
    const { service, ear, session } = openSession();
    service.startReply();
    session.createReply(null);
    const error = { type: 'insufficient_quota', code: 'insufficient_quota', message: 'You exceeded it.' };
    service.finishReply('resp_1', { status: 'failed', status_details: { type: 'failed', error } });
    session.createReply(null);
    expect(service.sent).toEqual([]);
    expect(service.closedWith).toBe(1000);
    expect(ear.order).toEqual(['reply.started', 'replyEnded', 'reply.finished', 'model.closed']);
    expect(ear.entriesOf('model.closed')).toEqual(
      closed({ cause: 'insufficient_quota', reaction: 'giveUp' }),
    );
  });

  it('does not where another reply may fare better', async () => {
    const { clock, service, ear } = openSession();
    service.startReply();
    const error = { type: 'server_error', code: null };
    service.finishReply('resp_1', { status: 'failed', status_details: { type: 'failed', error } });
    await clock.advance(1_000);
    expect(ear.entriesOf('model.closed')).toEqual([]);
  });
});

it('never repeats the key', async () => {
  const { clock, service, ear } = openSession();
  service.sayError({ code: apiKey, type: apiKey, message: apiKey });
  service.startReply();
  const details = { reason: apiKey, error: { code: apiKey, type: apiKey } };
  service.finishReply('resp_1', { status: 'failed', status_details: details });
  service.close(4000, `${apiKey}.${apiKey}`);
  await clock.advance(1_000);
  expect(JSON.stringify(ear.signals)).not.toContain(apiKey);
});
