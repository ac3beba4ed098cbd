/**
 * Owns: what this process may use up before it takes no new calls: how much of each budget is used, once a second, and
 * whether it is overloaded.
 * Does not own: when it counts as overloaded (`overload.ts`), the measuring (`src/telemetry`), the limits
 * (`src/config/budgets.ts`).
 *
 * Invariants:
 * AD3. Budgets turn away new calls alone, as the limit of calls does (CA1).
 * I4. After `stop` no timer is left.
 */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { type BudgetName, budgetNames, ceilingOf, judge, type Load, noLoad } from './overload.ts';

/** By budget, in its own unit. Null: no limit; or too little to measure. */
export type BudgetValues = Readonly<Record<BudgetName, number | null>>;

export interface BudgetsOptions {
  clock: Clock;
  /** Milliseconds, milliseconds, bytes, share. */
  limits: BudgetValues;
  /** A second is over: what was measured of late. */
  measure(): BudgetValues;
  liveCalls(): number;
  onChange(isOverloaded: boolean, exceeded: readonly BudgetState[]): void;
}

export interface BudgetState {
  name: BudgetName;
  measured: number | null;
  limit: number | null;
  /** What is measured by its limit; null where either is. */
  usedRatio: number | null;
  /** Since when it counts as exceeded, milliseconds since the Unix epoch; null where it does not. */
  exceededSince: number | null;
}

const everyMs = 1_000;

const nothing: BudgetValues = { audio: null, eventLoop: null, memory: null, quality: null };

export class Budgets {
  readonly #options: BudgetsOptions;
  #measured = nothing;
  #load: Load = noLoad;
  #timer: TimerHandle;

  constructor(options: BudgetsOptions) {
    this.#options = options;
  }

  get isOverloaded(): boolean {
    return this.#load.isOverloaded;
  }

  /** How many calls there may be before a new one is taken: 0 while it is overloaded; null: any number. */
  get callsCeiling(): number | null {
    return ceilingOf(this.#load, this.#options.clock.monotonic());
  }

  get takesCalls(): boolean {
    const ceiling = this.callsCeiling;
    return ceiling === null || this.#options.liveCalls() < ceiling;
  }

  /** Nothing is measured where there is no limit at all. */
  start(): void {
    const { clock, limits } = this.#options;
    clock.clearTimeout(this.#timer);
    if (budgetNames.every((name) => limits[name] === null)) return;
    this.#timer = clock.setTimeout(() => {
      this.#judge();
      this.start();
    }, everyMs);
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  all(): BudgetState[] {
    const { clock, limits } = this.#options;
    return budgetNames.map((name) => {
      const sinceMs = this.#load.exceededSinceMs[name];
      return {
        name,
        measured: this.#measured[name],
        limit: limits[name],
        usedRatio: this.#usedRatio(name),
        exceededSince: sinceMs === null ? null : clock.now() - (clock.monotonic() - sinceMs),
      };
    });
  }

  #judge(): void {
    const { clock, measure, liveCalls, onChange } = this.#options;
    this.#measured = measure();
    const used = Object.fromEntries(budgetNames.map((name) => [name, this.#usedRatio(name)]));
    const before = this.#load;
    this.#load = judge(before, {
      atMs: clock.monotonic(),
      used: used as BudgetValues,
      liveCalls: liveCalls(),
    });
    if (before.isOverloaded === this.isOverloaded) return;
    const exceeded = this.all().filter(({ exceededSince }) => exceededSince !== null);
    onChange(this.isOverloaded, exceeded);
  }

  #usedRatio(name: BudgetName): number | null {
    const { [name]: limit } = this.#options.limits;
    const { [name]: measured } = this.#measured;
    return limit === null || measured === null ? null : measured / limit;
  }
}

/** For a process that nobody measures. */
export const noBudgets = (clock: Clock): Budgets =>
  new Budgets({
    clock,
    limits: nothing,
    measure: () => nothing,
    liveCalls: () => 0,
    onChange: () => undefined,
  });
