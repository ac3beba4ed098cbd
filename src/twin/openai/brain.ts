/**
 * Owns: the question that the offline service asks when somebody should speak, and the shape of an answer.
 * Does not own: any answer (`scripted-brain.ts`, `echo-brain.ts`), how it sounds and travels (`response/response.ts`).
 *
 * Invariant B1: a brain answers from its question alone and keeps nothing. One brain serves any number of
 * sessions, and a session that was seeded with the history of another goes on where that one stopped.
 */

/** A piece of speech that can be told apart in the sound; its number is read back by `readSegments`. */
export interface NumberedSegment {
  segment: number;
  /** With the space that parts it from what follows: the text of a reply is all of these in a row. */
  text: string;
  lengthMs: number;
}

export interface ToolCall {
  name: string;
  /** JSON text. */
  arguments: string;
}

/** What the model says next. Segments with calls are spoken as commentary before the calls. */
export interface BrainReply {
  /** Stamped into the sound of every segment, 0 to 4,095. */
  reply: number;
  segments: readonly NumberedSegment[];
  calls: readonly ToolCall[];
}

/** The conversation as the model knows it, in order. */
export type BrainItem =
  | { kind: 'caller'; text: string; isSilence: boolean }
  | { kind: 'agent'; text: string }
  | { kind: 'system'; text: string }
  | { kind: 'call'; callId: string; name: string; arguments: string }
  | { kind: 'result'; callId: string; output: string };

/** Why the model should speak: a caller's turn, their silence, or a `response.create`. */
export type BrainReason = 'turn' | 'silence' | 'request' | 'outOfBand';

export interface BrainRequest {
  reason: BrainReason;
  items: readonly BrainItem[];
  /** Those of the `response.create`, where it brought its own. */
  instructions: string | null;
}

/** A turn of the caller that was just committed. */
export interface CallerTurn {
  /** The conversation before it. */
  items: readonly BrainItem[];
  /** Committed because of the caller's silence, not of speech. */
  isSilence: boolean;
  durationMs: number;
  /** Its audio in the session's input format, as far as it is still kept. */
  audio(): Uint8Array;
}

export interface Transcript {
  text: string;
  /** From the commit until the transcription is complete, where it differs from the session's usual delay. */
  delayMs?: number;
  /** The model understood the turn, but its transcription fails. */
  fails?: boolean;
}

export interface Brain {
  reply(request: BrainRequest): BrainReply;
  transcribe(turn: CallerTurn): Transcript;
}

const shortestSegmentMs = 400;
const msPerCharacter = 60;

/** How long it takes to say a text at an ordinary pace, milliseconds. */
export const speakingMs = (text: string): number =>
  Math.max(shortestSegmentMs, text.trim().length * msPerCharacter);
