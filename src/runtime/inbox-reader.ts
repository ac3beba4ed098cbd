/**
 * Owns: taking what waits in the inbox into the calls that live here, as entries of theirs.
 * Does not own: which calls live here (`registry.ts`), who puts what into the inbox.
 *
 * Invariants:
 * B1. A signal is taken once: what is on its way into a log is not taken again, and neither is what an earlier reading
 *     still shows after that.
 * B2. The order within a call is kept, and no call waits for the log of another one.
 * B3. A signal that can be no entry is told of once and then left alone.
 */
import type { Call } from './call.ts';
import type { Clock, TimerHandle } from './ports/clock.ts';
import type { Inbox, InboxSignal, Json } from './ports/journal.ts';
import type { Signal } from './ports/signal.ts';

/** Pause before an inbox that could not be read is read again. */
const rereadMs = 1_000;

/** Signals that could be no entry which are remembered: of more of them the oldest are told of again. */
export const refusedLimit = 1_000;

export interface InboxReaderOptions {
  instance: string;
  inbox: Inbox;
  clock: Clock;
  /** The call, where it lives here. */
  find(callId: string): Call | undefined;
  /** A signal that has not even the shape of one. */
  refused(call: Call, fault: string): void;
}

export class InboxReader {
  readonly #options: InboxReaderOptions;
  /** What each call is still to take, in order. A call without such a list takes nothing now. */
  readonly #waiting = new Map<string, InboxSignal[]>();
  /** Signals that are being taken, and null; or that were, and the last reading that may still show them. */
  readonly #taken = new Map<string, number | null>();
  readonly #refused = new Set<string>();
  #unwatch: (() => void) | null = null;
  #reading: 'none' | 'underWay' | 'outdated' = 'none';
  #readings = 0;
  #rereading: TimerHandle;

  constructor(options: InboxReaderOptions) {
    this.#options = options;
  }

  /** Reads now, and whenever something was put. */
  watch(): void {
    const { inbox, instance } = this.#options;
    this.#unwatch ??= inbox.watch(instance, () => this.read());
    this.read();
  }

  /** Something may wait for a call that lives here. Nothing happens unless it watches. */
  read(): void {
    if (!this.#unwatch) return;
    const isFree = this.#reading === 'none';
    this.#reading = isFree ? 'underWay' : 'outdated';
    if (isFree) void this.#read();
  }

  stop(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#options.clock.clearTimeout(this.#rereading);
  }

  async #read(): Promise<void> {
    const { inbox, instance } = this.#options;
    this.#readings += 1;
    const pending = await inbox.pending(instance).catch(() => null);
    const isOutdated = this.#reading === 'outdated';
    this.#reading = 'none';
    if (!this.#unwatch) return;
    if (pending) this.#sort(pending);
    else this.#readLater();
    if (isOutdated) this.read();
  }

  #sort(pending: readonly InboxSignal[]): void {
    for (const [id, shownBy] of this.#taken) {
      if (shownBy !== null && shownBy < this.#readings) this.#taken.delete(id);
    }
    const ids = new Set(pending.map(({ id }) => id));
    for (const id of this.#refused) if (!ids.has(id)) this.#refused.delete(id);
    for (const signal of pending) if (this.#isNew(signal)) this.#enqueue(signal);
  }

  #isNew({ id, callId }: InboxSignal): boolean {
    const isHere = this.#options.find(callId) !== undefined;
    return isHere && !this.#taken.has(id) && !this.#refused.has(id);
  }

  #enqueue(signal: InboxSignal): void {
    this.#taken.set(signal.id, null);
    const waiting = this.#waiting.get(signal.callId);
    if (waiting) {
      waiting.push(signal);
      return;
    }
    const queue = [signal];
    this.#waiting.set(signal.callId, queue);
    void this.#takeAll(signal.callId, queue);
  }

  /** One at a time: a flood of signals is no flood of entries that wait for the journal. */
  async #takeAll(callId: string, queue: InboxSignal[]): Promise<void> {
    try {
      for (let signal = queue.shift(); signal; signal = queue.shift()) {
        const call = this.#options.find(callId);
        if (call) await this.#take(call, signal);
        this.#taken.set(signal.id, this.#readings);
      }
    } finally {
      // In the turn in which the queue was found empty: later, a signal may be in it.
      this.#waiting.delete(callId);
    }
  }

  async #take(call: Call, { id, signal: json }: InboxSignal): Promise<void> {
    const signal = signalOf(json);
    if (signal === null) this.#options.refused(call, 'what was put into the inbox is no signal');
    const isTaken = signal !== null && call.signal(signal, [id]);
    if (isTaken) await call.durable().catch(() => undefined);
    else if (!call.stopped) this.#refuse(id);
  }

  #refuse(id: string): void {
    this.#refused.add(id);
    const [oldest] = this.#refused;
    if (this.#refused.size > refusedLimit && oldest !== undefined) this.#refused.delete(oldest);
  }

  /** The journal did not answer, and may not tell of these signals again. */
  #readLater(): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#rereading);
    this.#rereading = clock.setTimeout(() => this.read(), rereadMs);
  }
}

const isRecord = (json: Json | undefined): json is Record<string, Json> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

function signalOf(json: Json): Signal | null {
  if (!isRecord(json) || !isRecord(json.entry)) return null;
  const { payloads = {} } = json;
  const isWhole =
    isRecord(payloads) && Object.values(payloads).every((content) => typeof content === 'string');
  return isWhole ? (json as unknown as Signal) : null;
}
