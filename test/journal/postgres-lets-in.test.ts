/** Who is let in by PostgreSQL and how, and what a person is told who is not. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { openPostgresJournal } from '../../src/adapters/journal/postgres/postgres.ts';
import type { Environment } from '../../src/adapters/journal/postgres/target.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { Authority, type Certificate, textOf } from '../support/certificates.ts';
import { type PostgresCluster, password, role, type UrlParts, urlOver } from '../support/postgres-cluster.ts';
import { hasPostgres, needPostgres } from '../support/postgres-needed.ts';
import { shareServer } from '../support/postgres-server.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();

interface Refusal {
  name: string;
  code: string;
  message: string;
}

function describeDoor(): void {
  const server = shareServer();
  let cluster: PostgresCluster;
  let authority: Authority;
  let stranger: Authority;
  let client: Certificate;

  beforeAll(async () => {
    cluster = server.cluster();
    authority = new Authority(folder, 'authority');
    stranger = new Authority(folder, 'stranger');
    client = authority.sign(role);
    const own = authority.sign('localhost');
    await cluster.configure({
      ssl_cert_file: cluster.writePrivateFile('server.crt', textOf(own.certificatePath)),
      ssl_key_file: cluster.writePrivateFile('server.key', textOf(own.keyPath)),
      ssl_ca_file: cluster.writePrivateFile('authority.crt', textOf(authority.certificatePath)),
      ssl: 'on',
    });
    for (const name of ['sealed', 'certified', 'latin', 'foreign']) await cluster.createDatabase(name);
    await cluster.putAccessRules([
      'hostssl certified all 127.0.0.1/32 cert',
      'hostssl sealed all 127.0.0.1/32 scram-sha-256',
      'host sealed all 127.0.0.1/32 reject',
    ]);
  }, 60_000);

  const open = async (url: string, environment: Environment = {}): Promise<void> => {
    const journal = await openPostgresJournal(url, { clock, environment });
    await journal.list({});
    await journal.close();
  };

  /** What opening is refused with. Holds no password, however deep one looks. */
  async function refusalOf(url: string, environment: Environment = {}): Promise<Refusal> {
    const error = await open(url, environment).then(
      () => new Error('it was let in'),
      (reason) => reason,
    );
    const told = inspect(error, { depth: 9, showHidden: true });
    for (const secret of [password, encodeURIComponent(password), 'not-the-password'])
      expect(told).not.toContain(secret);
    return { name: error.name, code: error.code, message: error.message };
  }

  const byName = (parts: UrlParts) => urlOver([{ host: 'localhost', port: cluster.port }], parts);
  const tls = (parameters: Record<string, string>): UrlParts => ({ database: 'sealed', parameters });

  test.each<[string, () => string]>([
    ['without a word on TLS, as libpq prefers it', () => cluster.url({ database: 'sealed' })],
    ['with sslmode=require', () => cluster.url(tls({ sslmode: 'require' }))],
    [
      'with sslmode=verify-ca, whatever its address',
      () => cluster.url(tls({ sslmode: 'verify-ca', sslrootcert: authority.certificatePath })),
    ],
    [
      'with sslmode=verify-full by its name',
      () => byName(tls({ sslmode: 'verify-full', sslrootcert: authority.certificatePath })),
    ],
    [
      'by a client’s certificate in place of a password',
      () =>
        cluster.url({
          database: 'certified',
          password: 'not-the-password',
          parameters: { sslmode: 'require', sslcert: client.certificatePath, sslkey: client.keyPath },
        }),
    ],
    ['without TLS where there is a rule for it', () => cluster.url({ parameters: { sslmode: 'disable' } })],
  ])('lets in %s', async (_, url) => {
    await open(url());
  });

  test.each<[string, () => string, RegExp]>([
    ['a wrong password', () => cluster.url({ password: 'not-the-password' }), /password is wrong/],
    [
      'a role that there is not',
      () => cluster.url({ user: 'nobody-known' }),
      /password is wrong|may not log in/,
    ],
    ['a database that there is not', () => cluster.url({ database: 'nowhere' }), /no such database/],
    [
      'a host that there is not',
      () => urlOver([{ host: 'no-host.invalid', port: 1 }]),
      /no host of this name/,
    ],
    [
      'no encryption where it is asked for',
      () => cluster.url(tls({ sslmode: 'disable' })),
      /may not log in so.*pg_hba/,
    ],
    [
      'a certificate of another authority',
      () => byName(tls({ sslmode: 'verify-full', sslrootcert: stranger.certificatePath })),
      /not from the authority/,
    ],
    [
      'a certificate of another authority, to verify-ca',
      () => byName(tls({ sslmode: 'verify-ca', sslrootcert: stranger.certificatePath })),
      /not from the authority/,
    ],
    [
      'a certificate of another authority, to require with a root',
      () => byName(tls({ sslmode: 'require', sslrootcert: stranger.certificatePath })),
      /not from the authority/,
    ],
    [
      'a certificate for another name',
      () => cluster.url(tls({ sslmode: 'verify-full', sslrootcert: authority.certificatePath })),
      /for another name/,
    ],
    ['no authority to verify against', () => byName(tls({ sslmode: 'verify-full' })), /add sslrootcert/],
    [
      'a root certificate that cannot be read',
      () => byName(tls({ sslmode: 'verify-ca', sslrootcert: '/nowhere/root.crt' })),
      /sslrootcert cannot be read: .nowhere.root.crt: ENOENT/,
    ],
    ['no client’s certificate', () => cluster.url({ database: 'certified' }), /may not log in so/],
  ])('says what to fix about %s', async (_, url, message) => {
    const environment = { HOME: folder };
    expect(await refusalOf(url(), environment)).toMatchObject({
      name: 'FixCallError',
      code: 'journal.url',
      message: expect.stringMatching(message),
    });
  });

  test('says what to fix about a server without TLS', async () => {
    const plain = await cluster.query('SHOW ssl');
    expect(plain).toBe('on');
    await cluster.configure({ ssl: 'off' });
    try {
      expect(await refusalOf(cluster.url({ parameters: { sslmode: 'require' } }))).toMatchObject({
        name: 'FixCallError',
        message: expect.stringMatching(/does not speak TLS/),
      });
      await open(cluster.url());
    } finally {
      await cluster.configure({ ssl: 'on' });
    }
  });

  test('is asked again later where it is away', async () => {
    const away = { name: 'RetryError', code: 'journal.unavailable' };
    expect(await refusalOf(urlOver([{ port: 1 }]))).toMatchObject(away);
    await open(urlOver([{ port: 1 }, cluster]));
  });

  test('takes the password from the environment and from a private file', async () => {
    const url = `postgres://${role}@127.0.0.1:${cluster.port}/holdfast`;
    expect(await refusalOf(url, { PGPASSFILE: '/nowhere' })).toMatchObject({ code: 'journal.url' });
    await open(url, { PGPASSWORD: password });
    await open('postgres:///', {
      PGHOST: '127.0.0.1',
      PGPORT: String(cluster.port),
      PGUSER: role,
      PGDATABASE: 'holdfast',
      PGPASSWORD: password,
    });
    const path = join(folder, 'passwords');
    const escaped = password.replaceAll(/[:\\]/g, '\\$&');
    writeFileSync(path, `# ours\n127.0.0.1:1:*:*:not-the-password\n*:*:holdfast:${role}:${escaped}\n`, {
      mode: 0o600,
    });
    await open(url, { PGPASSFILE: path });
    chmodSync(path, 0o640);
    expect(await refusalOf(url, { PGPASSFILE: path })).toMatchObject({ code: 'journal.url' });
  });

  test('reaches a server by its Unix socket', async () => {
    await open(`postgres://${role}@${encodeURIComponent(cluster.folder)}:${cluster.port}/holdfast`);
    await open(`postgres://${role}@/holdfast?host=${cluster.folder}&port=${cluster.port}`);
  });

  test('refuses a database that cannot hold every text', async () => {
    await cluster.query("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 OWNER holdfast");
    expect(await refusalOf(cluster.url({ database: 'ascii' }))).toMatchObject({
      name: 'FixCallError',
      message: expect.stringMatching(/SQL_ASCII/),
    });
  });

  test('shows the instance with each connection', async () => {
    const journal = await openPostgresJournal(cluster.url(), { clock, instance: 'london-1' });
    await journal.list({});
    const names = await cluster.query(
      `SELECT DISTINCT application_name FROM pg_stat_activity WHERE usename = '${role}'`,
    );
    expect(names.split('\n')).toContain('holdfast/london-1');
    await journal.close();
  });
}

if (hasPostgres) describe('PostgreSQL', describeDoor);
else test('PostgreSQL lets in who may', needPostgres);
