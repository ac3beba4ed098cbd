/**
 * Owns: the way of a call's entries into the journal: one append in flight, later entries join the next commit.
 * Does not own: what the entries mean, what follows once they are durable.
 *
 * Most entries have nothing waiting for them. They go at the next full `lingerMs` of the process's clock: so do those of
 * every other call, and the journal makes one commit of them. A process that dies meanwhile has lost that much more of
 * what it knew. Where somebody waits, they go at once.
 *
 * Invariants:
 * W1. Entries are committed in order, each once. A lost reply is settled by reading, never by writing again blindly.
 * W2. After a conflict nothing more is written (I2).
 * W3. The queue is bounded: past `queueLimit` entries, or when the oldest has waited for `stallLimitMs`, the call is
 *     told so once.
 * W4. No entry waits longer than `lingerMs` before it is handed to a journal that has answered the one before.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../machines/entries.ts';
import type { Clock, TimerHandle } from './ports/clock.ts';
import { GiveUpError, HoldfastError } from './ports/errors.ts';
import type { CallRow, Commit, Feed, Json, Log, Payload } from './ports/journal.ts';

/** Console and feed show a step within 100 ms of its entry: this is the part of it that may be spent here. */
export const lingerMs = 40;
export const queueLimit = 1_000;
export const stallLimitMs = 60_000;
const retryFirstMs = 50;
const retryLongestMs = 1_000;

/** What a call needs of the journal. */
export type WrittenLog = Pick<Log, 'append'> & Pick<Feed, 'readAfter'>;

export interface Pending {
  entry: Entry;
  payloads: readonly Payload[];
  /** Inbox signals that this entry takes in. */
  taken: readonly string[];
}

export interface WriterListener {
  /** The state that belongs to the last entry handed to the writer. */
  describe(): { row: CallRow; checkpoint: Json | null };
  onDurable(seq: number): void;
  /** Another process has appended: this one no longer owns the call. */
  onConflict(error: HoldfastError): void;
  /** W3. */
  onStalled(queuedEntries: number, stalledMs: number): void;
}

/** Until the moment at which all calls hand over what nobody waits for. @param nowMs by the monotonic clock */
export const untilNextCommitMs = (nowMs: number): number => lingerMs - (nowMs % lingerMs);

const isConflict = (error: unknown): error is HoldfastError =>
  error instanceof HoldfastError && error.code === 'journal.conflict';

export class Writer {
  readonly #callId: string;
  readonly #log: WrittenLog;
  readonly #clock: Clock;
  readonly #listener: WriterListener;
  #queue: Pending[] = [];
  /** The commit whose outcome is not known yet. */
  #inFlight: Commit | null = null;
  /** Somebody waits for what is queued. */
  #isAwaited = false;
  #linger: TimerHandle;
  #stalledSince: number | null = null;
  #stallAlarm: TimerHandle;
  #stallTold = false;
  #retryMs = retryFirstMs;
  #retry: TimerHandle;
  #stopped = false;

