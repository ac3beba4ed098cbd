/** Owns: a model of which a test plays the far side: what it was asked, and everything that it may say. */
import type { Draft } from '../../../src/machines/entries.ts';
import type { ToolEffect } from '../../../src/machines/entry-values.ts';
import { bytesPerMs } from '../../../src/media/mulaw.ts';
import type { Clock } from '../../../src/runtime/ports/clock.ts';
import type {
  HistoryItem,
  Model,
  ModelListener,
  ModelRequest,
  ModelSession,
  ReplyOptions,
} from '../../../src/runtime/ports/model.ts';
import { referTo } from '../../../src/runtime/ports/signal.ts';
import { replyFinished } from '../../machines/support/facts.ts';

/** From the command to the confirmed session. */
export const modelOpensAfterMs = 40;

type Loss = { code?: number | null; cause?: string; reaction?: 'retry' | 'giveUp' };

function named(item: HistoryItem): string {
  if (item.kind === 'speech') return `${item.role}: ${item.text}`;
  return item.kind === 'note' ? `note: ${item.text}` : `${item.kind} ${item.toolCallId}`;
}

export class FakeSession implements ModelSession {
  readonly request: ModelRequest;
  /** What it was told, in order: `createReply: ...`, `truncate item 400`, `remember at 2, agent: ...`. */
  readonly told: string[] = [];
  /** Caller audio that it was given. */
  readonly audio: Buffer[] = [];
  isOpen = false;
  isClosed = false;
  readonly #listener: ModelListener;
  readonly #expiresAt: number | null;

  constructor(request: ModelRequest, listener: ModelListener, expiresAt: number | null) {
    this.request = request;
    this.#listener = listener;
    this.#expiresAt = expiresAt;
  }

  get audioBytes(): number {
    return this.audio.reduce((bytes, piece) => bytes + piece.length, 0);
  }

  appendAudio(audio: Buffer): void {
    if (this.isOpen) this.audio.push(Buffer.from(audio));
  }

  bufferedBytes(): number {
    return 0;
  }

  createReply(instructions: string | null, { tools, standsIn }: ReplyOptions = { tools: true }): void {
    const how = `${tools ? '' : ' without tools'}${standsIn ? ' that stands in' : ''}`;
    this.told.push(`createReply${how}: ${instructions ?? 'by its own'}`);
  }

  cancelReply(): void {
    this.told.push('cancelReply');
  }

  truncate(itemId: string, playedMs: number): void {
    this.told.push(`truncate ${itemId} ${playedMs}`);
  }

  /** As the adapter does, it tells no result again that the history holds. */
  sendToolResult(toolCallId: string, output: string): void {
    const isKnown = this.request.history.some(
      (item) => item.kind === 'toolResult' && item.toolCallId === toolCallId,
    );
    if (isKnown) return;
    this.told.push(`result of ${toolCallId}: ${output}`);
  }

  remember(item: HistoryItem, place: number): void {
    this.told.push(`remember at ${place}, ${named(item)}`);
  }

  close(): void {
    this.loses({ code: 1000, cause: 'closed here' });
  }

  opens(): void {
    if (this.isClosed || this.isOpen) return;
    this.isOpen = true;
    const { generation } = this.request;
    const expiresAt = this.#expiresAt;
    this.signal({ type: 'model.opened', generation, sessionId: `session${generation}`, expiresAt });
  }

