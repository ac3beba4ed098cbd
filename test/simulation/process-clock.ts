/**
 * Owns: the clock of one simulated process: the time of all, a wall clock that may be wrong, timers that die with the
 * process, and its being frozen (SIGSTOP): whatever comes to it waits until it wakes.
 *
 * Invariants:
 * C1. After `die` no timer of the process fires, those set later included.
 * C2. Between `freeze` and `thaw` nothing of the process runs. What came meanwhile runs then, in the order in which it
 *     came, each in a turn of its own.
 */
import type { Clock, TimerHandle } from '../../src/runtime/ports/clock.ts';

export class ProcessClock implements Clock {
  readonly #clock: Clock;
  /** Asked before each timer fires: false where the process died of it. */
  readonly #admit: () => boolean;
  readonly #timers = new Set<TimerHandle>();
  #offsetMs = 0;
  #isDead = false;
  /** What came while the process was frozen; null while it is not. */
  #late: (() => void)[] | null = null;

  constructor(clock: Clock, admit: () => boolean) {
    this.#clock = clock;
    this.#admit = admit;
  }

  /** Timers that are set and have neither run nor been cleared. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#clock.now() + this.#offsetMs;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    if (this.#isDead) return undefined;
    const fire = (): void => {
      // It may have been cleared while it waited for the process to wake.
      if (this.#timers.delete(handle) && this.#admit()) callback();
    };
    const handle = this.#clock.setTimeout(() => this.whenAwake(fire), delayMs);
    this.#timers.add(handle);
    return handle;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle);
    this.#clock.clearTimeout(handle);
  }

  /** Moves this process's wall clock alone. */
  jump(ms: number): void {
    this.#offsetMs += ms;
  }

  /** The wall clock is right again. */
  mend(): void {
    this.#offsetMs = 0;
  }

  get isFrozen(): boolean {
    return this.#late !== null;
  }

  freeze(): void {
    this.#late ??= [];
  }

  thaw(): void {
    const late = this.#late ?? [];
    this.#late = null;
    for (const work of late) this.#clock.setTimeout(() => this.whenAwake(work), 0);
  }

  /** Runs what comes from outside now, or as soon as the process is awake. */
  whenAwake(work: () => void): void {
    if (this.#isDead) return;
    if (this.#late === null) work();
    else this.#late.push(work);
  }

  /** Costs no turn while the process is awake. */
  async awake(): Promise<void> {
    if (this.#late !== null) await new Promise<void>((resolve) => this.whenAwake(resolve));
  }

  die(): void {
    this.#isDead = true;
    this.#late = null;
    for (const handle of this.#timers) this.#clock.clearTimeout(handle);
    this.#timers.clear();
  }
}
