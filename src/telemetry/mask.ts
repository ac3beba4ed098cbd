/**
 * Owns: what no log line and no span may show: values that are secret, and phone numbers.
 * Does not own: where it is applied (`logger.ts` to each whole line, `traces/span-recorder.ts` to each text of a span).
 *
 * A number is known by its shape, E.164 with its plus sign, also with separators or percent-encoded: digits alone could
 * as well be a time, a size or a port. A secret is known by its value, also where JSON or a URL has written it otherwise.
 */

export type Mask = (text: string) => string;

/** Six digits at least: what is shorter after a plus sign is no number that anybody can be called at. */
const phoneNumber = /(?:\+|%2B)[1-9](?:[ ()./-]{0,2}\d){5,14}/gi;

/** A shorter value cannot be masked without tearing up lines that have nothing to do with it. */
const shortestSecret = 8;

const withinJson = (text: string): string => JSON.stringify(text).slice(1, -1);

/** Every way in which a line may hold the value. */
const formsOf = (secret: string): string[] => [
  withinJson(secret),
  withinJson(encodeURIComponent(secret.toWellFormed())),
];

export function maskSecrets(secrets: readonly string[]): Mask {
  const known = secrets.filter(({ length }) => length >= shortestSecret).flatMap(formsOf);
  // The longest first: one may be part of another.
  const forms = [...new Set(known)].sort((one, other) => other.length - one.length);
  return (text) => {
    let masked = text;
    for (const form of forms) if (masked.includes(form)) masked = masked.replaceAll(form, '[secret]');
    return masked;
  };
}

export const maskNumbers: Mask = (text) =>
  text.includes('+') || text.includes('%2') ? text.replace(phoneNumber, '[number]') : text;
