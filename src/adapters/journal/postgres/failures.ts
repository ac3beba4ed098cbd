/**
 * Owns: what an error of PostgreSQL, of postgres.js or of the network means: to a user of the journal, and to a statement
 * that may be tried again.
 * Does not own: conflicts, which are results and not errors.
 *
 * Invariants: an error that leaves here holds the server's message and its SQLSTATE alone. The detail of a server's error
 * can hold a row's contents, and the error of postgres.js the statement's values.
 */
import postgres from 'postgres';
import { FixCallError, GiveUpError, HoldfastError, RetryError } from '../../../runtime/ports/errors.ts';

/**
 * `lost`: nobody knows whether the statement was carried out. `later`: it was not, and may be at once when asked again.
 * `unfit`: it was not, for a value that no row can hold, or that breaks a constraint. `refused`: it was not.
 */
export type Failure = 'lost' | 'later' | 'unfit' | 'refused';

/** PostgreSQL, Appendix A: serialization failure, deadlock, unique violation, lock not available. */
const passing = ['40001', '40P01', '23505', '55P03'];
/** Data exception, integrity constraint violation, program limit exceeded: their classes. */
const unfit = ['22', '23', '54'];
/** Damaged data, a damaged index. */
const damaged = ['XX001', 'XX002'];
/** A server that goes down, comes up, or is a standby: another connection may find a better one. */
const elsewhere = ['57P01', '57P02', '57P03', '57P05', '25006'];

/** The SQLSTATE of an error of the server, null for any other error. */
export function stateOf(error: unknown): string | null {
  return error instanceof postgres.PostgresError ? error.code : null;
}

export function kindOf(error: unknown): Failure {
  const state = stateOf(error);
  if (state === null) return isUnsendable(error) ? 'unfit' : 'lost';
  if (state.startsWith('08') || elsewhere.includes(state)) return 'lost';
  if (passing.includes(state)) return 'later';
  return unfit.includes(state.slice(0, 2)) ? 'unfit' : 'refused';
}

/** A value that postgres.js finds no text for. */
const isUnsendable = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  (error as { code?: unknown }).code === 'UNDEFINED_VALUE';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The error without what it may hold of the journal's contents. */
function bareCause(error: unknown): ErrorOptions {
  return { cause: new Error(messageOf(error)) };
}

/** What an operation's caller is told. */
export function toJournalError(error: unknown, place: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const state = stateOf(error);
  const said = state === null ? messageOf(error) : `${messageOf(error)} (SQLSTATE ${state})`;
  if (kindOf(error) === 'unfit')
    return new FixCallError('log.invalid', `the journal cannot hold this: ${said}`, bareCause(error));
  if (damaged.includes(state ?? ''))
    return new GiveUpError('journal.corrupt', `${place} is damaged: ${said}`, bareCause(error));
  return new RetryError('journal.unavailable', `${place}: ${said}`, bareCause(error));
}

/** Whatever keeps a journal from its server that it was connected to before may pass: a password that is being changed. */
export function toUnavailable(error: unknown, place: string): RetryError {
  return new RetryError('journal.unavailable', `${place}: ${messageOf(error)}`, bareCause(error));
}

/** What a person can put right before the first connection, by SQLSTATE or Node.js's code. */
const advice: Readonly<Record<string, string>> = {
  '28P01': 'the password is wrong: correct it in JOURNAL_URL, PGPASSWORD or the password file',
  '28000': 'the role may not log in so: look at the name of the role, at pg_hba.conf, and at sslmode',
  '3D000': 'there is no such database: create it (CREATE DATABASE), or correct its name',
  '42501': 'the role lacks a right: let it own the database or the schema',
  '0LP01': 'the role lacks a right: let it own the database or the schema',
  ENOTFOUND: 'there is no host of this name: correct it',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not from the authority in sslrootcert',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not from the authority in sslrootcert',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not from the authority in sslrootcert',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not from the authority in sslrootcert',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another name: correct the host, or use sslmode=verify-ca',
};

/** The same before the journal was ever open: what will not pass by itself is for a person to fix. */
export function toOpeningError(error: unknown, place: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = advice[code];
  if (known === undefined) return toJournalError(error, place);
  return new FixCallError('journal.url', `JOURNAL_URL: ${place}: ${known} (${messageOf(error)})`);
}
