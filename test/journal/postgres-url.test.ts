import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeJournal, openJournal } from '../../src/adapters/journal/open-journal.ts';
import { escapeText, unescapeText } from '../../src/adapters/journal/postgres/escaping.ts';
import { describeTarget, readTarget } from '../../src/adapters/journal/postgres/target.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';

const read = (url: string, environment = {}) => readTarget(url, environment);

describe('a postgres:// URL', () => {
  test('names user, password, hosts, database and schema', () => {
    expect(read('postgres://me:pa%40ss@one:1,two,[::1]:3/calls?schema=other&sslmode=disable')).toMatchObject({
      hosts: [
        { host: 'one', port: 1 },
        { host: 'two', port: 5_432 },
        { host: '::1', port: 3 },
      ],
      user: 'me',
      password: 'pa@ss',
      database: 'calls',
      schema: 'other',
      encryption: { mode: 'disable', rootCertificate: null },
    });
  });

  test('leaves what it does not say to libpq’s variables, and to what libpq takes without them', () => {
    expect(
      read('postgresql://', {
        PGHOST: 'a,b',
        PGPORT: '7,8',
        PGUSER: 'u',
        PGPASSWORD: 'p',
        PGDATABASE: 'd',
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: '/r',
        PGSSLCERT: '/c',
        PGSSLKEY: '/k',
        PGPASSFILE: '/f',
        PGCONNECT_TIMEOUT: '7',
      }),
    ).toEqual({
      hosts: [
        { host: 'a', port: 7 },
        { host: 'b', port: 8 },
      ],
      user: 'u',
      password: 'p',
      passwordFile: '/f',
      database: 'd',
      schema: 'holdfast',
      encryption: { mode: 'verify-full', rootCertificate: '/r', certificate: '/c', key: '/k' },
      connectTimeoutMs: 7_000,
    });
    const { username } = userInfo();
    expect(read('postgres://')).toMatchObject({
      hosts: [{ host: 'localhost', port: 5_432 }],
      user: username,
      password: null,
      passwordFile: join(homedir(), '.pgpass'),
      database: username,
      encryption: { mode: 'prefer' },
    });
  });

  test('may say in its parameters what else stands before them', () => {
    const url =
      'postgres:///?host=/run/pg,other&port=5,6&user=u&password=p&dbname=d&target_session_attrs=read-write';
    expect(read(url)).toMatchObject({
      hosts: [
        { host: '/run/pg', port: 5 },
        { host: 'other', port: 6 },
      ],
      user: 'u',
      password: 'p',
      database: 'd',
    });
  });

  test.each([
    ['postgres:me@host/db', /look like/],
    ['postgres://me:se@cret@host/db', /hosts is none .an @ in a password is written %40/],
    ['postgres://host:99999/db', /ports/],
    ['postgres://host:1:2/db', /hosts/],
    [
      'postgres://host/db?sslmode=verify',
      /sslmode must be one of disable, prefer, require, verify-ca, verify-full/,
    ],
    ['postgres://host/db?schema=Public;', /schema must be/],
    ['postgres://host/db?sslrotcert=x', /sslrotcert is not one of/],
    ['postgres://host/db?channel_binding=require', /channel_binding cannot be require/],
    ['postgres://host/db?target_session_attrs=standby', /target_session_attrs cannot be standby/],
    ['postgres://host/db?connect_timeout=soon', /connect_timeout must be/],
    ['postgres://me:sec%ret@host/db', /%25/],
  ])('is refused as %j, with the reason', (url, reason) => {
    expect(() => read(url)).toThrow(
      expect.objectContaining({
        name: 'FixCallError',
        code: 'journal.url',
        message: expect.stringMatching(reason),
      }),
    );
  });

  test('is shown and refused without its password', async () => {
    expect(describeJournal('postgres://me:secret@one,two:7/calls?password=secret2')).toBe(
      'postgres://me@one:5432,two:7/calls?schema=holdfast',
    );
    expect(describeTarget(read('postgres://me@[::1]/calls?host=/run'))).toBe(
      'postgres://me@/run/.s.PGSQL.5432/calls?schema=holdfast',
    );
    expect(describeJournal('sqlite:data/x.db')).toBe('sqlite:data/x.db');
    const opening = openJournal('postgres://me:secret@host:99999/calls', { clock });
    await expect(opening).rejects.toThrow(/^(?!.*secret)/s);
  });
});

describe('a text that PostgreSQL cannot hold', () => {
  test.each([
    '',
    'plain',
    '\u0000',
    'a\u0000b\u0000',
    '\uffff',
    '\ufffe',
    '\ufffe\uffff\u0000\ufffe',
    '👋\n\u0000',
  ])('comes back as it was: %j', (text) => {
    expect(escapeText(text)).not.toContain('\u0000');
    expect(unescapeText(escapeText(text))).toBe(text);
  });

  test('loses half of a pair of surrogates, as in UTF-8', () => {
    expect(unescapeText(escapeText('cut \ud83d'))).toBe('cut \ufffd');
  });
});
