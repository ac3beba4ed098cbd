/**
 * Owns: what a worker counts as its share of the work, and whether it takes new calls; telling both when they change.
 * Does not own: what follows from it (`shares.ts`), the reasons for taking none (`../health/health.ts`).
 *
 * The share is conversations, which are what `CALLS_LIMIT` counts, and connections that are no stream: a stream belongs
 * to a call, and a caller who was put through takes nothing of a worker. `calls` are all that live here, for the metrics.
 *
 * Invariants:
 * W1. Connections and calls that come or go are told after the turn in which they do. What changes with time alone, as a
 *     budget, or with a step, as a transfer, is told within `lookEveryMs`: a look goes through all calls, and steps are
 *     many.
 * W2. A look is told also where it finds nothing new: whoever hears of none knows that this worker stands still.
 * I4. After `stop` no timer is left.
 */
import type { Socket } from 'node:net';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import type { DeclineCause } from '../health/admission.ts';

export const lookEveryMs = 250;

export interface LoadReport {
  load: number;
  calls: number;
  /** The number of the last connection that came. */
  taken: number;
  /** Why no new call is taken; null where it is. */
  refusal: DeclineCause | null;
}

export interface Standing {
  /** Calls that talk to the agent, or are about to. */
  conversations: number;
  refusal: DeclineCause | null;
}

/** Of a worker that has told nothing yet. */
export const noReport: LoadReport = { load: 0, calls: 0, taken: 0, refusal: 'starting' };

export class WorkerLoad {
  readonly #report: (report: LoadReport) => void;
  readonly #underWay = new Set<object>();
  #countCalls: () => number = () => 0;
  #look: () => Standing = () => ({ conversations: 0, refusal: 'starting' });
  #taken = 0;
  #told = noReport;
  /** Connections under way when it was told last. */
  #underWayTold = 0;
  #isDue = false;
  #clock: Clock | null = null;
  #timer: TimerHandle;

  constructor(report: (report: LoadReport) => void) {
    this.#report = report;
  }

  countBy(countCalls: () => number): void {
    this.#countCalls = countCalls;
  }

  /** Looks from now on, until `stop`. */
  lookBy(look: () => Standing, clock: Clock): void {
    this.#look = look;
    this.#clock = clock;
    this.#lookLater(clock);
  }

  stop(): void {
    this.#clock?.clearTimeout(this.#timer);
  }

  /** A connection came; without a socket its far side had gone before. */
  take(number: number, socket: Socket | undefined): void {
    this.#taken = number;
    if (socket) {
      this.#underWay.add(socket);
      socket.once('close', () => this.noteStream(socket));
    }
    this.noteChange();
  }

  /** The connection is a stream from now on. */
  noteStream(socket: object): void {
    if (this.#underWay.delete(socket)) this.noteChange();
  }

  /** W1. */
  noteChange(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (this.#hasMoved()) this.tell();
    });
  }

  /** Now. */
  tell(): void {
    const { conversations, refusal } = this.#look();
    this.#underWayTold = this.#underWay.size;
    this.#told = {
      load: conversations + this.#underWay.size,
      calls: this.#countCalls(),
      taken: this.#taken,
      refusal,
    };
    this.#report(this.#told);
  }

  #hasMoved(): boolean {
    const { calls, taken } = this.#told;
    return (
      this.#countCalls() !== calls || this.#taken !== taken || this.#underWay.size !== this.#underWayTold
    );
  }

  #lookLater(clock: Clock): void {
    this.#timer = clock.setTimeout(() => {
      this.tell();
      this.#lookLater(clock);
    }, lookEveryMs);
  }
}
