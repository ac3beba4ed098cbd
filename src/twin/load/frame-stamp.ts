/**
 * Owns: the stamp in 20 ms of mu-law by which a piece of audio is known again on the far side of what is measured: whose
 * it is, which number it has, and whether it is speech. It is read and written in base64 as it stands, without decoding
 * the audio around it.
 * Does not own: when a piece was sent (`flight-times.ts`).
 *
 * Nine bytes: three that the audio around them never holds in this order, two for the owner, one for the kind, three
 * for the number.
 *
 * Invariants:
 * F1. What was written is read back, wherever in a message's audio the stamp lies.
 * F2. Audio without a stamp gives none.
 */

export const frameBytes = 160;
export const frameMs = 20;
export const stampBytes = 9;

export const silence = 0;
export const speech = 1;

const sync = Uint8Array.of(0x72, 0x7d, 0x74);

export interface Stamp {
  owner: number;
  kind: number;
  number: number;
}

/** Writes over the audio. */
export function writeStamp(audio: Uint8Array, at: number, owner: number, kind: number, number: number): void {
  audio.set(sync, at);
  audio[at + 3] = owner >> 8;
  audio[at + 4] = owner;
  audio[at + 5] = kind;
  audio[at + 6] = number >> 16;
  audio[at + 7] = number >> 8;
  audio[at + 8] = number;
}

/** Fills the stamp in, which is used again and again, or says that there is none at this place. */
export function readStamp(audio: Uint8Array, at: number, stamp: Stamp): boolean {
  if (audio[at] !== sync[0] || audio[at + 1] !== sync[1] || audio[at + 2] !== sync[2]) return false;
  if (at + stampBytes > audio.length) return false;
  stamp.owner = ((audio[at + 3] ?? 0) << 8) | (audio[at + 4] ?? 0);
  stamp.kind = audio[at + 5] ?? 0;
  stamp.number = ((audio[at + 6] ?? 0) << 16) | ((audio[at + 7] ?? 0) << 8) | (audio[at + 8] ?? 0);
  return true;
}

/** Where the next stamp begins; -1 where there is none. */
export const findStamp = (audio: Buffer, from: number): number => audio.indexOf(sync, from);

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const sextetOf = new Uint8Array(256).fill(255);
for (const [value, character] of alphabet.entries()) sextetOf[character] = value;

/** Three bytes as four characters of base64, each XORed with `mask`. */
function writeBase64(target: Uint8Array, at: number, bytes: number, mask: number): void {
  target[at] = (alphabet[(bytes >> 18) & 63] ?? 0) ^ mask;
  target[at + 1] = (alphabet[(bytes >> 12) & 63] ?? 0) ^ mask;
  target[at + 2] = (alphabet[(bytes >> 6) & 63] ?? 0) ^ mask;
  target[at + 3] = (alphabet[bytes & 63] ?? 0) ^ mask;
}

/** Twelve characters of base64 that lie on a group's border: the stamp as a message carries it. */
export function writeStampBase64(
  target: Uint8Array,
  at: number,
  { owner, kind, number }: Stamp,
  mask: number,
): void {
  writeBase64(target, at + 4, (owner << 8) | kind, mask);
  writeBase64(target, at + 8, number, mask);
}

/** Base64 of any text that an xor of four bytes lies over; a mask of zeros where none does. */
export function decodeBase64(
  text: Uint8Array,
  at: number,
  characters: number,
  mask: Uint8Array,
  maskPhase: number,
  target: Uint8Array,
): void {
  let written = 0;
  for (let index = 0; index + 4 <= characters; index += 4) {
    let group = 0;
    for (let place = index; place < index + 4; place++) {
      const character = (text[at + place] ?? 0) ^ (mask[(maskPhase + place) & 3] ?? 0);
      group = (group << 6) | ((sextetOf[character] ?? 0) & 63);
    }
    target[written++] = group >> 16;
    target[written++] = group >> 8;
    target[written++] = group;
  }
}
