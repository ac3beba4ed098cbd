import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readConfiguration, readJournalUrl, readNumberConfiguration } from '../../src/config/environment.ts';
import { settingsSchema } from '../../src/machines/settings.ts';
import { leastEnvironment, problemsOf } from './example.ts';

const configure = (changes: Record<string, string | undefined> = {}) =>
  readConfiguration({ ...leastEnvironment, ...changes });

const problemOf = (name: string, value: string): string | undefined =>
  problemsOf(() => configure({ [name]: value }))[name];

describe('the defaults', () => {
  it('are those that deployments depend on', () => {
    const { instance, settings, ...rest } = configure();
    expect(instance).not.toBe('');
    expect(settings).toEqual(settingsSchema.parse({}));
    expect(rest).toEqual({
      host: '127.0.0.1',
      port: 8080,
      admin: { host: '127.0.0.1', port: 8081, token: null },
      publicAddress: { kind: 'url', url: 'https://calls.example.com' },
      twilio: {
        accountSid: leastEnvironment.TWILIO_ACCOUNT_SID,
        authToken: 'twilio-token',
        apiUrl: 'https://api.twilio.com',
        phoneNumber: null,
        fallbackUrl: null,
      },
      fallbackTransferTo: null,
      drainMs: 20_000,
      callsLimit: null,
      budgets: { audioMs: 50, eventLoopMs: 100, memory: { share: 0.85 }, qualityShare: 0.3 },
      openai: {
        apiKey: 'sk-key',
        model: 'gpt-realtime-2.1',
        realtimeUrl: 'wss://api.openai.com/v1/realtime',
      },
      journalUrl: 'sqlite:data/holdfast.db',
      payloadsKeepDays: null,
      agent: 'agents/front-desk.ts',
      logLevel: 'info',
      modelPrices: null,
      traces: { endpoint: null, tracesEndpoint: null, headers: null },
      secrets: ['twilio-token', 'sk-key'],
    });
  });

  it('give way to what is set', () => {
    const configuration = configure({
      HOST: '0.0.0.0',
      PORT: '0',
      ADMIN_HOST: '::1',
      ADMIN_PORT: '65535',
      ADMIN_TOKEN: 'a'.repeat(16),
      TWILIO_API_URL: 'http://127.0.0.1:4001/',
      TWILIO_PHONE_NUMBER: '+15550100',
      TWILIO_FALLBACK_URL: 'https://files.example.com/hold.xml?v=2',
      OPENAI_MODEL: 'gpt-realtime-2.1-mini',
      OPENAI_REALTIME_URL: 'ws://localhost:4002/v1/realtime/',
      JOURNAL_URL: 'memory:',
      PAYLOADS_KEEP_DAYS: '30',
      INSTANCE_ID: 'desk_1-a',
      AGENT: 'agents/other.js',
      DRAIN_MS: '1',
      CALLS_LIMIT: '250',
      AUDIO_BUDGET_MS: 'off',
      EVENT_LOOP_BUDGET_MS: '40',
      MEMORY_BUDGET: '600MB',
      QUALITY_BUDGET: '0',
      LOG_LEVEL: 'silent',
    });
    expect(configuration).toMatchObject({
      instance: 'desk_1-a',
      host: '0.0.0.0',
      port: 0,
      admin: { host: '::1', port: 65_535, token: 'a'.repeat(16) },
      twilio: {
        apiUrl: 'http://127.0.0.1:4001',
        phoneNumber: '+15550100',
        fallbackUrl: 'https://files.example.com/hold.xml?v=2',
      },
      openai: { model: 'gpt-realtime-2.1-mini', realtimeUrl: 'ws://localhost:4002/v1/realtime' },
      journalUrl: 'memory:',
      payloadsKeepDays: 30,
      agent: 'agents/other.js',
      drainMs: 1,
      callsLimit: 250,
      budgets: { audioMs: null, eventLoopMs: 40, memory: { bytes: 600_000_000 }, qualityShare: null },
      logLevel: 'silent',
    });
  });

  it('stand in for an empty variable, and space around a value is dropped', () => {
    expect(configure({ PORT: '  ' }).port).toBe(8080);
    expect(configure({ OPENAI_API_KEY: ' sk-key\n' }).openai.apiKey).toBe('sk-key');
  });
});

