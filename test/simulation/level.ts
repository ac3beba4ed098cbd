/**
 * Owns: the two sizes in which audio travels in a simulation.
 *
 * `frames`: 20 ms to a message and the pace of the live service, through the real server framework, for precision.
 * `spans`: larger pieces of the same sound, straight to the routes, for breadth. The bytes are the same: what was
 * heard and said is read from them at either level.
 */
import type { Pace } from '../../src/twin/openai/pace.ts';

export type Level = 'spans' | 'frames';

export interface LevelSettings {
  /** Audio in one media message. */
  frameMs: number;
  pace: Partial<Pace>;
  /** Kept of the caller's audio by each session of the twin. */
  recordedAudioBytes: number;
}

export const levels: Record<Level, LevelSettings> = {
  frames: { frameMs: 20, pace: {}, recordedAudioBytes: 2 * 1_024 * 1_024 },
  spans: { frameMs: 500, pace: { deltaMs: 1_000, wordsPerPiece: 8 }, recordedAudioBytes: 2 * 1_024 * 1_024 },
};
