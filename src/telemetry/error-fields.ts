/**
 * Owns: what a log line tells of an error. At an ordinary level which it is and where it came from, never the words of
 * anybody's code but ours; where a person looks for a fault, its words too.
 * Does not own: at which levels that is (`logger.ts`).
 *
 * Invariants:
 * M3. Of whatever anybody's code throws a line can be written: a field that cannot be read, or is not what it should be,
 *     is left out. What fails here would fail in the handlers that keep an agent's faults from ending calls.
 */
import { HoldfastError } from '../runtime/ports/errors.ts';

/** Innermost places of the stack that are told. */
const mostPlaces = 5;

/** Also of a proxy, which may refuse to say. */
export function isA<Kind>(kind: new (...parameters: never[]) => Kind, value: unknown): value is Kind {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}

/** A getter may throw, and so may the stack, which V8 writes when it is first read. */
function fieldOf(error: Error, name: 'name' | 'code' | 'message' | 'stack'): unknown {
  try {
    return (error as Partial<Record<typeof name, unknown>>)[name];
  } catch {
    return undefined;
  }
}

function textOf(error: Error, name: 'message' | 'stack'): string {
  const text = fieldOf(error, name);
  return typeof text === 'string' ? text : '';
}

/** `at f (file.ts:1:2)`, without the message before them, which may hold lines that look alike. */
function placesOf(error: Error): string[] {
  const [message, stack] = [textOf(error, 'message'), textOf(error, 'stack')];
  const start = stack.indexOf(message);
  return stack
    .slice(start < 0 ? 0 : start + message.length)
    .split('\n')
    .filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
    .slice(0, mostPlaces)
    .map((line) => line.trim());
}

/** Our own messages hold no personal data, but for those that repeat what an agent's code threw. */
const messageOf = (error: Error): { message?: string } =>
  isA(HoldfastError, error) && fieldOf(error, 'code') !== 'agent.invalid'
    ? { message: textOf(error, 'message') }
    : {};

/** A name, and nothing that could be a sentence or a number: anybody's code may fill these fields. */
const isName = (text: unknown): text is string =>
  typeof text === 'string' && /^[a-z][\w.]{0,60}$/i.test(text);

/** A name, or the status of an HTTP answer. */
function codeOf(error: Error): { code?: string | number } {
  const code = fieldOf(error, 'code');
  const isStatus = typeof code === 'number' && code >= 100 && code <= 599;
  return isName(code) || isStatus ? { code } : {};
}

/** The `err` field of a line. */
export function errorFields(error: unknown): object {
  if (!isA(Error, error)) return { type: typeof error };
  const name = fieldOf(error, 'name');
  return {
    type: isName(name) ? name : 'Error',
    ...codeOf(error),
    ...messageOf(error),
    at: placesOf(error),
  };
}

/** The `err` field with its words and its whole stack, whoever wrote them. */
export function errorWithWords(error: unknown): object {
  const words = isA(Error, error) ? { message: textOf(error, 'message'), stack: textOf(error, 'stack') } : {};
  return { ...errorFields(error), ...words };
}
