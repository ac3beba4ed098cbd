/** Owns: the identifiers of the service: a prefix, then base62 characters. Does not own: what they name. */
import type { Random } from '../../random.ts';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Characters after the prefix; seen in sessions of the live service. */
const lengthByPrefix = { event: 21, item: 21, resp: 21, conv: 21, sess: 21, call: 16 } as const;

export type IdentifierPrefix = keyof typeof lengthByPrefix;

/** Makes the next identifier of a kind, for example `item_` and 21 characters. */
export type Identify = (prefix: IdentifierPrefix) => string;

/** A word of base62 characters. */
export function randomWord(random: Random, length: number): string {
  let word = '';
  for (let index = 0; index < length; index += 1) word += base62[Math.floor(random() * base62.length)];
  return word;
}

export const identifyWith =
  (random: Random): Identify =>
  (prefix) =>
    `${prefix}_${randomWord(random, lengthByPrefix[prefix])}`;
