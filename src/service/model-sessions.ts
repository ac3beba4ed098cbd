/**
 * Owns: the model sessions of one call that are open here: the one that serves, and beside it one that is to take over.
 * Does not own: when which is opened, joined or closed (the call chart), what is said in them.
 *
 * Invariants:
 * V1. Of a session that does not serve only its opening and its end are told.
 * I4. After `closeAll` no session is open and nothing is told.
 */
import type { Bridge } from '../media/bridge.ts';
import type {
  HistoryItem,
  Model,
  ModelListener,
  ModelRequest,
  ModelSession,
} from '../runtime/ports/model.ts';
import type { Signal } from '../runtime/ports/signal.ts';
import type { FrameSampler } from './frame-sampler.ts';

export interface ModelSessionsParts {
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
  readonly #open = new Map<number, ModelSession>();
  #servingGeneration = 0;

  constructor(parts: ModelSessionsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  /** The session that hears the caller and is heard. */
  get serving(): ModelSession | undefined {
    return this.#open.get(this.#servingGeneration);
  }

  open(request: ModelRequest): void {
    const { generation } = request;
    const session = this.#parts.model.open(request, this.#listener(generation));
    this.#open.set(generation, session);
  }

  /** From here on the session hears the caller, and is heard. */
  join(generation: number): void {
    const session = this.#open.get(generation);
    if (!session) return;
    this.#servingGeneration = generation;
    this.#parts.bridge.attachEar(session);
  }

  sendToolResult(toolCallId: string, output: string): void {
    this.#newest?.sendToolResult(toolCallId, output);
  }

  remember(generation: number, item: HistoryItem, place: number): void {
    this.#open.get(generation)?.remember(item, place);
  }

  /** The session that serves, or the one that is about to: its history may not hold what has come since. */
  get #newest(): ModelSession | undefined {
    return this.serving ?? [...this.#open.values()].at(-1);
  }

  close(generation: number): void {
    this.#open.get(generation)?.close();
  }

  closeAll(): void {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    this.#parts.bridge.detachEar();
    for (const session of sessions) session.close();
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
    if (!this.#open.has(generation)) return;
    const { type } = signal.entry;
    if (type === 'model.closed') this.#lose(generation);
    const isOfItself = type === 'model.opened' || type === 'model.closed';
    if (isOfItself || generation === this.#servingGeneration) this.#parts.signal(signal);
  }

  #lose(generation: number): void {
    this.#open.delete(generation);
    if (generation !== this.#servingGeneration) return;
    const { bridge, activeReplyId } = this.#parts;
    bridge.detachEar();
    const replyId = activeReplyId();
    if (replyId !== null) bridge.replyEnded(replyId);
  }
}
