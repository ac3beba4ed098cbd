/**
 * Owns: which calls are watched over this process, each once, whoever looks.
 * Does not own: one of them (`call-watcher.ts`).
 *
 * Invariants:
 * W3. A call that nobody watches is forgotten `lingerMs` after it was last looked at: a page reads it whole, and watches
 *     it from there on.
 * I4. After `stop` nothing is followed and no timer is left.
 */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import type { Feed, Log } from '../../runtime/ports/journal.ts';
import type { CallView, Stop } from '../../runtime/ports/operator.ts';
import { CallWatcher, type CallWatcherOptions, type PatchListener } from './call-watcher.ts';

export const lingerMs = 15_000;

export interface CallWatchersOptions {
  /** Opened when it is first asked for. */
  journal(): Promise<Log & Feed>;
  clock: Clock;
  isDrawn(chart: number): boolean;
  local: CallWatcherOptions['local'];
}

interface Watched {
  watcher: CallWatcher;
  linger: TimerHandle | null;
}

export class CallWatchers {
  readonly #options: CallWatchersOptions;
  readonly #watched = new Map<string, Watched>();
  #isStopped = false;

  constructor(options: CallWatchersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#watched.size;
  }

  /** @throws FixCallError `call.unknown`, and what the journal throws */
  async read(callId: string): Promise<CallView> {
    const watched = await this.#open(callId);
    try {
      return await watched.watcher.view();
    } finally {
      this.#lingerAt(watched);
    }
  }

  watch(callId: string, afterSeq: number, listener: PatchListener): Stop {
    let isStopped = false;
    let stop: Stop = () => {
      isStopped = true;
    };
    this.#open(callId).then(
      (watched) => {
        if (isStopped) return this.#lingerAt(watched);
        const leave = watched.watcher.watch(afterSeq, listener);
        stop = () => {
          leave();
          this.#lingerAt(watched);
        };
      },
      (error: unknown) => {
        if (!isStopped) listener.failed(error);
      },
    );
    return () => stop();
  }

  stop(): void {
    this.#isStopped = true;
    for (const watched of this.#watched.values()) this.#forget(watched);
  }

  async #open(callId: string): Promise<Watched> {
    const journal = await this.#options.journal();
    const known = this.#watched.get(callId);
    if (known) {
      this.#stay(known);
      return known;
    }
    const watcher = new CallWatcher(callId, { ...this.#options, journal });
    const watched: Watched = { watcher, linger: null };
    if (this.#isStopped) watched.watcher.stop();
    else this.#watched.set(callId, watched);
    return watched;
  }

  #stay(watched: Watched): void {
    if (watched.linger !== null) this.#options.clock.clearTimeout(watched.linger);
    watched.linger = null;
  }

  #lingerAt(watched: Watched): void {
    this.#stay(watched);
    if (watched.watcher.pages > 0 || this.#watched.get(watched.watcher.callId) !== watched) return;
    watched.linger = this.#options.clock.setTimeout(() => this.#forget(watched), lingerMs);
  }

  #forget(watched: Watched): void {
    this.#stay(watched);
    watched.watcher.stop();
    this.#watched.delete(watched.watcher.callId);
  }
}
