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
  reattachMs: ms(2_000),
  /**
   * Pause between two questions to the carrier, and how many may stay without an answer. Together more than the 30 s that
   * a caller is told to wait where nobody else can take the call: Twilio comes back by itself then.
   */
  askCarrierMs: ms(3_000),
  askCarrierTries: z.int().positive().default(12),
  /** How long the carrier may take to confirm that it carries out a new instruction. */
  redirectMs: ms(6_000),
  /** New streams that are tried in a row before the call is given up. */
  streamTries: z.int().positive().default(3),
  /** A stream that has carried the call for so long is a good one: the tries are counted anew. */
  streamSettledMs: ms(10_000),
  /** Caller audio missing for so long, once that was noticed, means that the stream is dead, whatever its socket says. */
  starvedMs: ms(3_500),
  /** From the command to open a session until it must be configured. */
  modelConnectMs: ms(10_000),
  /** Pause between pings to the session; each must be answered before the next one. */
  modelPingMs: ms(2_000),
  /** How long before a session's announced end the next one is opened; half of its life ahead where that is less. */
  rollOverMs: ms(120_000),
  /** First pause before a new session; doubles with each failure, with jitter, up to the longest. */
  modelBackoffMs: ms(250),
  modelBackoffLongestMs: ms(5_000),
  /** Sessions tried in a row before the model counts as unavailable. */
  modelTries: z.int().positive().default(6),
  /**
   * The caller is said to speak for so long without a pause: the session is taken for deaf, and replaced. Of what was said
   * only the last seconds are kept for the next one, so nobody must ever speak for so long.
   */
  longestTurnMs: ms(600_000),
  /** From the caller's last word (or our request) until the reply must have begun. */
  replyStartMs: ms(6_000),
  /** How often one reply is asked for before the session is replaced. */
  replyTries: z.int().positive().default(2),
  /** No progress in a reply that is being played for so long: the floor is given back to the caller. */
  playbackStallMs: ms(5_000),
  /** The caller hears nobody for so long: a holding sound is played, and again after each further pause. */
  holdingAfterMs: ms(1_500),
  holdingEveryMs: ms(2_000),
  /** A tool that runs for so long is bridged by a sentence. */
  toolFillerMs: ms(2_500),
  /** How long the far end rings when the caller is handed on. */
  ringMs: ms(30_000),
  /** Pause between two questions to the carrier about a caller who was handed on, and the longest that is waited. */
  transferCheckMs: ms(60_000),
  transferLimitMs: ms(4 * 3_600_000 + 300_000),
  /** What becomes of a caller whom the model cannot serve, once that was said. */
  fallback: z.enum(['hangUp', 'transfer']).default('hangUp'),
  /** Longest wait for a farewell, or for its next words once it is heard. */
  farewellMs: ms(15_000),
  /** How long the carrier may take to confirm the end. */
  endingMs: ms(10_000),
});

export type Settings = z.infer<typeof settingsSchema>;
