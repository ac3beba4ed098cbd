/**
 * Owns: a clock that moves only when a test or a simulation says so, and its timers.
 * Does not own: what the timers do.
 *
 * Invariants:
 * V1. While a timer's callback runs, time stands exactly at the moment for which the timer was set.
 * V2. Timers of the same moment run in the order in which they were set.
 * V3. After each callback all promises that can settle without further timers have settled before time moves on.
 * V4. `jump` moves the wall clock alone: no timer comes earlier or later by it.
 * V5. Time stands while work given to `during` is under way, for at most `mostTurns` turns of the event loop.
 *
 * A turn of the event loop after each callback is what V3 costs, and in a simulation nearly all that the clock costs.
 * Whoever can settle promises within a turn hands in how: see `SettleNow`.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';

interface Timer {
  dueAt: number;
  order: number;
  callback: () => void;
  /** Place in the heap; -1 once it ran or was cleared. */
  place: number;
}

/** More callbacks than this without any time passing is a loop that would never end. */
const mostCallbacksPerMoment = 100_000;

/** Work that takes longer waits for time itself. */
const mostTurns = 64;

/** Runs all promise reactions that are waiting, and those that they bring about, before it returns. */
export type SettleNow = () => void;

const runsBefore = (one: Timer, other: Timer): boolean =>
  one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);

/** A binary heap in which every timer knows its place, so that clearing one costs as little as setting it. */
class TimerHeap {
  readonly #timers: Timer[] = [];

  get size(): number {
    return this.#timers.length;
  }

  get first(): Timer | undefined {
    return this.#timers[0];
  }

  push(timer: Timer): void {
    this.#put(timer, this.#timers.length);
    this.#rise(timer);
  }

  remove(timer: Timer): void {
    const last = this.#timers.pop();
    const place = timer.place;
    timer.place = -1;
    if (last === undefined || last === timer) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #put(timer: Timer, place: number): void {
    timer.place = place;
    this.#timers[place] = timer;
  }

  #rise(timer: Timer): void {
    while (timer.place > 0) {
      const parentPlace = (timer.place - 1) >> 1;
      const parent = this.#timers[parentPlace];
      if (parent === undefined || !runsBefore(timer, parent)) return;
      this.#put(parent, timer.place);
      this.#put(timer, parentPlace);
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const child = this.#firstChildOf(timer.place);
      if (child === undefined || !runsBefore(child, timer)) return;
      const childPlace = child.place;
      this.#put(child, timer.place);
      this.#put(timer, childPlace);
    }
  }

  #firstChildOf(place: number): Timer | undefined {
    const left = this.#timers[2 * place + 1];
    const right = this.#timers[2 * place + 2];
    if (left === undefined || right === undefined) return left;
    return runsBefore(right, left) ? right : left;
  }
}

export class VirtualClock implements Clock {
  readonly #timers = new TimerHeap();
  #elapsedMs = 0;
  #wallOffsetMs: number;
  #nextOrder = 0;
  readonly #settleNow: SettleNow | null;
  #isMoving = false;
  #worksUnderWay = 0;
  /** Turns of the event loop since the last callback in which work was under way. */
  #turnsWaited = 0;
  #callbacksNow = 0;

  /**
   * @param startAt the wall clock at the start, milliseconds since the Unix epoch
   * @param settleNow left out: promises settle by a turn of the event loop
   */
  constructor(startAt = Date.UTC(2026, 0, 1), settleNow: SettleNow | null = null) {
    this.#wallOffsetMs = startAt;
    this.#settleNow = settleNow;
  }

  now(): number {
    return Math.floor(this.#wallOffsetMs + this.#elapsedMs);
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const dueAt = this.#elapsedMs + Math.max(0, delayMs || 0);
    const timer: Timer = { dueAt, order: this.#nextOrder++, callback, place: -1 };
    this.#timers.push(timer);
    return timer;
  }

  /** Also takes undefined, null and handles of timers that ran. */
  clearTimeout(handle: TimerHandle): void {
    const timer = handle as Timer | undefined | null;
    if (timer && timer.place >= 0) this.#timers.remove(timer);
  }

  /** Timers that are set and have neither run nor been cleared: what a leak check counts. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves the wall clock, forwards or backwards, as a correction by its host would. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** For work that takes turns of the event loop and no time: an HTTP exchange within the process. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    this.#worksUnderWay += 1;
    try {
      return await work;
    } finally {
      this.#worksUnderWay -= 1;
    }
  }

  /**
   * Lets time pass: every timer due on the way runs at its own moment.
   *
   * @throws what a callback throws; an Error while another `advance` or `runUntil` is under way
   */
  async advance(ms: number): Promise<void> {
    await this.runUntil(() => false, ms);
  }

  /**
   * Lets time pass until the predicate holds, at most for `limitMs`. It is asked at the start, after every timer
   * and at the limit.
   *
   * @returns whether the predicate held; time then stands where it came true
   */
  async runUntil(predicate: () => boolean, limitMs: number): Promise<boolean> {
    if (this.#isMoving) throw new Error('The virtual clock is already being moved.');
    this.#isMoving = true;
    try {
      return await this.#move(predicate, this.#elapsedMs + limitMs);
    } finally {
      this.#isMoving = false;
    }
  }

  /** In turns of their own: the event loop drains every promise queue before it comes to an immediate. */
  #move(predicate: () => boolean, limit: number): Promise<boolean> {
    this.#callbacksNow = 0;
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          const outcome = this.#takeTurn(predicate, limit);
          if (outcome === null) setImmediate(turn);
          else resolve(outcome);
        } catch (error) {
          reject(error);
        }
      };
      setImmediate(turn);
    });
  }

  /** Null where promises or work under way need another turn of the event loop. */
  #takeTurn(predicate: () => boolean, limit: number): boolean | null {
    if (this.#worksUnderWay > 0 && this.#turnsWaited++ < mostTurns) return null;
    this.#turnsWaited = 0;
    while (!predicate()) {
      const timer = this.#timers.first;
      if (timer === undefined || timer.dueAt > limit) {
        this.#elapsedMs = Math.max(this.#elapsedMs, limit);
        return predicate();
      }
      this.#run(timer);
      if (this.#settleNow === null) return null;
      this.#settleNow();
      if (this.#worksUnderWay > 0) return null;
    }
    return true;
  }

  #run(timer: Timer): void {
    this.#callbacksNow = timer.dueAt > this.#elapsedMs ? 0 : this.#callbacksNow + 1;
    if (this.#callbacksNow > mostCallbacksPerMoment)
      throw new Error('Timers without a delay set each other for ever.');
    this.#timers.remove(timer);
    this.#elapsedMs = timer.dueAt;
    timer.callback();
  }
}
