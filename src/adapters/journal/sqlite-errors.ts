/**
 * Owns: what an error of `node:sqlite` or of the file system means to a user of the journal, and how an error
 * crosses from the worker to the main thread.
 * Does not own: conflicts, which are results and not errors.
 */
import {
  type ErrorCode,
  FixCallError,
  GiveUpError,
  HoldfastError,
  RetryError,
} from '../../runtime/ports/errors.ts';

/** SQLite, Result Codes: the low byte of the extended code. */
const resultCodes = { constraint: 19, corrupt: 11, mismatch: 20, notADatabase: 26, range: 25, tooBig: 18 };

/** SQLite: "SQL error or missing database". Our statements fit every file of ours: what refuses them is damaged. */
export const genericError = 1;

const damaged: readonly number[] = [resultCodes.corrupt, resultCodes.notADatabase];
const unstorable: readonly number[] = [
  resultCodes.constraint,
  resultCodes.mismatch,
  resultCodes.range,
  resultCodes.tooBig,
];

/** The primary result code of an error of `node:sqlite`, null for any other error. */
export function sqliteErrorNumber(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : null;
}

/**
 * Busy beyond the timeout, a full disk, a failed read or write, no permission: the journal may give in later.
 * A value that no row can hold is the caller's to fix.
 */
export function toJournalError(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const number = sqliteErrorNumber(error);
  const message = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (number !== null && damaged.includes(number))
    return new GiveUpError(
      'journal.corrupt',
      `${path} is damaged: ${message}. Nothing was written.`,
      options,
    );
  if (error instanceof TypeError || (number !== null && unstorable.includes(number)))
    return new FixCallError('log.invalid', `the journal cannot hold this: ${message}`, options);
  return new RetryError('journal.unavailable', `${path}: ${message}`, options);
}

/** An error as a message between threads. */
export interface Failure {
  code: ErrorCode;
  detail: string;
}

export function toFailure({ code, message }: HoldfastError): Failure {
  return { code, detail: message };
}

const errorClasses: Partial<Record<ErrorCode, typeof HoldfastError>> = {
  'journal.corrupt': GiveUpError,
  'journal.future': GiveUpError,
  'log.invalid': FixCallError,
};

export function fromFailure({ code, detail }: Failure): HoldfastError {
  return new (errorClasses[code] ?? RetryError)(code, detail);
}
