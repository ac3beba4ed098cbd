/**
 * Owns: the coded errors of the system. The class says what the caller should do; the code says what happened.
 * Does not own: refusals of the far side that the chart reacts to (those are entries, not errors).
 *
 * `docs/errors.md` lists every code; a test holds the two together.
 */

export const errorCodes = {
  'journal.conflict': 'Another process has appended to this call: this one no longer owns it.',
  'journal.unavailable': 'The journal did not take or give the data now; it may later.',
  'journal.corrupt':
    "The journal's file or schema is not a Holdfast journal or is damaged. Nothing was written to it.",
  'journal.future': 'The journal or the log was written by a newer Holdfast than this one.',
  'journal.past': 'The log was written by an older Holdfast, whose chart this one no longer keeps.',
  'journal.closed': 'The journal was used after it was closed.',
  'journal.url':
    'JOURNAL_URL names no journal that this version knows, or a database that does not let it in.',
  'log.invalid': 'A log does not fold: an entry is malformed or was never possible.',
  'call.unknown': 'There is no call with this id.',
  'call.released': 'This process let go of the call before its entries were durable.',
  'call.exists': 'A call with this id has been created before.',
  'call.live': 'The call has not ended yet: what belongs to it cannot be erased.',
  'call.over': 'The call has ended: nothing can be done with it any more.',
  'command.invalid': 'An operator asked for something that cannot be done so.',
  'agent.invalid': 'The agent definition does not parse.',
  'configuration.invalid': 'The environment is missing variables or has wrong ones.',
  'carrier.refused': 'The carrier refused the request for good.',
  'carrier.unavailable': 'The carrier did not answer, or asked to be asked later.',
  'edge.refused': 'A request from outside was refused.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export class HoldfastError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail === '' ? errorCodes[code] : detail, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The same call may succeed later: try again. */
export class RetryError extends HoldfastError {}

/** The same call will never succeed, and nothing the caller sends would help: give up. */
export class GiveUpError extends HoldfastError {}

/** The call itself is wrong: fix it. */
export class FixCallError extends HoldfastError {}