  loses({ code = 1006, cause = 'close.1006', reaction = 'retry' }: Loss = {}): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { generation } = this.request;
    this.#listener.onSignal({
      entry: { type: 'model.closed', generation, code, cause, reaction, retryAfterMs: null, jitter: 0.5 },
    });
  }

  callerStarts(itemId: string): void {
    this.signal({ type: 'caller.startedSpeaking', itemId });
  }

  /** `audioMs`: where in the audio it was given the turn ends; else all of it. */
  callerStops(itemId: string, words?: string, audioMs: number | null = null): void {
    if (!this.isClosed) this.#listener.onTurnEnded(itemId, audioMs);
    this.signal({ type: 'caller.stoppedSpeaking', itemId, silenceMs: 500 });
    if (words !== undefined) this.transcribes(itemId, words);
  }

  transcribes(itemId: string, words: string): void {
    this.signal({ type: 'caller.transcribed', itemId, transcript: referTo(words) }, { transcript: words });
  }

  startsReply(replyId: string): void {
    this.signal({ type: 'reply.started', replyId });
  }

  sends(replyId: string, itemId: string, lengthMs: number, byte = 0x55): void {
    if (!this.isClosed)
      this.#listener.onReplyAudio(replyId, itemId, Buffer.alloc(lengthMs * bytesPerMs, byte));
  }

  endsReply(replyId: string, itemId: string, words: string, toolCalls = 0): void {
    if (this.isClosed) return;
    this.endsItem(itemId, words);
    this.#listener.onReplyEnded(replyId);
    this.finishes(replyId, true, toolCalls);
  }

  /** What came of the reply is played. */
  breaksOff(replyId: string, cause: string): void {
    if (this.isClosed) return;
    this.#listener.onReplyEnded(replyId);
    this.signal(replyFinished(replyId, { status: 'incomplete', cause }));
  }

  endsItem(itemId: string, words: string): void {
    this.#listener.onReplyItemEnded(itemId);
    this.transcribesReply(itemId, words);
  }

  /** The words of a reply, also of one that is still coming. */
  transcribesReply(itemId: string, words: string): void {
    this.signal({ type: 'reply.transcribed', itemId, transcript: referTo(words) }, { transcript: words });
  }

  finishes(replyId: string, voiced: boolean, toolCalls = 0): void {
    this.signal({
      type: 'reply.finished',
      replyId,
      status: 'completed',
      cause: null,
      voiced,
      toolCalls,
      usage: null,
    });
  }

  /** A whole reply at once, faster than it is played, as the model sends it. */
  says(replyId: string, words: string, lengthMs: number): void {
    this.startsReply(replyId);
    this.sends(replyId, `${replyId}-item`, lengthMs);
    this.endsReply(replyId, `${replyId}-item`, words);
  }

  asksFor(toolCallId: string, name: string, input: object = {}, effect: ToolEffect = 'none'): void {
    const text = JSON.stringify(input);
    this.signal(
      { type: 'tool.requested', toolCallId, replyId: 'any', name, effect, arguments: referTo(text) },
      { arguments: text },
    );
  }

  signal(entry: Draft, payloads?: Record<string, string>): void {
    if (!this.isClosed) this.#listener.onSignal(payloads ? { entry, payloads } : { entry });
  }
}

export class FakeModel implements Model {
  readonly sessions: FakeSession[] = [];
  /** What becomes of the sessions that are opened from now on. */
  next: 'opens' | 'isSilent' | 'isRefused' | 'throws' = 'opens';
  /** The life of a session, as it is announced when it opens; null where nothing is announced. */
  expiresInMs: number | null = null;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The newest session. */
  get session(): FakeSession {
    const session = this.sessions.at(-1);
    if (!session) throw new Error('no session was opened');
    return session;
  }

  get openSessions(): FakeSession[] {
    return this.sessions.filter(({ isClosed }) => !isClosed);
  }

  open(request: ModelRequest, listener: ModelListener): ModelSession {
    if (this.next === 'throws') throw new Error('no socket to be had');
    const expiresAt = this.expiresInMs === null ? null : this.#clock.now() + this.expiresInMs;
    const session = new FakeSession(request, listener, expiresAt);
    this.sessions.push(session);
    const { next } = this;
    if (next === 'opens') this.#clock.setTimeout(() => session.opens(), modelOpensAfterMs);
    if (next === 'isRefused') {
      const refusal: Loss = { code: 401, cause: 'http.401', reaction: 'giveUp' };
      this.#clock.setTimeout(() => session.loses(refusal), modelOpensAfterMs);
    }
    return session;
  }

  async probe(): Promise<number> {
    return 1;
  }
}
