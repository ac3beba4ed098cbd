/**
 * Owns: how fast the offline model works, in milliseconds of the twin's clock.
 * The defaults are what recordings of the live service show: audio in pieces of a quarter of a second, five times
 * faster than it plays, the first of it a third of a second after the caller stopped.
 */
export interface Pace {
  /** From the creation of a response to its first output. */
  firstOutputDelayMs: number;
  /** Audio in one delta. */
  deltaMs: number;
  /** Seconds of audio sent in a second. */
  speedFactor: number;
  /** Up to this share of its size a delta is longer or shorter: 0 to 1. */
  jitter: number;
  /** Between two pieces of text or of arguments that no audio paces. */
  textDelayMs: number;
  /** Words and marks in one piece of text. */
  wordsPerPiece: number;
  /** From the commit of a turn to its complete transcription. */
  transcriptionDelayMs: number;
}

export const livePace: Pace = {
  firstOutputDelayMs: 350,
  deltaMs: 250,
  speedFactor: 5,
  jitter: 0.1,
  textDelayMs: 20,
  wordsPerPiece: 1,
  transcriptionDelayMs: 600,
};
