/**
 * Owns: one live call of this process: it stamps facts into entries, steps them, hands them to the writer, and has
 * the commands performed.
 * Does not own: who may own the call (`registry.ts`), how a command is performed (`World.perform`).
 *
 * Messages in: signals, elapsed timers. Messages out: commits, commands, observed steps, the news that the call was
 * lost to another process or is over.
 *
 * Invariants:
 * I1. The state is always the fold of the entries handed to the writer.
 * I2. After a conflict nothing is stepped, written or performed.
 * A1. A reflex is performed when its entry is stepped, every other command once its entry is durable, unless a reflex
 *     takes it back before; each carries the key `callId/seq/index`.
 * A2. `at` never goes back within a call.
 * A3. A call that is over and durable lets go of everything and says so once (I4). One whose journal was given up does so
 *     when it is over, and says so once more when its log is complete or another process's.
 * A4. Steps are told in the order of the log, also where telling one brings about the next.
 * A5. A call whose journal is lost is ended only where its caller is on a line of this process.
 */
import { type Command, endings, reflexes, takesBack } from '../machines/commands.ts';
import { type Entry, entryFault } from '../machines/entries.ts';
import type { Clock } from './ports/clock.ts';
import { GiveUpError, type HoldfastError } from './ports/errors.ts';
import type { CallRow, Json, Payload } from './ports/journal.ts';
import type { Signal } from './ports/signal.ts';
import { type CallState, freeze, step } from './step.ts';
import { Timers } from './timers.ts';
import { type Pending, Writer, type WrittenLog } from './writer.ts';

/** A checkpoint is written with the first commit after so many entries. */
export const checkpointEvery = 100;

/** What has happened outside and nobody could find out again: no crash is to fall between it and its entry. */
const effects: ReadonlySet<Entry['type']> = new Set([
  'tool.finished',
  'hangUp.finished',
  'redirect.finished',
]);

export interface ObservedStep {
  call: Call;
  entry: Entry;
  payloads: readonly Payload[];
  before: CallState | null;
  after: CallState;
  commands: readonly Command[];
}

/** What a call needs of the process around it. */
export interface World {
  readonly clock: Clock;
  readonly log: WrittenLog;
  perform(call: Call, command: Command, key: string): void;
  /** In the order of the log, once the step's entry is on its way to it. */
  observe(step: ObservedStep): void;
  /** Another process owns the call now: everything of it here must go. */
  lost(call: Call, error: HoldfastError): void;
  /** The call is over and its log complete; or it will be, and this is told again then (A3). */
  over(call: Call): void;
  /** A signal that is no valid entry: our own fault, reported and dropped. */
  refused(call: Call, fault: string): void;
}

interface Keyed {
  command: Command;
  key: string;
}

interface Owed extends Keyed {
  seq: number;
}

/** A signal that became an entry. */
interface Taking {
  step: ObservedStep;
  /** To be performed at once (A1). */
  reflexive: Keyed[];
}

const emptyRow = (callId: string): CallRow => ({
  callId,
  carrierCallId: null,
  direction: 'incoming',
  owner: null,
  startedAt: 0,
  endedAt: null,
  endReason: null,
  lastSeq: 0,
  state: null,
});

export class Call {
  readonly callId: string;
  readonly #world: World;
  readonly #timers: Timers;
  readonly #writer: Writer;
  #state: CallState | null;
  #row: CallRow;
  #checkpointSeq: number;
  #durableSeq: number;
  /** On the monotonic clock. */
  #steppedAtMs: number;
  #owed: Owed[] = [];
  /** Steps that nobody was told of yet. */
  readonly #untold: ObservedStep[] = [];
  #waiting: { seq: number; resolve: () => void; reject: (error: HoldfastError) => void }[] = [];
  #stopped = false;
  /** Its end was stepped here: nothing follows it in the log. */
  #hasEnded = false;
  /** The journal was given up: commands no longer wait for it. */
  #unjournalled = false;

  /** A new call (`state` null), or one that was folded from its log. Nothing happens until the first signal. */
  constructor(callId: string, world: World, state: CallState | null, row: CallRow | null) {
    this.callId = callId;
    this.#world = world;
    this.#state = state;
    this.#row = row ?? emptyRow(callId);
    this.#checkpointSeq = state?.seq ?? 0;
    this.#durableSeq = state?.seq ?? 0;
    this.#steppedAtMs = world.clock.monotonic();
    this.#timers = new Timers(world.clock, (timer) =>
      this.signal({ entry: { type: 'timer.elapsed', timer } }),
    );
    this.#writer = new Writer(callId, world.log, world.clock, {
      describe: () => ({ row: this.#row, checkpoint: this.#takeCheckpoint() }),
      onDurable: (seq) => this.#becameDurable(seq),
      onConflict: (error) => (this.#stopped ? world.over(this) : this.#lose(error)),
      onStalled: (queuedEntries, stalledMs) => this.#loseJournal(queuedEntries, stalledMs),
    });
  }

