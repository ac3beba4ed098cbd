/**
 * Owns: what a log line tells of an error at an ordinary level: which it is and where it came from, never the words of
 * anybody's code but ours.
 */
import { HoldfastError } from '../runtime/ports/errors.ts';

/** Innermost places of the stack that are told. */
const mostPlaces = 5;

/** `at f (file.ts:1:2)`, without the message before them, which may hold lines that look alike. */
function placesOf({ message, stack = '' }: Error): string[] {
  const start = stack.indexOf(message);
  return stack
    .slice(start < 0 ? 0 : start + message.length)
    .split('\n')
    .filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
    .slice(0, mostPlaces)
    .map((line) => line.trim());
}

/** Our own messages hold no personal data, but for those that repeat what an agent's code threw. */
function messageOf(error: Error): { message?: string } {
  return error instanceof HoldfastError && error.code !== 'agent.invalid' ? { message: error.message } : {};
}

/** A name, and nothing that could be a sentence or a number: anybody's code may fill these fields. */
const isName = (text: unknown): text is string =>
  typeof text === 'string' && /^[a-z][\w.]{0,60}$/i.test(text);

/** A name, or the status of an HTTP answer. */
function codeOf(error: Error): { code?: string | number } {
  const code = 'code' in error ? error.code : undefined;
  const isStatus = typeof code === 'number' && code >= 100 && code <= 599;
  return isName(code) || isStatus ? { code } : {};
}

/** The `err` field of a line. */
export function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  return {
    type: isName(error.name) ? error.name : 'Error',
    ...codeOf(error),
    ...messageOf(error),
    at: placesOf(error),
  };
}
