/**
 * Owns: the errors that the service reports in an `error` event, with codes and texts as clients reported them.
 * Does not own: when they happen; refusals at the door (`connection/admission.ts`).
 *
 * Where no public record shows a code or a text of the live service, the docstring says so.
 *
 * Source: OpenAI Realtime, server events, `error`; public issue threads of client libraries.
 */
import type { z } from 'zod';

export interface ProtocolError {
  type: 'invalid_request_error' | 'rate_limit_exceeded' | 'insufficient_quota';
  code: string | null;
  message: string;
  param: string | null;
}

const invalidRequest = (
  code: string | null,
  message: string,
  param: string | null = null,
): ProtocolError => ({ type: 'invalid_request_error', code, message, param });

/** What a client sent is repeated to it only in part: an error never outgrows its cause. */
const shorten = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))).slice(0, 200);

const quoteAll = (values: readonly unknown[]): string => values.map((value) => `'${value}'`).join(', ');

/** Text not on record. */
export const notAnEvent = (): ProtocolError =>
  invalidRequest('invalid_event', 'The event is not a JSON object.');

export const missingType = (): ProtocolError =>
  invalidRequest('invalid_event', "The 'type' field is missing.");

const missingParameter = (param: string): ProtocolError =>
  invalidRequest('missing_required_parameter', `Missing required parameter: '${param}'.`, param);

const unknownParameter = (param: string): ProtocolError =>
  invalidRequest('unknown_parameter', `Unknown parameter: '${shorten(param)}'.`, shorten(param));

/** Text not on record beyond "Supported values are". */
export const unsupportedValue = (
  param: string,
  value: unknown,
  supported: readonly unknown[],
): ProtocolError =>
  invalidRequest(
    'invalid_value',
    `Invalid value: '${shorten(value)}'. Supported values are: ${quoteAll(supported)}.`,
    param,
  );

/** Text not on record. */
export const invalidValue = (param: string, why: string): ProtocolError =>
  invalidRequest('invalid_value', `Invalid value for '${param}': ${why}.`, param);

export const transcriptionUpdate = (): ProtocolError =>
  invalidRequest(
    'invalid_value',
    'Passing a transcription session update event to a realtime session is not allowed.',
    'session.type',
  );

export const voiceLocked = (): ProtocolError =>
  invalidRequest(
    'cannot_update_voice',
    "Cannot update a conversation's voice if assistant audio is present.",
  );

export const commitTooSmall = (bufferedMs: number): ProtocolError =>
  invalidRequest(
    'input_audio_buffer_commit_empty',
    'Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, ' +
      `but buffer only has ${bufferedMs.toFixed(2)}ms of audio.`,
  );

export const responseActive = (responseId: string): ProtocolError =>
  invalidRequest(
    'conversation_already_has_active_response',
    `Conversation already has an active response in progress: ${responseId}. ` +
      'Wait until the response is finished before creating a new one.',
  );

/** A bound of the twin. */
export const tooManyResponses = (): ProtocolError => ({
  type: 'rate_limit_exceeded',
  code: null,
  message: 'Too many responses run at once.',
  param: null,
});

export const nothingToCancel = (): ProtocolError =>
  invalidRequest('response_cancel_not_active', 'Cancellation failed: no active response found');

/** Code and text not on record. */
export const itemNotFound = (itemId: string, param: string): ProtocolError =>
  invalidRequest('item_not_found', `Item with item_id '${shorten(itemId)}' not found.`, param);

/** Code and text not on record. */
export const duplicateItem = (itemId: string): ProtocolError =>
  invalidRequest('invalid_value', `An item with the id '${itemId}' exists already.`, 'item.id');

export const unknownCall = (callId: string): ProtocolError =>
  invalidRequest('invalid_value', `Tool call ID '${callId}' not found in conversation.`, 'item.call_id');

export const truncatedBeyondEnd = (audioMs: number, askedMs: number): ProtocolError =>
  invalidRequest('invalid_value', `Audio content of ${audioMs}ms is already shorter than ${askedMs}ms`);

export const notTruncatable = (): ProtocolError =>
  invalidRequest(null, 'Only model output audio messages can be truncated');

export const sessionExpired = (maximumMinutes: number): ProtocolError =>
  invalidRequest('session_expired', `Your session hit the maximum duration of ${maximumMinutes} minutes.`);

/** What the first issue of a failed zod parse is in the words of the service. `root` names the parsed value. */
export function errorOfIssues(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  root: string,
): ProtocolError {
  const errors = issues.map((issue) => errorOfIssue(issue, value, root));
  const missing = errors.find((error) => error.code === 'missing_required_parameter');
  return missing ?? errors[0] ?? notAnEvent();
}

function errorOfIssue(issue: z.core.$ZodIssue, value: unknown, root: string): ProtocolError {
  const path = pathOf(root, issue.path);
  const found = valueAt(value, issue.path);
  if (issue.code === 'unrecognized_keys') return unknownParameter(pathOf(path, issue.keys.slice(0, 1)));
  if (issue.code === 'invalid_union') return errorOfUnion(issue, path, found);
  if (found === undefined) return missingParameter(path);
  if (issue.code === 'invalid_value') return unsupportedValue(path, found, issue.values);
  return invalidValue(path, issue.message);
}

/** A union told apart by a field that is missing or wrong; else a value that no branch takes. */
function errorOfUnion(issue: z.core.$ZodIssueInvalidUnion, path: string, found: unknown): ProtocolError {
  if (found === undefined) return missingParameter(path);
  const options = 'options' in issue ? issue.options : undefined;
  return Array.isArray(options)
    ? unsupportedValue(path, found, options)
    : invalidValue(path, 'it has none of the allowed shapes');
}

/** As the service writes it: `session.tools[0].name`. */
function pathOf(root: string, path: readonly PropertyKey[]): string {
  const written = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return root === '' ? written.replace(/^\./, '') : root + written;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<PropertyKey, unknown>)[key];
  }
  return found;
}
