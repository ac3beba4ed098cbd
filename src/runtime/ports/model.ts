/**
 * Owns: what the rest of the system asks of the model's side, and what it hears from there.
 * Does not own: the protocol (`src/adapters/openai`), what a session is opened for (the call chart).
 *
 * Invariants:
 * L1. A session ends in exactly one `model.closed`, whoever ended it, and signals nothing after it.
 * L2. `model.opened` means that the far side confirmed the settings that were asked for, and took the history.
 * L3. A tool call is signalled once per id, whatever the far side repeats.
 * L4. A reply is created only while no other one is active; until then the request waits.
 */
import type { ToolEffect } from '../../machines/entry-values.ts';
import type { Json } from './journal.ts';
import type { Signal } from './signal.ts';

export interface ToolDeclaration {
  name: string;
  description: string;
  /** JSON Schema of the arguments. */
  parameters: Json;
  effect: ToolEffect;
}

/** How the far side decides that the caller's turn is over (OpenAI Realtime, turn detection). */
export type TurnDetection =
  | { type: 'server_vad'; threshold: number; prefixPaddingMs: number; silenceMs: number }
  | { type: 'semantic_vad'; eagerness: 'low' | 'medium' | 'high' | 'auto' };

/** What was said and heard before this session, oldest first. A note was said by nobody: it tells the model what happened. */
export type HistoryItem =
  | { kind: 'speech'; role: 'caller' | 'agent'; text: string }
  | { kind: 'note'; text: string }
  | { kind: 'toolCall'; toolCallId: string; name: string; arguments: string }
  | { kind: 'toolResult'; toolCallId: string; output: string };

export interface ModelRequest {
  callId: string;
  generation: number;
  instructions: string;
  voice: string;
  turnDetection: TurnDetection;
  /** Model that transcribes the caller beside the conversation, and the language it is told to expect. */
  transcription: { model: string; language: string | null };
  tools: readonly ToolDeclaration[];
  history: readonly HistoryItem[];
  /** Pause between pings; each must be answered before the next one, or the session counts as lost. */
  pingEveryMs: number;
  /** A stable keyed hash that stands for the caller (OpenAI, `OpenAI-Safety-Identifier`). Never the number itself. */
  safetyIdentifier?: string;
}

export interface ModelListener {
  /**
   * One of `model.opened`, `model.closed`, `caller.startedSpeaking`, `caller.stoppedSpeaking`, `caller.transcribed`,
   * `reply.started`, `reply.transcribed`, `reply.finished`, `tool.requested`, `input.refused`.
   */
  onSignal(signal: Signal): void;
  /**
   * The caller's turn reaches up to `audioMs` of the audio that was appended to this session; null where the far side
   * does not say. Called before `caller.stoppedSpeaking` is signalled.
   */
  onTurnEnded(itemId: string, audioMs: number | null): void;
  /** G.711 mu-law at 8 kHz. The buffer may be kept. */
  onReplyAudio(replyId: string, itemId: string, audio: Buffer): void;
  /** All audio of the item has come. */
  onReplyItemEnded(itemId: string): void;
  /** All audio of the reply has come. Called before `reply.finished` is signalled. */
  onReplyEnded(replyId: string): void;
}

export interface ReplyOptions {
  /** Whether the model may call tools in the reply; true unless told. */
  tools: boolean;
  /**
   * The far side owes this reply by itself and is late with it: one of its own that begins before answers the request.
   * False unless told.
   */
  standsIn?: boolean;
}

export interface ModelSession {
  /** G.711 mu-law at 8 kHz, in memory that may be used again afterwards. Dropped until the session is open. */
  appendAudio(audio: Buffer): void;
  bufferedBytes(): number;
  /** `instructions` null lets the model answer by the session's own. Without `tools` it can only speak. */
  createReply(instructions: string | null, options?: ReplyOptions): void;
  /**
   * Cancels the active reply, where there is one and the far side does not do so by itself; forgets waiting requests.
   * The reply to a request that is on its way is cancelled when it begins, and nothing of it is signalled.
   */
  cancelReply(): void;
  /** Tells the model that the caller heard only the first `playedMs` of the item; 0 removes it from its memory. */
  truncate(itemId: string, playedMs: number): void;
  sendToolResult(toolCallId: string, output: string): void;
  /**
   * Adds to its memory what has come of the time before it since its history was taken.
   *
   * @param place how many items come before it, of that history and of what was added to it before
   */
  remember(item: HistoryItem, place: number): void;
  close(): void;
}

export interface Model {
  open(request: ModelRequest, listener: ModelListener): ModelSession;
  /** Opens a session and closes it before anything is spent. Resolves with the milliseconds until it was confirmed. */
  probe(): Promise<number>;
}
