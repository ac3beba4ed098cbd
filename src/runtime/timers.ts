/**
 * Owns: one alarm for a call's earliest due timer.
 * Does not own: which timers there are (they are data of the call's state), what an elapsed one does.
 *
 * Invariants:
 * T1. A timer that this process armed counts on the monotonic clock: a jump of the wall clock changes nothing. Only
 *     what is left of a timer at a claim comes from the wall clock.
 * T2. At most one alarm is set; none after `stop` (I4).
 */
import type { Clock, TimerHandle } from './ports/clock.ts';

interface Armed {
  dueAt: number;
  /** On the monotonic clock. */
  deadline: number;
}

export class Timers {
  readonly #clock: Clock;
  readonly #elapsed: (timer: string) => void;
  readonly #armed = new Map<string, Armed>();
  #alarm: TimerHandle | null = null;

  constructor(clock: Clock, elapsed: (timer: string) => void) {
    this.#clock = clock;
    this.#elapsed = elapsed;
  }

  /** Brings the alarm in line with `due`, as of the moment `at`. */
  arm(due: ReadonlyMap<string, number>, at: number): void {
    for (const timer of this.#armed.keys()) if (!due.has(timer)) this.#armed.delete(timer);
    for (const [timer, dueAt] of due) {
      if (this.#armed.get(timer)?.dueAt === dueAt) continue;
      this.#armed.set(timer, { dueAt, deadline: this.#clock.monotonic() + Math.max(0, dueAt - at) });
    }
    this.#setAlarm();
  }

  stop(): void {
    this.#armed.clear();
    this.#setAlarm();
  }

  #setAlarm(): void {
    if (this.#alarm !== null) this.#clock.clearTimeout(this.#alarm);
    this.#alarm = null;
    const earliest = this.#earliest();
    if (!earliest) return;
    const [timer, { deadline }] = earliest;
    const fire = (): void => {
      this.#alarm = null;
      // A timer may fire a fraction early (Node.js rounds); it is due only by the monotonic clock.
      if (this.#clock.monotonic() < deadline) this.#setAlarm();
      else this.#elapse(timer);
    };
    this.#alarm = this.#clock.setTimeout(fire, Math.max(0, deadline - this.#clock.monotonic()));
  }

  /** T1: it is over, so that what is set by the same name from now on is another, also if the wall clock went back. */
  #elapse(timer: string): void {
    this.#armed.delete(timer);
    this.#elapsed(timer);
  }

  #earliest(): [string, Armed] | undefined {
    let first: [string, Armed] | undefined;
    for (const entry of this.#armed) if (!first || entry[1].deadline < first[1].deadline) first = entry;
    return first;
  }
}
