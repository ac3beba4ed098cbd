/**
 * Owns: the bounds of one call as the chart waits for them. They are stamped into `call.created`, so that a log
 * folds to the same state whatever the configuration says later.
 * Does not own: the environment (`src/config`).
 */
import { z } from 'zod';

const ms = (defaultMs: number) => z.int().positive().default(defaultMs);

export const settingsSchema = z.object({
  /** A call that lasts longer is ended with a farewell. Twilio's own limit is 4 hours. */
  longestCallMs: ms(3_600_000),
  /** From the answer to the webhook until the media stream must have started. */
  streamStartMs: ms(15_000),
  /** How long a call without a stream waits for Twilio to bring a new one before the carrier is asked. */
  reattachMs: ms(6_000),
  /** Pause between two questions to the carrier, and how many are asked. */
  askCarrierMs: ms(3_000),
  askCarrierTries: z.int().positive().default(3),
  /** How many streams a call may use up before it is given up. */
  streamTries: z.int().positive().default(10),
  /** Caller audio missing for so long means that the stream is dead, whatever its socket says. */
  starvedMs: ms(8_000),
  /** From the command to open a session until it must be configured. */
  modelConnectMs: ms(10_000),
  /** First pause before a new session; doubles with each failure, with jitter, up to the longest. */
  modelBackoffMs: ms(250),
  modelBackoffLongestMs: ms(5_000),
  /** Sessions tried in a row before the model counts as unavailable. */
  modelTries: z.int().positive().default(6),
  /** From the caller's last word (or our request) until the reply must have begun. */
  replyStartMs: ms(6_000),
  /** How often one reply is asked for before the session is replaced. */
  replyTries: z.int().positive().default(2),
  /** No progress in a reply that is being played for so long: the floor is given back to the caller. */
  playbackStallMs: ms(5_000),
  /** Longest wait for a farewell to be spoken and played. */
  farewellMs: ms(15_000),
  /** How long the carrier may take to confirm the end. */
  endingMs: ms(10_000),
});

export type Settings = z.infer<typeof settingsSchema>;
