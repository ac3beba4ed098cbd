/**
 * Owns: the identifiers that Twilio gives to things: two letters and 32 hexadecimal digits.
 * Does not own: what they name.
 *
 * Source: Twilio, String Identifiers (SID).
 */
import type { Random } from '../random.ts';

/** Account, call, media stream, recording, phone number. */
export type SidPrefix = 'AC' | 'CA' | 'MZ' | 'RE' | 'PN';

/** `digits` random hexadecimal digits. */
export function randomHex(random: Random, digits: number): string {
  let hex = '';
  for (let index = 0; index < digits; index += 1) hex += Math.floor(random() * 16).toString(16);
  return hex;
}

export const makeSid = (random: Random, prefix: SidPrefix): string => `${prefix}${randomHex(random, 32)}`;
