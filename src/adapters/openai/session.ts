/**
 * Owns: the life of one model session behind the `ModelSession` port: connecting, opening, open, ended.
 * Does not own: the connection (`connection.ts`), what is said in the session (`conversation.ts`), opening another one
 * (the call chart).
 *
 * Invariants: L1 and L2 of the model port, and
 * E1. A session that has signalled `model.closed` says nothing more, whatever is still being worked on.
 */
import type { Draft } from '../../machines/entries.ts';
import type {
  HistoryItem,
  ModelListener,
  ModelRequest,
  ModelSession,
  ReplyOptions,
} from '../../runtime/ports/model.ts';
import { appendMessage } from './audio-append.ts';
import { type Access, Connection } from './connection.ts';
import { Conversation } from './conversation.ts';
import { seedOf } from './history.ts';
import { Opening } from './opening.ts';
import { type Closing, causeOfError, reactionToError } from './refusals.ts';
import type { ServerEvent, ServerEventOf } from './server-events.ts';

type Phase = 'connecting' | 'opening' | 'open' | 'ended';

export class OpenAiSession implements ModelSession {
  readonly #request: ModelRequest;
  readonly #listener: ModelListener;
  readonly #access: Access;
  readonly #connection: Connection;
  readonly #opening: Opening;
  readonly #conversation: Conversation;
  readonly #unreadable = new Set<string>();
  #phase: Phase = 'connecting';
  #created: ServerEventOf<'session.created'>['session'] | null = null;

  constructor(access: Access, request: ModelRequest, listener: ModelListener) {
    this.#access = access;
    this.#request = request;
    this.#listener = listener;
    const { clock, limits, random, count } = access;
    const seed = seedOf(request.history, limits);
    this.#opening = new Opening(request, seed);
    this.#connection = new Connection(access, {
      onEvent: (event) => this.#take(event),
      onUnreadable: (kind) => this.#refuse(kind),
      onEnded: (closing) => this.#end(closing),
    });
    this.#conversation = new Conversation(request, seed, {
      clock,
      limits,
      random,
      count,
      listener: this.#whileAlive(),
      send: (event) => this.#connection.send(event),
      condemn: (error) => this.#connection.condemn(error),
    });
  }

  /** Call once. */
  open(): void {
    this.#connection.open();
  }

  appendAudio(audio: Buffer): void {
    if (this.#phase === 'open') this.#connection.sendText(appendMessage(audio));
  }

  bufferedBytes(): number {
    return this.#connection.bufferedBytes();
  }

  createReply(
    instructions: string | null,
    { tools, standsIn = false }: ReplyOptions = { tools: true },
  ): void {
    this.#conversation.createReply({ instructions, tools, standsIn });
  }

  cancelReply(): void {
    this.#conversation.cancelReply();
  }

  truncate(itemId: string, playedMs: number): void {
    this.#conversation.truncate(itemId, playedMs);
  }

  sendToolResult(toolCallId: string, output: string): void {
    this.#conversation.sendToolResult(toolCallId, output);
  }

  remember(item: HistoryItem, place: number): void {
    this.#conversation.remember(item, place);
  }

  close(): void {
    this.#connection.close();
  }

  #take(event: ServerEvent): void {
    if (this.#phase === 'open') this.#conversation.take(event);
    else this.#takeEarly(event);
  }

  #takeEarly(event: ServerEvent): void {
    this.#conversation.noteEarly(event);
    if (event.type === 'error') this.#refuseToOpen(event.error);
    else if (this.#phase === 'opening') this.#continueOpening(event);
    else if (event.type === 'session.created') this.#startOpening(event);
  }

  #startOpening({ session }: ServerEventOf<'session.created'>): void {
    this.#created = session;
    this.#phase = 'opening';
    this.#connection.expect(this.#access.limits.sessionUpdatedMs, () => this.#opening.missing);
    this.#opening.start((event) => this.#connection.send(event));
  }

  #continueOpening(event: ServerEvent): void {
    this.#opening.take(event);
    if (!this.#opening.isComplete || !this.#created) return;
    this.#connection.settle();
    this.#phase = 'open';
    this.#conversation.open();
    this.#connection.attend();
    const { id, expires_at: expiresAt } = this.#created;
    this.#signal({
      type: 'model.opened',
      generation: this.#request.generation,
      sessionId: id,
      expiresAt: expiresAt == null ? null : expiresAt * 1_000,
    });
  }

  /** Nothing but the settings and the history has been sent: what is wrong is wrong with them, and would be again. */
  #refuseToOpen(error: ServerEventOf<'error'>['error']): void {
    const isBug = reactionToError(error) === 'bug';
    this.#access.count(isBug ? 'refusedMessage' : 'ignoredError');
    if (!isBug) return;
    this.#connection.end({ code: null, cause: causeOfError(error), reaction: 'giveUp', retryAfterMs: null });
  }

  /** Once per kind, or a faulty far side would fill the log. */
  #refuse(kind: string): void {
    if (this.#unreadable.has(kind)) return;
    this.#unreadable.add(kind);
    this.#signal({ type: 'input.refused', peer: 'model', kind });
  }

  #end(closing: Closing): void {
    this.#conversation.stop();
    this.#phase = 'ended';
    const jitter = this.#access.random();
    this.#listener.onSignal({
      entry: { type: 'model.closed', generation: this.#request.generation, ...closing, jitter },
    });
  }

  #signal(entry: Draft): void {
    if (this.#phase !== 'ended') this.#listener.onSignal({ entry });
  }

  /** The listener as the conversation may use it: a listener that closes the session in the middle hears no more. */
  #whileAlive(): ModelListener {
    const listener = this.#listener;
    const isAlive = (): boolean => this.#phase !== 'ended';
    return {
      onSignal: (signal) => isAlive() && listener.onSignal(signal),
      onTurnEnded: (itemId, audioMs) => isAlive() && listener.onTurnEnded(itemId, audioMs),
      onReplyAudio: (replyId, itemId, audio) => isAlive() && listener.onReplyAudio(replyId, itemId, audio),
      onReplyItemEnded: (itemId) => isAlive() && listener.onReplyItemEnded(itemId),
      onReplyEnded: (replyId) => isAlive() && listener.onReplyEnded(replyId),
    };
  }
}