  constructor(callId: string, log: WrittenLog, clock: Clock, listener: WriterListener) {
    this.#callId = callId;
    this.#log = log;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** How long the oldest entry has waited for the journal, milliseconds; 0 where none waits. */
  get stalledMs(): number {
    return this.#stalledSince === null ? 0 : this.#clock.monotonic() - this.#stalledSince;
  }

  /** Entries that are not durable yet. */
  get queuedEntries(): number {
    return this.#queue.length + (this.#inFlight?.entries.length ?? 0);
  }

  write(pending: readonly Pending[]): void {
    if (this.#stopped) return;
    this.#queue.push(...pending);
    if (this.#stalledSince === null) this.#noteWait();
    this.#checkStall();
    this.#next();
  }

  /** Somebody waits for what was written so far. */
  hasten(): void {
    this.#isAwaited = this.#queue.length > 0;
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#clock.clearTimeout(this.#linger);
    this.#clock.clearTimeout(this.#retry);
    this.#clock.clearTimeout(this.#stallAlarm);
  }

  #next(): void {
    if (this.#stopped || this.#inFlight || this.#queue.length === 0) return;
    if (this.#isAwaited) this.#commit();
    else
      this.#linger ??= this.#clock.setTimeout(
        () => this.#commit(),
        untilNextCommitMs(this.#clock.monotonic()),
      );
  }

  #commit(): void {
    this.#clock.clearTimeout(this.#linger);
    this.#linger = undefined;
    this.#isAwaited = false;
    const batch = this.#queue;
    this.#queue = [];
    this.#inFlight = {
      callId: this.#callId,
      entries: batch.map(({ entry }) => entry as unknown as Commit['entries'][number]),
      payloads: batch.flatMap(({ payloads }) => payloads),
      taken: batch.flatMap(({ taken }) => taken),
      ...this.#listener.describe(),
    };
    this.#append(this.#inFlight, false);
  }

  /** `again`: an earlier try may still arrive, so that a conflict may be with ourselves. */
  #append(commit: Commit, again: boolean): void {
    this.#log.append(commit).then(
      () => this.#durable(commit),
      (error: unknown) => {
        if (isConflict(error) && again) void this.#settle(commit, error);
        else this.#failed(commit, error);
      },
    );
  }

  #durable(commit: Commit): void {
    if (this.#stopped) return;
    this.#inFlight = null;
    this.#retryMs = retryFirstMs;
    this.#clock.clearTimeout(this.#stallAlarm);
    this.#stalledSince = null;
    if (this.#queue.length > 0) this.#noteWait();
    this.#listener.onDurable(lastSeqOf(commit));
    this.#next();
  }

  /** An append that is never answered is noticed as well, though nothing else may happen in the call. */
  #noteWait(): void {
    this.#stalledSince = this.#clock.monotonic();
    this.#stallAlarm = this.#clock.setTimeout(() => this.#checkStall(), stallLimitMs);
  }

  #failed(commit: Commit, error: unknown): void {
    if (this.#stopped) return;
    if (isConflict(error)) {
      this.#conflict(error);
      return;
    }
    this.#checkStall();
    this.#retry = this.#clock.setTimeout(() => void this.#settle(commit, null), this.#retryMs);
    this.#retryMs = Math.min(retryLongestMs, this.#retryMs * 2);
  }

  /** W1: the append failed without a word on its outcome, so the journal is asked what it holds. */
  async #settle(commit: Commit, conflict: HoldfastError | null): Promise<void> {
    try {
      const held = await this.#heldSince(commit);
      if (this.#stopped) return;
      if (isSame(held, commit)) this.#durable(commit);
      else if (held.length === 0 && conflict === null) this.#append(commit, true);
      else this.#conflict(conflict ?? new GiveUpError('journal.conflict', ''));
    } catch (error) {
      this.#failed(commit, error);
    }
  }

  /** From the commit's first seq on: of a long log that is little, and after an outage every call asks at once. */
  async #heldSince({ entries }: Commit): Promise<unknown[]> {
    const firstSeq = entries[0]?.seq ?? 1;
    const commits = await this.#log.readAfter(this.#callId, firstSeq - 1, entries.length + 1);
    return commits.flatMap((each) => each.entries).filter(({ seq }) => seq >= firstSeq);
  }

  #conflict(error: HoldfastError): void {
    this.stop();
    this.#listener.onConflict(error);
  }

  #checkStall(): void {
    if (this.#stallTold || this.#stalledSince === null) return;
    const stalledMs = this.#clock.monotonic() - this.#stalledSince;
    if (this.queuedEntries <= queueLimit && stalledMs < stallLimitMs) return;
    this.#stallTold = true;
    this.#listener.onStalled(this.queuedEntries, stalledMs);
  }
}

const lastSeqOf = (commit: Commit): number => commit.entries.at(-1)?.seq ?? 0;

/** What the journal holds after a failed append is ours only if it is exactly what we wrote. */
const isSame = (held: readonly unknown[], commit: Commit): boolean =>
  isDeepStrictEqual(held, JSON.parse(JSON.stringify(commit.entries)));
