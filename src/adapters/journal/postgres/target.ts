/**
 * Owns: what a `postgres://` URL and libpq's environment variables say about the server, as people who know libpq
 * expect it (PostgreSQL, 34.1.1 "Connection Strings" and 34.15 "Environment Variables").
 * Does not own: passwords in files (`password-file.ts`), what an `sslmode` asks for (`encryption.ts`).
 *
 * Invariants: nothing that is said about a URL repeats a password.
 */
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { FixCallError } from '../../../runtime/ports/errors.ts';

/** `host` is a name, an address, or the folder of a Unix socket. */
export interface PostgresHost {
  host: string;
  port: number;
}

export const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

export interface EncryptionSettings {
  mode: SslMode;
  /** Path, or `system` for the certificates that Node.js trusts; null: libpq's own place, where there is one. */
  rootCertificate: string | null;
  certificate: string | null;
  key: string | null;
}

/** One database on one server or on several that stand in for each other, and the schema in it that holds the journal. */
export interface PostgresTarget {
  hosts: readonly PostgresHost[];
  user: string;
  /** Null: what the password file says. */
  password: string | null;
  passwordFile: string;
  database: string;
  schema: string;
  encryption: EncryptionSettings;
  connectTimeoutMs: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const defaultPort = 5_432;
const defaultSchema = 'holdfast';
/** libpq waits for ever: no call should. */
const defaultConnectTimeoutMs = 2_000;
const shortestConnectTimeoutMs = 1_000;

const urlPattern =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?]*)(?::(?<password>[^@/?]*))?@)?(?<places>[^/?]*)(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/s;

/** In a channel's name of at most 63 bytes there is room for so much. */
const schemaPattern = /^[a-z_][a-z0-9_]{0,31}$/;

const readParameters = [
  ...['host', 'port', 'dbname', 'user', 'password', 'passfile', 'schema', 'connect_timeout'],
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
] as const;
type ReadParameter = (typeof readParameters)[number];

/** What libpq knows and what is so in any case: it may be said. */
const givenParameters: Readonly<Record<string, RegExp>> = {
  target_session_attrs: /^(any|read-write|primary)$/,
  channel_binding: /^(disable|prefer)$/,
  gssencmode: /^(disable|prefer)$/,
  application_name: /./,
};

export const isPostgresUrl = (url: string): boolean => /^postgres(ql)?:/i.test(url);

/** @throws FixCallError `journal.url` */
export function readTarget(url: string, environment: Environment): PostgresTarget {
  const parts = urlPattern.exec(url)?.groups;
  if (parts === undefined) throw fault('it must look like postgres://user@host:5432/database');
  const parameters = readQuery(parts.query ?? '');
  const say = (name: ReadParameter, part: string | undefined, variable: string) =>
    parameters.get(name) ?? (part ? decode(part) : undefined) ?? environment[variable];
  const user = say('user', parts.user, 'PGUSER') ?? userInfo().username;
  return {
    hosts: readHosts(parts.places ?? '', parameters, environment),
    user,
    password: say('password', parts.password, 'PGPASSWORD') ?? null,
    passwordFile: say('passfile', undefined, 'PGPASSFILE') ?? join(homedir(), '.pgpass'),
    database: say('dbname', parts.database, 'PGDATABASE') ?? user,
    schema: readSchema(parameters.get('schema') ?? defaultSchema),
    encryption: {
      mode: readMode(say('sslmode', undefined, 'PGSSLMODE') ?? 'prefer'),
      rootCertificate: say('sslrootcert', undefined, 'PGSSLROOTCERT') ?? null,
      certificate: say('sslcert', undefined, 'PGSSLCERT') ?? null,
      key: say('sslkey', undefined, 'PGSSLKEY') ?? null,
    },
    connectTimeoutMs: readTimeout(say('connect_timeout', undefined, 'PGCONNECT_TIMEOUT')),
  };
}

function readQuery(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter((some) => some !== '')) {
    const [name = '', ...value] = pair.split('=');
    parameters.set(decode(name), decode(value.join('=')));
  }
  for (const [name, value] of parameters) {
    if (readParameters.some((known) => known === name)) continue;
    const given = givenParameters[name];
    if (given === undefined) throw fault(`the parameter ${name} is not one of ${readParameters.join(', ')}`);
    if (!given.test(value)) throw fault(`the parameter ${name} cannot be ${value} here`);
  }
  return parameters;
}

function readHosts(
  places: string,
  parameters: ReadonlyMap<string, string>,
  environment: Environment,
): PostgresHost[] {
  const named = parameters.get('host') ?? (places === '' ? environment.PGHOST : undefined);
  const ports = (parameters.get('port') ?? environment.PGPORT ?? '').split(',');
  return (named ?? (places || 'localhost')).split(',').map((place, index) => {
    const [, inBrackets, plain, port] = /^(?:\[(.*)\]|([^:@]*))(?::(\d*))?$/.exec(place) ?? [];
    if (inBrackets === undefined && plain === undefined)
      throw fault('one of its hosts is none (an @ in a password is written %40)');
    const host = decode(inBrackets ?? plain ?? '') || 'localhost';
    return { host, port: readPort(port || ports[index] || ports[0] || String(defaultPort)) };
  });
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw fault('one of its ports is none');
  return port;
}

function readMode(text: string): SslMode {
  const mode = sslModes.find((known) => known === text);
  if (mode === undefined) throw fault(`sslmode must be one of ${sslModes.join(', ')}`);
  return mode;
}

function readSchema(text: string): string {
  if (!schemaPattern.test(text))
    throw fault('schema must be 1 to 32 lower-case letters, digits or _, and begin with no digit');
  return text;
}

/** Seconds. As with libpq, 0 asks for no bound; here it gives the default. */
function readTimeout(text: string | undefined): number {
  const seconds = Number(text ?? 0);
  if (!Number.isInteger(seconds) || seconds < 0)
    throw fault('connect_timeout must be a whole number of seconds');
  return seconds === 0 ? defaultConnectTimeoutMs : Math.max(shortestConnectTimeoutMs, seconds * 1_000);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault('a % in it is followed by no two hexadecimal digits: write a literal one as %25');
  }
}

function fault(problem: string): FixCallError {
  return new FixCallError('journal.url', `JOURNAL_URL names no PostgreSQL database: ${problem}`);
}

export const nameHost = ({ host, port }: PostgresHost): string =>
  host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** For people: everything but passwords. */
export function describeTarget({ hosts, user, database, schema }: PostgresTarget): string {
  return `postgres://${user}@${hosts.map(nameHost).join(',')}/${database}?schema=${schema}`;
}