describe('what is missing or wrong', () => {
  it('is named all at once, in the order of the table', () => {
    expect(
      problemsOf(() => readConfiguration({ PORT: 'eighty', ADMIN_HOST: '0.0.0.0', REPLY_TRIES: '0' })),
    ).toEqual({
      TWILIO_ACCOUNT_SID: 'is missing',
      TWILIO_AUTH_TOKEN: 'is missing',
      OPENAI_API_KEY: 'is missing',
      PUBLIC_URL: 'is missing, and so is NGROK_AUTHTOKEN: one of them is needed',
      PORT: 'must be a port number from 0 to 65535',
      ADMIN_TOKEN: 'is missing, and ADMIN_HOST is not loopback',
      REPLY_TRIES: 'must be a whole number of at least 1 and at most 15 digits',
    });
  });

  it.each([
    ['HOST', 'no host', 'an IP address or a host name'],
    ['PORT', '65536', 'a port number'],
    ['PORT', '-1', 'a port number'],
    ['PORT', '80.5', 'a port number'],
    ['ADMIN_HOST', '[::1]', 'an IP address or a host name'],
    ['ADMIN_PORT', '1e3', 'a port number'],
    ['ADMIN_TOKEN', 'a'.repeat(15), '16 to 256'],
    ['ADMIN_TOKEN', `${'a'.repeat(16)} b`, 'without spaces'],
    ['TWILIO_ACCOUNT_SID', `SK${'0'.repeat(32)}`, 'AC and 32 hexadecimal digits'],
    ['TWILIO_AUTH_TOKEN', 'two words', 'no spaces'],
    ['TWILIO_PHONE_NUMBER', '555-0100', 'E.164'],
    ['TWILIO_PHONE_NUMBER', '+0555', 'E.164'],
    ['FALLBACK_TRANSFER_TO', '0800 555', 'E.164'],
    ['DRAIN_MS', '0', 'whole number'],
    ['PAYLOADS_KEEP_DAYS', '0', 'whole number'],
    ['DRAIN_MS', '20s', 'whole number'],
    ['AUDIO_BUDGET_MS', '50ms', 'whole milliseconds, or off'],
    ['EVENT_LOOP_BUDGET_MS', '-1', 'whole milliseconds, or off'],
    ['MEMORY_BUDGET', '101%', 'MB, 1% to 100%, or off'],
    ['MEMORY_BUDGET', '2GB', 'MB, 1% to 100%, or off'],
    ['QUALITY_BUDGET', '0.3', '1% to 100%, or off'],
    ['RING_MS', '-1', 'whole number'],
    ['OPENAI_API_KEY', 'sk key', 'no spaces'],
    ['NGROK_AUTHTOKEN', 'a b', 'no spaces'],
    ['JOURNAL_URL', 'mysql://localhost', 'sqlite:PATH, postgres://'],
    ['JOURNAL_URL', 'sqlite:', 'sqlite:PATH, postgres://'],
    ['INSTANCE_ID', 'host.one', '1 to 64 letters'],
    ['INSTANCE_ID', 'a/b', '1 to 64 letters'],
    ['INSTANCE_ID', 'a'.repeat(65), '1 to 64 letters'],
    ['LOG_LEVEL', 'loud', 'one of fatal, error'],
    ['LONGEST_CALL_MS', '1.5', 'whole number'],
  ])('is refused: %s=%s', (name, value, complaint) => {
    expect(problemOf(name, value)).toContain(complaint);
  });
});

describe('the public address', () => {
  it('is a tunnel where only NGROK_AUTHTOKEN is set', () => {
    const { publicAddress } = configure({ PUBLIC_URL: '', NGROK_AUTHTOKEN: 'ngrok-token' });
    expect(publicAddress).toEqual({ kind: 'tunnel', authToken: 'ngrok-token' });
  });

  it('is PUBLIC_URL where both are set', () => {
    const { publicAddress } = configure({ NGROK_AUTHTOKEN: 'ngrok-token' });
    expect(publicAddress.kind).toBe('url');
  });
});

describe('FALLBACK_TRANSFER_TO', () => {
  it('decides what becomes of a caller whom the model cannot serve', () => {
    expect(configure().settings.fallback).toBe('hangUp');
    const { fallbackTransferTo, settings } = configure({ FALLBACK_TRANSFER_TO: ' +15550177 ' });
    expect([fallbackTransferTo, settings.fallback]).toEqual(['+15550177', 'transfer']);
  });
});

