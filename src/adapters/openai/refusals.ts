/**
 * Owns: the one table that says what follows from an error event, a close code or an HTTP status of the far side; and
 * what pause an error asks for.
 * Does not own: carrying it out (`connection.ts`, `session.ts`, `response-queue.ts`).
 *
 * Source: OpenAI Realtime, server events, `error`; OpenAI API, error codes; RFC 6455 section 7.4.1 and RFC 9110
 * section 15; reports of close codes in public issue threads.
 *
 * Invariants:
 * F1. A cause holds a number, a name given here, or a word of the far side that cannot be a key or a person's word:
 *     its messages may repeat either.
 */
import type { DraftOf } from '../../machines/entries.ts';
import type { SocketClosure, SocketRefusal } from '../../runtime/ports/socket.ts';

/**
 * - `ignore`: nothing is lost, or a watchdog of the call chart sees to it.
 * - `requeue`: the refused request for a reply waits for its turn again.
 * - `slowDown`: too much was asked for. The refused request for a reply is sent again after a pause.
 * - `bug`: we sent something wrong. Counted; while the session is being opened it gives up.
 * - `giveUp`: the session is over, and no new one would fare better.
 * - `retry`: the session is over, and a new one may help.
 */
export type Reaction = 'ignore' | 'requeue' | 'slowDown' | 'bug' | 'giveUp' | 'retry';

/** What is known of a session's end, before it is a `model.closed`. */
export type Closing = Pick<DraftOf<'model.closed'>, 'code' | 'cause' | 'reaction' | 'retryAfterMs'>;

/**
 * `error.` names the error's code, or its type where it has no code. A `*` stands for all that are not listed.
 */
export const refusals: Readonly<Record<string, Reaction>> = {
  'error.response_cancel_not_active': 'ignore',
  'error.input_audio_buffer_commit_empty': 'ignore',
  'error.item_not_found': 'ignore',
  'error.unsupported_content_type': 'ignore',
  'error.rate_limit_exceeded': 'slowDown',
  'error.server_error': 'ignore',
  'error.conversation_already_has_active_response': 'requeue',
  'error.invalid_value': 'bug',
  'error.missing_required_parameter': 'bug',
  'error.unknown_parameter': 'bug',
  'error.invalid_event': 'bug',
  'error.cannot_update_voice': 'bug',
  'error.invalid_request_error': 'bug',
  'error.invalid_api_key': 'giveUp',
  'error.model_not_found': 'giveUp',
  'error.missing_model': 'giveUp',
  'error.invalid_intent': 'giveUp',
  'error.beta_api_shape_disabled': 'giveUp',
  'error.insufficient_quota': 'giveUp',
  'error.authentication_error': 'giveUp',
  'error.session_expired': 'retry',
  'error.*': 'ignore',
  'close.1000': 'retry',
  'close.1001': 'retry',
  'close.1005': 'retry',
  'close.1006': 'retry',
  'close.1009': 'retry',
  'close.1011': 'retry',
  'close.1012': 'retry',
  // Its meaning is "try again later", and where it stands for an empty account the reason says so.
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

/** The part of an error that names it (OpenAI Realtime, server events, `error`). */
export interface ErrorName {
  code?: string | null | undefined;
  type?: string | undefined;
}

const nameOf = ({ code, type }: ErrorName): string => code ?? type ?? '';

/** The row of an error: by its code, or by its type where it has none. */
export const reactionToError = (error: ErrorName): Reaction =>
  refusals[`error.${nameOf(error)}`] ?? refusals['error.*'] ?? 'ignore';

export const causeOfError = (error: ErrorName): string => plainName(nameOf(error));

/** Codes and reasons are lower-case words (F1). */
export const plainName = (name: string): string => (/^[a-z_]{1,60}$/.test(name) ? name : 'unnamed');

const msOf: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** An error with its message, which may repeat what it should not (F1). */
export type ToldError = ErrorName & { message?: string | null };

/**
 * The pause that an error for want of rate asks for; null where it names none. It stands in the message alone: "Please
 * try again in 6.232s", "in 250ms", "in 1m26.4s" (public reports of failed responses).
 */
export function toldPauseOf({ message }: ToldError): number | null {
  const told = /try again in ((?:\d+(?:\.\d+)?(?:ms|[hms]))+)/i.exec(message ?? '')?.[1];
  if (told === undefined) return null;
  const parts = told.toLowerCase().matchAll(/([\d.]+)(ms|[hms])/g);
  return [...parts].reduce((sumMs, [, count, unit = '']) => sumMs + Number(count) * (msOf[unit] ?? 0), 0);
}

const endsSession = (reaction: Reaction | undefined): reaction is 'giveUp' | 'retry' =>
  reaction === 'giveUp' || reaction === 'retry';

/** The first of the names that the table knows as the end of a session. */
function endAmong(names: readonly string[]): { cause: string; reaction: 'giveUp' | 'retry' } | null {
  for (const cause of names) {
    const reaction = refusals[`error.${cause}`];
    if (endsSession(reaction)) return { cause, reaction };
  }
  return null;
}

function rowEnd(kind: 'close' | 'http', code: number): { cause: string; reaction: 'giveUp' | 'retry' } {
  const serverFault = kind === 'http' && code >= 500 ? refusals['http.5xx'] : undefined;
  const reaction = refusals[`${kind}.${code}`] ?? serverFault ?? refusals[`${kind}.*`];
  return { cause: `${kind}.${code}`, reaction: endsSession(reaction) ? reaction : 'retry' };
}

/** How a session ended whose socket was closed. The reason may be `type.code`, as in `insufficient_quota.insufficient_quota`. */
export function closingOfSocket({ code, reason }: SocketClosure): Closing {
  const end = endAmong(reason.split('.')) ?? rowEnd('close', code);
  return { code, ...end, retryAfterMs: null };
}

/** How a session ended whose socket was refused. */
export function closingOfRefusal({ kind, status, retryAfterMs, detail }: SocketRefusal): Closing {
  if (kind !== 'http' || status === null) {
    const cause = kind === 'timeout' ? 'handshake.timeout' : networkCause(detail);
    return { code: null, cause, reaction: 'retry', retryAfterMs };
  }
  const end = endAmong(codesInBody(detail)) ?? rowEnd('http', status);
  return { code: status, ...end, retryAfterMs };
}

/** Names the system's error code (as `ECONNREFUSED`), which carries no secret. */
const networkCause = (detail: string): string =>
  `network.${/\bE[A-Z]{3,20}\b/.exec(detail)?.[0] ?? 'failed'}`;

/** `error.code` and `error.type` of a JSON body, where there is one. */
function codesInBody(body: string): string[] {
  try {
    const { code, type } = (JSON.parse(body) as { error: { code: unknown; type: unknown } }).error;
    return [code, type].filter((name) => typeof name === 'string');
  } catch {
    return [];
  }
}
