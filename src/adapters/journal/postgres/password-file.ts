/**
 * Owns: the password that libpq's password file holds for a connection (PostgreSQL, 34.16 "The Password File").
 * Does not own: which file that is (`target.ts`).
 */
import { readFileSync, statSync } from 'node:fs';
import type { PostgresHost, PostgresTarget } from './target.ts';

/** What others than its owner may do with a file. */
const forOthers = 0o077;

/** Read anew for each connection, so that a changed password needs no restart. Without one the server may ask for none. */
export function findPassword(target: PostgresTarget, { host, port }: PostgresHost): string {
  if (target.password !== null) return target.password;
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), target.database, target.user];
  for (const line of readPrivateLines(target.passwordFile)) {
    const fields = splitFields(line);
    if (wanted.every((value, index) => fields[index] === '*' || fields[index] === value))
      return fields[4] ?? '';
  }
  return '';
}

/** As libpq does, a file that others may read is left alone. */
function readPrivateLines(path: string): string[] {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status?.isFile() || (status.mode & forOthers) !== 0) return [];
  const lines = readFileSync(path, 'utf8').split(/\r?\n/);
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** Fields are parted by colons; `\` takes the next character as it is. */
function splitFields(line: string): string[] {
  const fields = [''];
  for (const [character, escaped] of line.matchAll(/\\(.)|./g)) {
    if (character === ':') fields.push('');
    else fields[fields.length - 1] += escaped ?? character;
  }
  return fields;
}
