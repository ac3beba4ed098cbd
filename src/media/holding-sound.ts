/**
 * Owns: the sound that says "still here" to a caller who would otherwise hear nothing: what it sounds like.
 * Does not own: when it is heard (the call chart), how it gives way to a reply (`reply-player.ts`).
 *
 * Two soft notes, a major third apart, that rise into each other. A raised cosine lets each of them begin and end at
 * nothing, so that no edge clicks. The whole is 8 dB to 12 dB below ordinary speech on the telephone (-20 to -16 dBm0):
 * noticed in a silence, no burden when it comes every two seconds.
 */
import { bytesPerMs, encodeMulaw, rootMeanSquareAt } from './mulaw.ts';

/** Mean level of the whole sound. */
const levelDbm0 = -28;

const samplesPerMs = bytesPerMs;
const samplesPerSecond = samplesPerMs * 1_000;
/** Whole frames of 20 ms. */
const durationMs = 700;

interface Note {
  hertz: number;
  startMs: number;
  durationMs: number;
}

/** A4 and the C sharp above it, in equal temperament. */
const notes: readonly Note[] = [
  { hertz: 440, startMs: 0, durationMs: 420 },
  { hertz: 440 * 2 ** (4 / 12), startMs: 280, durationMs: 420 },
];

/** G.711 mu-law at 8 kHz. Never to be written to: every call plays the same. */
export const holdingSound: Buffer = makeHoldingSound();

function makeHoldingSound(): Buffer {
  const wave = Float64Array.from({ length: durationMs * samplesPerMs }, (_, index) =>
    notes.reduce((sum, note) => sum + sampleOf(note, index - note.startMs * samplesPerMs), 0),
  );
  const gain = rootMeanSquareAt(levelDbm0) / rootMeanSquare(wave);
  return Buffer.from(Uint8Array.from(wave, (sample) => encodeMulaw(Math.round(sample * gain))));
}

/** The note `index` samples after its start, at most 1. */
function sampleOf(note: Note, index: number): number {
  const samples = note.durationMs * samplesPerMs;
  if (index < 0 || index >= samples) return 0;
  const envelope = (1 - Math.cos((2 * Math.PI * index) / samples)) / 2;
  return envelope * Math.sin((2 * Math.PI * note.hertz * index) / samplesPerSecond);
}

function rootMeanSquare(wave: Float64Array): number {
  return Math.sqrt(wave.reduce((sum, sample) => sum + sample * sample, 0) / wave.length);
}
