/**
 * Owns: the three audio formats of a Realtime session, and how loud their bytes are.
 * Does not own: what counts as speech (`voice-activity.ts`).
 *
 * Source: OpenAI Realtime, session, `audio.input.format` and `audio.output.format`.
 */
import { decodeMulaw, silenceByte } from '../../../media/mulaw.ts';
import { decodeAlaw } from './alaw.ts';

export type AudioFormat =
  | { type: 'audio/pcm'; rate: 24_000 }
  | { type: 'audio/pcmu' }
  | { type: 'audio/pcma' };

/** Bytes of one millisecond: 24,000 samples a second of 16 bits, or 8,000 of 8 bits. */
export const bytesPerMs = (format: AudioFormat): number => (format.type === 'audio/pcm' ? 48 : 8);

const squaresOf = (decode: (byte: number) => number): Float64Array =>
  Float64Array.from({ length: 256 }, (_, byte) => decode(byte) ** 2);

const mulawSquares = squaresOf(decodeMulaw);
const alawSquares = squaresOf(decodeAlaw);

/** Sum of the squared samples of `audio` from byte `start` to byte `end`. For PCM both are even. */
export function squareSum(format: AudioFormat, audio: Uint8Array, start: number, end: number): number {
  if (format.type === 'audio/pcm') return linearSquareSum(audio, start, end);
  if (format.type === 'audio/pcmu' && isSilent(audio, start, end)) return 0;
  const squares = format.type === 'audio/pcmu' ? mulawSquares : alawSquares;
  let sum = 0;
  for (let index = start; index < end; index += 1) sum += squares[audio[index] ?? 0] ?? 0;
  return sum;
}

const silence = Buffer.alloc(16_384, silenceByte);

let lastSilence: Uint8Array | null = null;

/** Whether all of it is digital silence. A caller who is silent sends the same bytes again and again. */
export function isSilence(format: AudioFormat, audio: Uint8Array): boolean {
  if (format.type !== 'audio/pcmu') return false;
  if (audio === lastSilence) return true;
  if (!isSilent(audio, 0, audio.length)) return false;
  lastSilence = audio;
  return true;
}

/** Most of what a caller sends: told at once. Bytes that are longer than the silence at hand are not looked at. */
const isSilent = (audio: Uint8Array, start: number, end: number): boolean =>
  end - start <= silence.length && silence.compare(audio, start, end, 0, end - start) === 0;

function linearSquareSum(audio: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let index = start; index + 1 < end; index += 2) {
    const sample = (((audio[index + 1] ?? 0) << 24) >> 16) | (audio[index] ?? 0);
    sum += sample * sample;
  }
  return sum;
}

/** Bytes of one sample. */
export const sampleBytes = (format: AudioFormat): number => (format.type === 'audio/pcm' ? 2 : 1);
