/**
 * Owns: the names of what may go wrong within a session that goes on. They are for counting: a fixed set, without any
 * text of the far side.
 * Does not own: messages that were refused, which are `input.refused` entries.
 */
export type Oddity =
  /** An event that this version does not know. */
  | 'unknownEvent'
  /** An event about a reply, an item or a tool call that is not known, is over, or lies outside the conversation. */
  | 'strayEvent'
  /** The far side refused a message of ours as wrong: a bug of this adapter. */
  | 'refusedMessage'
  /** An error event that nothing follows from. */
  | 'ignoredError'
  /** A bound was met, and something was left out. */
  | 'bound';

export type CountOddity = (oddity: Oddity) => void;
