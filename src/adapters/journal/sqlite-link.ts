/**
 * Owns: the main thread's side of the SQLite worker: who waits for which answer, starting it again when it dies.
 * Does not own: SQLite (`sqlite-service.ts`), the journal's port (`handle.ts`).
 *
 * Invariants:
 * J9. Every request is answered exactly once: by the worker, or with `journal.unavailable` when the worker is gone.
 * J10. At most `requestsInFlight` requests wait; one more is refused with `journal.unavailable`.
 */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { RetryError } from '../../runtime/ports/errors.ts';
import { Followers } from './followers.ts';
import { type JournalStore, type OperationName, type Operations, requestsInFlight } from './operations.ts';
import { fromFailure } from './sqlite-errors.ts';
import type { Answer, FromWorker, Request, ToWorker } from './sqlite-messages.ts';

const firstRestartDelayMs = 100;
const longestRestartDelayMs = 5_000;

/** How long `close` waits for a worker that hangs. */
const closeTimeoutMs = 10_000;

/** The thread that serves the file. Both methods may be called after it ended. */
export interface ServingThread {
  post(message: ToWorker): void;
  stop(): void;
}

/** `onEnd` is called exactly once, after the last message, with the reason where the thread died of one. */
export type StartThread = (
  path: string,
  onMessage: (message: FromWorker) => void,
  onEnd: (reason: string) => void,
) => ServingThread;

interface Waiting {
  resolve(result: Operations[OperationName]['result']): void;
  reject(error: Error): void;
}

/** @throws GiveUpError `journal.corrupt`, `journal.future`; RetryError `journal.unavailable` */
export async function openLink(path: string, clock: Clock, startThread: StartThread): Promise<JournalStore> {
  const link = new SqliteLink(path, clock, startThread);
  await link.open();
  return link;
}

class SqliteLink implements JournalStore {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #startThread: StartThread;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watchers = new Set<() => void>();
  readonly #followers = new Followers();
  /** The thread that runs, whether it has opened the file yet or not. */
  #thread: ServingThread | null = null;
  #isOpen = false;
  #lastId = 0;
  /** Asked within this turn of the event loop, and not posted yet. */
  #asked: Request[] = [];
  #restart: TimerHandle = undefined;
  #restartDelayMs = firstRestartDelayMs;
  #whyDown = '';
  /** Set by `close`. */
  #onClosed: (() => void) | null = null;

  constructor(path: string, clock: Clock, startThread: StartThread) {
    this.#path = path;
    this.#clock = clock;
    this.#startThread = startThread;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      let refusal: Error | null = null;
      const onMessage = (message: FromWorker) => {
        if (message.type === 'refused') refusal = fromFailure(message.failure);
        else this.#receive(message);
        if (message.type === 'opened') resolve();
      };
      const onEnd = (reason: string) => {
        this.#onEnd(reason);
        reject(refusal ?? this.#unavailable());
      };
      this.#thread = this.#startThread(this.#path, onMessage, onEnd);
    });
  }

  #receive(message: Exclude<FromWorker, { type: 'refused' }>): void {
    if (message.type === 'opened') this.#isOpen = true;
    else if (message.type === 'signalled') this.#notify();
    else if (message.type === 'committed') this.#followers.tell(message.callIds);
    else for (const answer of message.answers) this.#settle(answer);
  }

  execute<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
  ): Promise<Operations[Name]['result']> {
    if (this.#waiting.size >= requestsInFlight)
      return Promise.reject(
        new RetryError('journal.unavailable', `${requestsInFlight} requests wait already`),
      );
    if (!this.#isOpen) return Promise.reject(this.#unavailable());
    this.#lastId += 1;
    this.#ask({ id: this.#lastId, name, request } as Request);
    return new Promise((resolve, reject) => this.#waiting.set(this.#lastId, { resolve, reject }));
  }

  /**
   * Calls hand over their entries at the same moments: in one message they share a transaction, and waking the worker
   * costs once.
   */
  #ask(request: Request): void {
    this.#asked.push(request);
    if (this.#asked.length === 1) setImmediate(() => this.#postAsked());
  }

  #postAsked(): void {
    if (this.#asked.length > 0) this.#thread?.post({ type: 'asked', requests: this.#asked.splice(0) });
  }

  /** What was asked before comes before. */
  #order(message: Exclude<ToWorker, { type: 'asked' }>): void {
    this.#postAsked();
    this.#thread?.post(message);
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('failure' in answer) waiting?.reject(fromFailure(answer.failure));
    else waiting?.resolve(answer.result);
    this.#restartDelayMs = firstRestartDelayMs;
  }

  watch(listener: () => void): () => void {
    const watcher = () => listener();
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#order({ type: 'watch' });
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#order({ type: 'unwatch' });
    };
  }

  follow(callId: string | null, listener: () => void): () => void {
    const stop = this.#followers.add(callId, listener);
    this.#postFollowed();
    return () => {
      stop();
      this.#postFollowed();
    };
  }

  #postFollowed(): void {
    this.#order({ type: 'follow', ...this.#followers.followed() });
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  async close(): Promise<void> {
    this.#clock.clearTimeout(this.#restart);
    const thread = this.#thread;
    if (thread === null) return;
    this.#order({ type: 'close' });
    const deadline = this.#clock.setTimeout(() => thread.stop(), closeTimeoutMs);
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve;
    });
    this.#clock.clearTimeout(deadline);
  }

  #onEnd(reason: string): void {
    const wasOpen = this.#isOpen;
    this.#thread = null;
    this.#isOpen = false;
    this.#whyDown = reason;
    for (const { reject } of this.#waiting.values()) reject(this.#unavailable());
    this.#waiting.clear();
    this.#asked = [];
    if (this.#onClosed !== null) this.#onClosed();
    else if (wasOpen) this.#startLater();
  }

  #startLater(): void {
    this.#restart = this.#clock.setTimeout(() => void this.#startAgain(), this.#restartDelayMs);
    this.#restartDelayMs = Math.min(this.#restartDelayMs * 2, longestRestartDelayMs);
  }

  /** A signal or a commit may have come while nobody looked. */
  async #startAgain(): Promise<void> {
    try {
      await this.open();
      if (this.#watchers.size > 0) this.#order({ type: 'watch' });
      if (this.#followers.size > 0) this.#postFollowed();
      this.#notify();
      this.#followers.tell(null);
    } catch (error) {
      this.#whyDown = String(error);
      if (this.#onClosed === null) this.#startLater();
    }
  }

  #unavailable(): RetryError {
    return new RetryError(
      'journal.unavailable',
      `${this.#path}: the journal's thread ended: ${this.#whyDown}`,
    );
  }
}