describe('a budget', () => {
  it.each([
    ['85%', { share: 0.85 }],
    ['100%', { share: 1 }],
    ['600', { bytes: 600_000_000 }],
    ['off', null],
    ['0', null],
  ])('of memory is read: %s', (text, budget) => {
    expect(configure({ MEMORY_BUDGET: text }).budgets.memory).toEqual(budget);
  });

  it('of memory is one for each worker where it is a share', () => {
    const ofEach = (text: string) =>
      configure({ WORKERS: '2', MEMORY_BUDGET: text, JOURNAL_URL: 'sqlite:j.db' }).budgets.memory;
    expect(ofEach('80%')).toEqual({ share: 0.4 });
    expect(ofEach('600MB')).toEqual({ bytes: 600_000_000 });
  });

  it('of 0 is none', () => {
    const none = {
      AUDIO_BUDGET_MS: '0',
      EVENT_LOOP_BUDGET_MS: '0',
      MEMORY_BUDGET: '0',
      QUALITY_BUDGET: 'off',
    };
    expect(configure(none).budgets).toEqual({
      audioMs: null,
      eventLoopMs: null,
      memory: null,
      qualityShare: null,
    });
  });
});

describe('ADMIN_TOKEN', () => {
  it.each(['127.0.0.1', '127.8.8.8', 'localhost', '::1'])('is not needed on %s', (host) => {
    expect(configure({ ADMIN_HOST: host }).admin).toEqual({ host, port: 8081, token: null });
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.0.0.1.evil.com', '127.1'])(
    'is needed on %s',
    (host) => {
      expect(problemsOf(() => configure({ ADMIN_HOST: host }))).toEqual({
        ADMIN_TOKEN: 'is missing, and ADMIN_HOST is not loopback',
      });
    },
  );
});

describe('an admin address off loopback', () => {
  it('is accepted with its token', () => {
    const token = 'b'.repeat(16);
    expect(configure({ ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN: token }).admin).toEqual({
      host: '0.0.0.0',
      port: 8081,
      token,
    });
  });
});

describe('INSTANCE_ID', () => {
  it('is made anew each time where it is not set, fit for a URL path, and without the name of the host', () => {
    const made = Array.from({ length: 50 }, () => configure().instance);
    expect(new Set(made).size).toBe(50);
    for (const instance of made) {
      expect(instance).toMatch(/^[0-9a-f]{8}-\d+-[0-9a-f]{8}$/);
      expect(instance).toContain(`-${process.pid}-`);
      expect(instance).not.toContain(hostname());
    }
  });
});

describe('commands that need less', () => {
  it('read the journal alone', () => {
    expect(readJournalUrl({})).toBe('sqlite:data/holdfast.db');
    expect(readJournalUrl({ JOURNAL_URL: 'sqlite:/tmp/x.db', PORT: 'wrong' })).toBe('sqlite:/tmp/x.db');
    expect(problemsOf(() => readJournalUrl({ JOURNAL_URL: 'nowhere' }))).toHaveProperty('JOURNAL_URL');
  });

  it('point the number here without a key for the model', () => {
    const { OPENAI_API_KEY: _, ...environment } = leastEnvironment;
    expect(readNumberConfiguration({ ...environment, TWILIO_PHONE_NUMBER: '+15550100' })).toEqual({
      twilio: {
        accountSid: environment.TWILIO_ACCOUNT_SID,
        authToken: 'twilio-token',
        apiUrl: 'https://api.twilio.com',
        phoneNumber: '+15550100',
        fallbackUrl: null,
      },
      publicAddress: { kind: 'url', url: 'https://calls.example.com' },
      admin: { host: '127.0.0.1', port: 8081, token: null },
    });
  });

  it('need the number to point it', () => {
    expect(problemsOf(() => readNumberConfiguration({}))).toMatchObject({
      PUBLIC_URL: expect.stringContaining('is missing'),
      TWILIO_ACCOUNT_SID: 'is missing',
      TWILIO_AUTH_TOKEN: 'is missing',
      TWILIO_PHONE_NUMBER: 'is missing',
    });
  });
});
