/**
 * Owns: the lists of calls: pages of all there are, and the live ones as they change.
 * Does not own: finding them (the journal), one call (`call-watcher.ts`).
 *
 * Invariants:
 * L1. While somebody watches, the list is read once for all of them, and at most every `liveEveryMs`.
 * I4. After the last one stopped nothing is followed and no timer is left; parties of calls that are not live are not kept.
 */
import { Buffer } from 'node:buffer';
import { z } from 'zod';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { FixCallError, RetryError } from '../../runtime/ports/errors.ts';
import type { CallListQuery, CallRow, Feed, Log } from '../../runtime/ports/journal.ts';
import type { CallPage, CallQuery, CallSummary, Stop } from '../../runtime/ports/operator.ts';
import { type Figures, noFigures, type Parties, partiesIn, summaryOf } from './call-summary.ts';
import { retryMs } from './call-watcher.ts';

export const liveEveryMs = 250;
const mostLive = 500;
const defaultLimit = 50;

type Listener = (calls: CallSummary[]) => void;

export interface CallListOptions {
  journal(): Promise<Log & Feed>;
  clock: Clock;
  /** Null where the call is not live here. */
  figuresOf(callId: string): Figures | null;
  onTrouble(error: unknown): void;
}

const place = z.object({ startedAt: z.number(), callId: z.string() });

export class CallList {
  readonly #options: CallListOptions;
  readonly #listeners = new Set<Listener>();
  readonly #parties = new Map<string, Parties>();
  #unfollow: Stop | null = null;
  #timer: TimerHandle | null = null;
  /** Something may have changed since the list was read. */
  #isStale = false;
  #isReading = false;
  #newest: { text: string; calls: CallSummary[] } | null = null;

  constructor(options: CallListOptions) {
    this.#options = options;
  }

  /** @throws FixCallError `command.invalid` for a cursor that is none; what the journal throws */
  async page({ cursor, limit = defaultLimit, ...filters }: CallQuery): Promise<CallPage> {
    const journal = await this.#options.journal();
    const query: CallListQuery = { ...filters, limit: limit + 1 };
    if (cursor !== undefined) query.after = readCursor(cursor);
    const rows = await journal.list(query);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      calls: await Promise.all(shown.map((row) => this.#summary(journal, row))),
      cursor: rows.length > limit && last ? writeCursor(last) : null,
    };
  }

  watch(listener: Listener): Stop {
    this.#listeners.add(listener);
    if (this.#newest) listener(this.#newest.calls);
    else this.#wake();
    if (this.#listeners.size === 1) void this.#follow();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  stop(): void {
    this.#listeners.clear();
    this.#rest();
  }

  async #follow(): Promise<void> {
    try {
      const journal = await this.#options.journal();
      if (this.#listeners.size > 0) this.#unfollow ??= journal.follow(null, () => this.#wake());
    } catch (error) {
      this.#options.onTrouble(error);
    }
  }

  #rest(): void {
    this.#unfollow?.();
    this.#unfollow = null;
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#newest = null;
    this.#parties.clear();
  }

  #wake(): void {
    this.#isStale = true;
    if (this.#timer === null && !this.#isReading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    this.#isStale = false;
    const pauseMs = await this.#tell().then(
      () => liveEveryMs,
      (error: unknown) => this.#fail(error),
    );
    this.#isReading = false;
    if (this.#listeners.size === 0) return this.#parties.clear();
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = null;
      if (this.#isStale) void this.#read();
    }, pauseMs);
  }

  #fail(error: unknown): number {
    this.#isStale = error instanceof RetryError;
    this.#options.onTrouble(error);
    return retryMs;
  }

  async #tell(): Promise<void> {
    const journal = await this.#options.journal();
    const rows = await journal.list({ live: true, limit: mostLive });
    const calls = await Promise.all(rows.map((row) => this.#liveSummary(journal, row)));
    const live = new Set(rows.map(({ callId }) => callId));
    for (const callId of this.#parties.keys()) if (!live.has(callId)) this.#parties.delete(callId);
    const text = JSON.stringify(calls);
    if (this.#listeners.size === 0 || text === this.#newest?.text) return;
    this.#newest = { text, calls };
    for (const listener of [...this.#listeners]) listener(calls);
  }

  /** Nothing of a live call is erased: who is in it is read once. */
  async #liveSummary(journal: Log, row: CallRow): Promise<CallSummary> {
    const { callId } = row;
    const parties = this.#parties.get(callId) ?? partiesIn(await journal.readPayloads(callId));
    this.#parties.set(callId, parties);
    return summaryOf(row, parties, this.#options.figuresOf(callId) ?? noFigures);
  }

  async #summary(journal: Log, row: CallRow): Promise<CallSummary> {
    const parties = partiesIn(await journal.readPayloads(row.callId));
    return summaryOf(row, parties, this.#options.figuresOf(row.callId) ?? noFigures);
  }
}

const writeCursor = ({ startedAt, callId }: CallRow): string =>
  Buffer.from(JSON.stringify({ startedAt, callId })).toString('base64url');

function readCursor(cursor: string): z.infer<typeof place> {
  try {
    return place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (cause) {
    throw new FixCallError('command.invalid', 'The cursor is none of this list.', { cause });
  }
}
