/**
 * Owns: how a process that is to stop lets go of its live calls: to another process that is ready, else to nobody until
 * one is there.
 * Does not own: how long it may take (`src/machines/service.ts`), how a call moves (the call chart).
 *
 * Invariants:
 * Q1. With another ready process this one stops listening first, so that a call that is let go does not come back.
 *     Of two that drain at once at most one counts on the other: each says that it is not ready before it looks.
 * Q2. A call is asked to move once per stream, and once more where the time is up earlier than it was told.
 * Q3. After `part` no call keeps a stream here. Where the journal has not taken what was said `stallMs` later, the stream
 *     is closed all the same, while the door still answers the carrier; but not where another process is ready, for then
 *     the door is closed. A call that has no stream is kept until somebody has it or its caller was told to wait; so is an
 *     end that is being carried out. Any other one is let go at once.
 * Q4. Whoever was counted on may be gone a moment later: as long as a call is here, somebody looks, and where nobody is
 *     ready any more this process listens again.
 */

import type { Call } from '../runtime/call.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { Registry } from '../runtime/registry.ts';
import type { Company, Siblings } from './siblings.ts';
import { stallMs, unlessStalled } from './stall.ts';

/** Where the carrier reaches this process. */
export interface Door {
  stopListening(): unknown;
  /** Does nothing where it listens. @throws as `listen` of Node.js */
  listenAgain(): Promise<void>;
}

export interface DrainOptions {
  siblings: Pick<Siblings, 'company'>;
  registry: Pick<Registry, 'calls'>;
  clock: Clock;
  /** Tells the other processes that this one is not ready. Resolves with whether they know. */
  announce(): Promise<boolean>;
  /** Nothing of the call is to be left here: whoever claims it has it. */
  letGo(callId: string): void;
  /** The call stays: what waits for the journal may be taken yet. */
  closeStream(call: Call): void;
  /** Undefined while there is none. */
  door(): Door | undefined;
  onTrouble(error: unknown): void;
}

export class Drain {
  readonly #options: DrainOptions;
  #company: Company | null = null;
  #looking: Promise<void> | null = null;
  #partingSinceMs: number | null = null;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Who else was there when this process looked last; null before. */
  get company(): Company | null {
    return this.#company;
  }

  /** Asks every call to move within the time, where there is a process to move to. To be repeated: one may come, or go. */
  async moveCalls(withinMs: number): Promise<void> {
    await this.#look();
    if (this.#company !== 'ready') return;
    for (const call of this.#options.registry.calls()) {
      if (isStreaming(call) && call.state.snapshot.context.move === null) askToMove(call, withinMs);
    }
  }

  /** Lets go of every call now. Without another process each is told to wait until one is back. To be repeated, too. */
  async part(): Promise<void> {
    const { clock, registry, letGo, closeStream, onTrouble } = this.#options;
    this.#partingSinceMs ??= clock.monotonic();
    // Whatever the journal does, no stream stays.
    await unlessStalled(clock, this.#look()).catch(onTrouble);
    for (const call of [...registry.calls()]) {
      if (isStreaming(call) && !isToMoveBy(call, clock.now())) askToMove(call, 0);
      else if (isStreaming(call) && this.#isJournalLate) closeStream(call);
      else if (!isOwedAnAnswer(call)) letGo(call.callId);
    }
  }

  /** Where another process is ready this one does not listen: there is nothing to be in time for. */
  get #isJournalLate(): boolean {
    const nowMs = this.#options.clock.monotonic();
    return this.#company !== 'ready' && nowMs - (this.#partingSinceMs ?? nowMs) >= stallMs;
  }

  /** What a journal that is away does not tell stays as it was. One look at a time: an older one is not to have the last word. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce()
      .catch(this.#options.onTrouble)
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { siblings, announce, door } = this.#options;
    if (!(await announce())) return;
    this.#company = await siblings.company();
    if (this.#company === 'ready') door()?.stopListening();
    else await door()?.listenAgain();
  }
}

const isStreaming = ({ state: { snapshot } }: Call): boolean => snapshot.hasTag('streaming');

const isToMoveBy = ({ state: { snapshot } }: Call, at: number): boolean =>
  (snapshot.context.move?.dueAt ?? Infinity) <= at;

/** The carrier is about to ask what to do next, or to be told; or an end is being carried out. */
const isOwedAnAnswer = ({ state: { snapshot } }: Call): boolean =>
  snapshot.matches('live') || snapshot.hasTag('ending');

const askToMove = (call: Call, withinMs: number): void =>
  void call.signal({ entry: { type: 'move.requested', by: 'drain', withinMs } });
