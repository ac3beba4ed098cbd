/**
 * Owns: the model sessions of one call that are open here: the one that serves, and beside it one that is to take over, or
 * one that was taken leave of and has yet to tell what the caller said.
 * Does not own: when which is opened, joined or closed (the call chart), what is said in them.
 *
 * Invariants:
 * V1. Of a session that does not serve only its opening and its end are told; of one that was taken leave of also the words
 *     of turns that it heard, for nobody else can tell them.
 * V4. One that was taken leave of is closed once it has told them, and in any case after `lingerMs` or where another one is
 *     opened: never are there three. One that serves a conversation that goes on is closed at once: the next one serves, or
 *     is opened, only from its end on.
 * I4. After `closeAll` no session is open and nothing is told.
 */
import type { Draft } from '../machines/entries.ts';
import type { Bridge } from '../media/bridge.ts';
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import type {
  HistoryItem,
  Model,
  ModelListener,
  ModelRequest,
  ModelSession,
} from '../runtime/ports/model.ts';
import type { Signal } from '../runtime/ports/signal.ts';
import { AwaitedWords } from './awaited-words.ts';
import type { FrameSampler } from './frame-sampler.ts';

/** Transcripts come within a second or two of the turn. */
const lingerMs = 5_000;

/** Generations count from 1. */
const none = 0;

interface OpenSession {
  session: ModelSession;
  words: AwaitedWords;
  /** Runs while it was taken leave of and is waited for. */
  linger: { timer: TimerHandle } | null;
}

export interface ModelSessionsParts {
  clock: Clock;
  model: Model;
  bridge: Bridge;
  /** Times the audio of replies. */
  agentFrames: FrameSampler;
  signal(signal: Signal): void;
  /** `position`: where in the caller's audio the turn ended. */
  turnEnded(itemId: string, position: number): void;
  /** The reply that the model is in the middle of; null without one. */
  activeReplyId(): string | null;
}

export class ModelSessions {
  readonly #parts: ModelSessionsParts;
  readonly #open = new Map<number, OpenSession>();
  #servingGeneration = none;

  constructor(parts: ModelSessionsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  /** The session that hears the caller and is heard. */
  get serving(): ModelSession | undefined {
    return this.#open.get(this.#servingGeneration)?.session;
  }

  open(request: ModelRequest): void {
    const { generation } = request;
    this.#closeLingering();
    const session = this.#parts.model.open(request, this.#listener(generation));
    this.#open.set(generation, { session, words: new AwaitedWords(), linger: null });
  }

  /** From here on the session hears the caller, and is heard. */
  join(generation: number): void {
    const open = this.#open.get(generation);
    if (!open) return;
    this.#servingGeneration = generation;
    this.#parts.bridge.attachEar(open.session);
  }

  sendToolResult(toolCallId: string, output: string): void {
    this.#newest?.sendToolResult(toolCallId, output);
  }

  remember(generation: number, item: HistoryItem, place: number): void {
    this.#open.get(generation)?.session.remember(item, place);
  }

  /** The session that serves, or the one that is about to: its history may not hold what has come since. */
  get #newest(): ModelSession | undefined {
    return this.serving ?? [...this.#open.values()].at(-1)?.session;
  }

  /** V4. @param goesOn whether the conversation is with the model, and not with whom the caller was handed on to */
  close(generation: number, goesOn: boolean): void {
    const open = this.#open.get(generation);
    if (!open || open.linger) return;
    const serves = generation === this.#servingGeneration;
    if ((serves && goesOn) || !open.words.areAwaited) {
      open.session.close();
      return;
    }
    open.linger = { timer: this.#parts.clock.setTimeout(() => open.session.close(), lingerMs) };
    if (serves) this.#retire();
  }

  /** From here on no session hears the caller, nor is any heard. */
  #retire(): void {
    this.#servingGeneration = none;
    this.#parts.bridge.detachEar();
  }

  #closeLingering(): void {
    for (const { session, linger } of [...this.#open.values()]) if (linger) session.close();
  }

  closeAll(): void {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    this.#parts.bridge.detachEar();
    for (const open of sessions) {
      this.#endLinger(open);
      open.session.close();
    }
  }

  #listener(generation: number): ModelListener {
    const { bridge, turnEnded, agentFrames } = this.#parts;
    const serves = (): boolean => this.#servingGeneration === generation && this.#open.has(generation);
    return {
      onSignal: (signal) => this.#take(generation, signal),
      onTurnEnded: (itemId, audioMs) => {
        if (serves()) turnEnded(itemId, bridge.callerPositionAt(audioMs ?? Number.POSITIVE_INFINITY));
      },
      onReplyAudio: (replyId, itemId, audio) => {
        if (!serves()) return;
        const startedMs = agentFrames.begin();
        bridge.replyAudio(replyId, itemId, audio);
        agentFrames.end(startedMs);
      },
      onReplyItemEnded: (itemId) => {
        if (serves()) bridge.replyItemEnded(itemId);
      },
      onReplyEnded: (replyId) => {
        if (serves()) bridge.replyEnded(replyId);
      },
    };
  }

  #take(generation: number, signal: Signal): void {
    const open = this.#open.get(generation);
    if (!open) return;
    const { type } = signal.entry;
    if (type === 'model.closed') this.#lose(generation, open);
    if (!this.#isHeard(generation, open, type)) return;
    open.words.note(signal.entry);
    this.#parts.signal(signal);
    if (open.linger && !open.words.areAwaited) open.session.close();
  }

  /** V1. */
  #isHeard(generation: number, { linger }: OpenSession, type: Draft['type']): boolean {
    if (type === 'model.opened' || type === 'model.closed') return true;
    return generation === this.#servingGeneration || (linger !== null && type === 'caller.transcribed');
  }

  #lose(generation: number, open: OpenSession): void {
    this.#open.delete(generation);
    this.#endLinger(open);
    if (generation !== this.#servingGeneration) return;
    const { bridge, activeReplyId } = this.#parts;
    bridge.detachEar();
    const replyId = activeReplyId();
    if (replyId !== null) bridge.replyEnded(replyId);
  }

  #endLinger(open: OpenSession): void {
    if (open.linger) this.#parts.clock.clearTimeout(open.linger.timer);
    open.linger = null;
  }
}
