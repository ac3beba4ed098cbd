/**
 * Owns: a process's handle on the journal that all processes share, and what goes wrong with it: it is slow, fails,
 * stalls, or its process dies.
 *
 * Invariants:
 * J1. A dead process reads and writes nothing, and none of its questions is answered.
 * J2. A request that failed has either taken effect or has not: `lost` says that it has.
 */
import type { Clock } from '../../src/runtime/ports/clock.ts';
import { RetryError } from '../../src/runtime/ports/errors.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';

/**
 * `slow`: each answer takes `delayMs`; `fail`: refused and nothing done; `lost`: done, and answered with a failure;
 * `stall`: nothing is done and answered before the end of the fault.
 */
export type JournalTrouble = 'slow' | 'fail' | 'lost' | 'stall';

export interface JournalFault {
  trouble: JournalTrouble;
  /** By the monotonic clock. */
  from: number;
  until: number;
  delayMs: number;
}

export interface JournalHost {
  /** Called before a request reaches the journal and before its answer reaches the process. False: it is dead. */
  cross(crossing: 'journal' | 'journalAnswer'): boolean;
  /** Runs what comes in now, or once the process is not frozen any more. */
  whenAwake(work: () => void): void;
  awake(): Promise<void>;
}

const unavailable = (): RetryError => new RetryError('journal.unavailable', 'simulated');

const never = (): Promise<never> => new Promise(() => undefined);

export class ProcessJournal {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #host: JournalHost;
  readonly #faults: JournalFault[] = [];

  constructor(journal: Journal, clock: Clock, host: JournalHost) {
    this.#journal = journal;
    this.#clock = clock;
    this.#host = host;
  }

  addFault(fault: JournalFault): void {
    this.#faults.push(fault);
  }

  /** The handle for the process. */
  open(): Journal {
    const journal = this.#journal;
    const ask =
      <Arguments extends unknown[], Result>(work: (...given: Arguments) => Promise<Result>) =>
      (...given: Arguments): Promise<Result> =>
        this.#ask(() => work.apply(journal, given));
    return {
      append: ask(journal.append),
      read: ask(journal.read),
      readPayloads: ask(journal.readPayloads),
      findByCarrierId: ask(journal.findByCarrierId),
      list: ask(journal.list),
      readAfter: ask(journal.readAfter),
      follow: (callId, listener) => journal.follow(callId, () => this.#tell(listener)),
      put: ask(journal.put),
      pending: ask(journal.pending),
      watch: (owner, listener) => journal.watch(owner, () => this.#tell(listener)),
      beat: ask(journal.beat),
      instances: ask(journal.instances),
      forget: ask(journal.forget),
      noteInstance: ask(journal.noteInstance),
      readInstanceLog: ask(journal.readInstanceLog),
      saveDefinition: ask(journal.saveDefinition),
      readDefinition: ask(journal.readDefinition),
      undelivered: ask(journal.undelivered),
      markDelivered: ask(journal.markDelivered),
      close: () => journal.close(),
    };
  }

  #tell(listener: () => void): void {
    this.#host.whenAwake(() => {
      if (this.#host.cross('journalAnswer')) listener();
    });
  }

  async #ask<Result>(work: () => Promise<Result>): Promise<Result> {
    const fault = this.#current();
    if (fault) await this.#delay(fault);
    if (!this.#host.cross('journal')) return never();
    const outcome = await this.#perform(fault?.trouble, work);
    await this.#host.awake();
    if (!this.#host.cross('journalAnswer')) return never();
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  }

  /** J2. */
  async #perform<Result>(
    trouble: JournalTrouble | undefined,
    work: () => Promise<Result>,
  ): Promise<{ result: Result } | { error: unknown }> {
    if (trouble === 'fail') return { error: unavailable() };
    try {
      const result = await work();
      return trouble === 'lost' ? { error: unavailable() } : { result };
    } catch (error) {
      return { error };
    }
  }

  async #delay({ trouble, until, delayMs }: JournalFault): Promise<void> {
    if (trouble === 'stall') await this.#wait(until - this.#clock.monotonic());
    else if (trouble === 'slow') await this.#wait(delayMs);
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, delayMs));
  }

  #current(): JournalFault | undefined {
    const now = this.#clock.monotonic();
    return this.#faults.find(({ from, until }) => from <= now && now < until);
  }
}