  /** @throws GiveUpError `call.unknown` before the first signal */
  get state(): CallState {
    if (!this.#state) throw new GiveUpError('call.unknown', `${this.callId} has no entry yet`);
    return this.#state;
  }

  get row(): CallRow {
    return this.#row;
  }

  /** How long the call's oldest entry has waited for the journal, milliseconds. */
  get stalledMs(): number {
    return this.#writer.stalledMs;
  }

  /** Entries that are not durable yet. */
  get queuedEntries(): number {
    return this.#writer.queuedEntries;
  }

  /** The last entry that is in the journal for certain. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Takes one fact in. Never throws; a fact that is no valid entry is reported and dropped.
   * @returns whether it became an entry
   */
  signal(signal: Signal, taken: readonly string[] = []): boolean {
    return this.signalAll([signal], taken);
  }

  /**
   * Takes several facts into one commit. `taken` are the inbox signals that they came from.
   * @returns whether any of them became an entry
   */
  signalAll(signals: readonly Signal[], taken: readonly string[] = []): boolean {
    if (this.#stopped) return false;
    const before = this.#state?.seq ?? 0;
    const pending: Pending[] = [];
    const reflexive: Keyed[] = [];
    for (const signal of signals) {
      const taking = this.#take(signal);
      if (!taking) continue;
      const { entry, payloads } = taking.step;
      pending.push({ entry, payloads, taken: pending.length === 0 ? taken : [] });
      this.#untold.push(taking.step);
      reflexive.push(...taking.reflexive);
    }
    if (pending.length === 0) return false;
    const state = this.state;
    this.#timers.arm(state.due, state.at);
    // Written first: a reflex may signal at once, and its entry must come after these; who observes may ask for
    // durability, and what is committed then must go with the state that belongs to it.
    this.#writer.write(pending);
    this.#tellSteps();
    const isTelling = pending.some(({ entry }) => effects.has(entry.type));
    if (taken.length > 0 || isTelling || this.#isAwaitedSince(before)) this.#writer.hasten();
    for (const { command, key } of reflexive) this.#world.perform(this, command, key);
    if (this.#unjournalled && !this.#stopped && this.state.snapshot.status !== 'active') this.#finish();
    return true;
  }

  /** Resolves when all so far is durable. @throws the conflict that came instead, GiveUpError `call.released` */
  durable(): Promise<void> {
    const { seq } = this.state;
    if (this.#durableSeq >= seq) return Promise.resolve();
    if (this.#stopped) return Promise.reject(new GiveUpError('call.released', ''));
    this.#writer.hasten();
    return new Promise((resolve, reject) => this.#waiting.push({ seq, resolve, reject }));
  }

  /** Resolves when nothing of the call waits for the journal any more, or the call was let go. */
  async settled(): Promise<void> {
    while (!this.#stopped && this.queuedEntries > 0) await this.durable().catch(() => undefined);
  }

  /** The journal's row of the call may show that another process has appended to it. */
  yieldTo({ owner, lastSeq }: CallRow): void {
    if (lastSeq <= this.#durableSeq || owner === this.#row.owner) return;
    this.#lose(new GiveUpError('journal.conflict', `${owner} owns call ${this.callId} now`));
  }

  /** What was signalled so far is on its way to the journal when this returns, unless the journal is behind. */
  flush(): void {
    this.#writer.hasten();
  }

  /** Lets go without a word in the log: the process stops, or another one owns the call. */
  stop(): void {
    this.#writer.stop();
    this.#rest(new GiveUpError('call.released', ''));
  }

  #rest(error: HoldfastError): void {
    this.#stopped = true;
    this.#timers.stop();
    this.#owed = [];
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  /** In order, also where writing brought about one more step (A4). */
  #tellSteps(): void {
    for (let step = this.#untold.shift(); step; step = this.#untold.shift()) this.#world.observe(step);
  }

  #take({ entry: draft, payloads = {} }: Signal): Taking | null {
    if (this.#hasEnded) return null;
    const before = this.#state;
    const entry = { ...draft, seq: (before?.seq ?? 0) + 1, at: this.#moment() } as Entry;
    const fault = entryFault(entry);
    if (fault !== null || (entry.type === 'timer.elapsed' && !before?.due.has(entry.timer))) {
      if (fault !== null) this.#world.refused(this, `${entry.type}: ${fault}`);
      return null;
    }
    const [after, commands] = step(this.callId, before, entry);
    this.#state = after;
    this.#hasEnded = before?.snapshot.status === 'active' && after.snapshot.status !== 'active';
    this.#steppedAtMs = this.#world.clock.monotonic();
    this.#row = describe(this.#row, entry, after);
    const rows = Object.entries(payloads).map(([name, content]) => ({ seq: entry.seq, name, content }));
    return {
      step: { call: this, entry, payloads: rows, before, after, commands },
      reflexive: this.#sort(entry.seq, commands),
    };
  }

  /** A2. Where the wall clock was set back, time goes on from the last entry at its own pace. */
  #moment(): number {
    const { clock } = this.#world;
    const elapsedMs = Math.floor(clock.monotonic() - this.#steppedAtMs);
    return Math.max(clock.now(), (this.#state?.at ?? 0) + elapsedMs);
  }

  /** A1: keeps what must wait for durability, returns what is performed now. */
  #sort(seq: number, commands: readonly Command[]): Keyed[] {
    const now: Keyed[] = [];
    commands.forEach((command, index) => {
      const key = `${this.callId}/${seq}/${index}`;
      this.#owed = this.#owed.filter((earlier) => !takesBack(command, earlier.command));
      if (this.#unjournalled || reflexes.has(command.type)) now.push({ command, key });
      else this.#owed.push({ seq, command, key });
    });
    return now;
  }

  /** A command waits for what came after `seq`; or the call is over, and everything of it waits to be let go (A3). */
  #isAwaitedSince(seq: number): boolean {
    return (this.#owed.at(-1)?.seq ?? 0) > seq || this.state.snapshot.status !== 'active';
  }

  #becameDurable(seq: number): void {
    this.#durableSeq = seq;
    const due = this.#owed.filter((owed) => owed.seq <= seq);
    this.#owed = this.#owed.filter((owed) => owed.seq > seq);
    for (const waiting of this.#waiting) if (waiting.seq <= seq) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => waiting.seq > seq);
    for (const { command, key } of due) if (!this.#stopped) this.#world.perform(this, command, key);
    if (this.state.snapshot.status !== 'active' && this.state.seq === seq) this.#finish();
  }

  #takeCheckpoint(): Json | null {
    const { seq } = this.state;
    if (seq - this.#checkpointSeq < checkpointEvery) return null;
    this.#checkpointSeq = seq;
    return freeze(this.state);
  }

  #lose(error: HoldfastError): void {
    if (this.#stopped) return;
    this.#rest(error);
    this.#writer.stop();
    this.#world.lost(this, error);
  }

  /**
   * A5. What was asked for a minute ago and has not been done is out of date. A caller who is not on a line of this process
   * may be in conversation with another one: the call is not ours to end.
   */
  #loseJournal(queuedEntries: number, stalledMs: number): void {
    if (this.state.snapshot.context.stream.id === null) {
      this.#lose(outOfReach());
      return;
    }
    this.#unjournalled = true;
    const due = this.#owed.splice(0).filter(({ command }) => endings.has(command.type));
    for (const { command, key } of due) this.#world.perform(this, command, key);
    this.signal({ entry: { type: 'journal.lost', queuedEntries, stalledMs } });
  }

  /** A3. What waits for the journal goes on waiting: nobody is to find out for a second time how the call ended. */
  #finish(): void {
    if (this.#stopped && !this.#unjournalled) return;
    this.#rest(new GiveUpError('call.released', ''));
    this.#world.over(this);
  }
}

const outOfReach = (): GiveUpError =>
  new GiveUpError('call.released', 'the journal is lost, and the caller is not on a line of this process');

/** The index row after an entry. */
function describe(row: CallRow, entry: Entry, after: CallState): CallRow {
  const next: CallRow = { ...row, lastSeq: entry.seq, state: after.snapshot.value as Json };
  if (entry.type === 'call.created') {
    return { ...next, carrierCallId: entry.carrierCallId, direction: entry.direction, startedAt: entry.at };
  }
  if (entry.type === 'owner.claimed' && after.snapshot.status === 'active')
    return { ...next, owner: entry.instance };
  if (entry.type === 'call.ended')
    return { ...next, owner: null, endedAt: entry.at, endReason: entry.reason };
  return next;
}
