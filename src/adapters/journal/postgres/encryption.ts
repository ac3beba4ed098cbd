/**
 * Owns: what an `sslmode` asks of a connection (PostgreSQL, 34.19.1 "Client Verification of Server Certificates").
 * Does not own: the handshake.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { FixCallError } from '../../../runtime/ports/errors.ts';
import type { EncryptionSettings, PostgresHost } from './target.ts';

const libpqFolder = join(homedir(), '.postgresql');

/** What postgres.js takes as `ssl`: `prefer` goes on without where the server has none. */
export type Encryption = false | 'prefer' | ConnectionOptions;

/** Reads the files anew for each connection: a renewed certificate needs no restart. @throws FixCallError `journal.url` */
export function encryptionFor(settings: EncryptionSettings, { host }: PostgresHost): Encryption {
  const { mode } = settings;
  if (mode === 'disable' || host.startsWith('/')) return false;
  if (mode === 'prefer') return 'prefer';
  const root = rootOf(settings);
  const isVerified = mode !== 'require' || root !== null;
  return {
    ...clientCertificate(settings),
    ...(root === null || root === 'system' ? {} : { ca: readFile('sslrootcert', root) }),
    rejectUnauthorized: isVerified,
    checkServerIdentity: (_, certificate) =>
      mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
  };
}

/** With `require`, a root certificate that is named is verified against, as libpq does. */
function rootOf({ mode, rootCertificate }: EncryptionSettings): string | null {
  if (rootCertificate !== null || mode === 'require') return rootCertificate;
  const usual = join(libpqFolder, 'root.crt');
  if (existsSync(usual)) return usual;
  throw new FixCallError(
    'journal.url',
    `JOURNAL_URL: sslmode=${mode} needs the certificate of the authority to trust: add sslrootcert=PATH, or sslrootcert=system for those that Node.js trusts`,
  );
}

function clientCertificate({ certificate, key }: EncryptionSettings): ConnectionOptions {
  if (certificate === null) return {};
  return { cert: readFile('sslcert', certificate), key: readFile('sslkey', key ?? certificate) };
}

function readFile(parameter: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new FixCallError('journal.url', `JOURNAL_URL: ${parameter} cannot be read: ${path}: ${reason}`);
  }
}
