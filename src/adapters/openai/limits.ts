/**
 * Owns: every bound of a model session: how long it waits, how much it keeps, how much it takes from the far side.
 * Does not own: what happens at a bound (the file that meets it).
 */

export interface OpenAiLimits {
  /** From the first byte sent until the upgrade is answered. */
  handshakeMs: number;
  /** From the open socket until `session.created`: only then the far side has let us in. */
  sessionCreatedMs: number;
  /** From our settings until they are confirmed and the history is taken. */
  sessionUpdatedMs: number;
  /** How long the far side may take to close its end, before the connection is dropped. */
  closeGraceMs: number;
  /** A request for a reply that nobody answered for so long counts as lost. */
  replyUnansweredMs: number;
  /** First pause after a reply that was too much for a far side which asks for none; doubles with each further one. */
  rateFirstPauseMs: number;
  /** Longest pause after a reply that was too much for the far side, whatever it asks for. */
  ratePauseMs: number;
  /** A longer message is refused; the session goes on. UTF-16 code units. */
  messageCharacters: number;
  /** A longer message ends the socket before it is read. */
  socketMessageBytes: number;
  /** More than this waiting in the socket means that the far side reads no longer. */
  bufferedBytes: number;
  /** Requests for a reply that wait for their turn; the oldest gives way. */
  waitingReplies: number;
  /** Replies that may run at once; the oldest is forgotten. More than one only from a faulty far side. */
  openReplies: number;
  /** Audio items that are remembered, of this reply and of earlier ones; the oldest is forgotten. */
  replyItems: number;
  /** Pause between two signals of a transcript that is still coming. */
  transcriptEveryMs: number;
  /** Pause between two signals that a reply is being written of which there is no sound; well below the chart's bounds. */
  extendedEveryMs: number;
  /** Such signals of one reply without a sound between them: whoever writes on for ever is left to the chart's bounds. */
  extensions: number;
  /** Longest transcript that is gathered from deltas. UTF-16 code units. */
  transcriptCharacters: number;
  /** Tool calls without a result; further ones are answered with an error. */
  openToolCalls: number;
  /** Tool calls of one session; further ones are answered with an error. */
  toolCalls: number;
  /** Replies in a row that the adapter asks for by itself, because it refused every tool call of the one before. */
  refusalFollowUps: number;
  /** What a session is seeded with at most: the newest items that fit. */
  historyItems: number;
  historyCharacters: number;
}

export const defaultLimits: OpenAiLimits = {
  handshakeMs: 10_000,
  sessionCreatedMs: 10_000,
  sessionUpdatedMs: 5_000,
  closeGraceMs: 1_000,
  replyUnansweredMs: 4_000,
  rateFirstPauseMs: 500,
  ratePauseMs: 10_000,
  messageCharacters: 1_048_576,
  socketMessageBytes: 4_194_304,
  bufferedBytes: 1_048_576,
  waitingReplies: 4,
  openReplies: 4,
  replyItems: 200,
  transcriptEveryMs: 500,
  extendedEveryMs: 2_000,
  extensions: 45,
  transcriptCharacters: 65_536,
  openToolCalls: 32,
  toolCalls: 2_000,
  refusalFollowUps: 3,
  historyItems: 400,
  historyCharacters: 200_000,
};
