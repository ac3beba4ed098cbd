/**
 * Owns: whether a process carries more than it can carry well, as a pure fold of samples of how much of each budget is
 * used.
 * Does not own: what is measured (`budgets.ts`), what becomes of new calls (`admission.ts`).
 *
 * A budget counts as exceeded from the sample that is beyond it to the first that is clearly below it. What is between
 * the two changes nothing.
 *
 * Invariants:
 * OV1. The process becomes overloaded after a budget was beyond for `overAfterMs`, and stays so until all were clearly
 *      below for `clearAfterMs`. So it changes twice in `overAfterMs + clearAfterMs` at most, whatever is measured.
 * OV2. Nothing is judged before calls were carried for `warmUpMs`: code that is being compiled is no load.
 * OV3. Without live calls nobody is hurt, and nothing is beyond its budget.
 * OV4. For `recoveryMs` after an overload new calls are taken slowly, whoever waited for the door to open: as many as end
 *      make room, and beyond that a hundredth of the calls a second.
 */

export const budgetNames = ['audio', 'eventLoop', 'memory', 'quality'] as const;
export type BudgetName = (typeof budgetNames)[number];

/** By budget: what is measured by its limit. Null where it is off, or there is too little to measure. */
export type Used = Readonly<Record<BudgetName, number | null>>;

export interface Sample {
  /** By the monotonic clock. */
  atMs: number;
  used: Used;
  liveCalls: number;
}

export interface Load {
  isOverloaded: boolean;
  /** Since when each budget counts as exceeded; null where it does not. */
  exceededSinceMs: Readonly<Record<BudgetName, number | null>>;
  /** Since when one is beyond without a sample in which none was, and since when all are clearly below. */
  beyondSinceMs: number | null;
  clearSinceMs: number | null;
  /** For how long there were live calls so far; as far as it matters. */
  carriedMs: number;
  /** When the last overload ended, and how many calls were live then; null where there was none. */
  recovery: { sinceMs: number; liveCalls: number } | null;
  atMs: number | null;
}

export const overAfterMs = 3_000;
export const clearAfterMs = 10_000;
export const warmUpMs = 30_000;
export const recoveryMs = 60_000;
const growthPerSecond = 0.01;

/** A process that stood still has carried nothing meanwhile. */
const longestStepMs = 2_000;

/** Memory that was given back to nobody stays: it needs less of a distance, and gets none by itself. */
const clearlyBelow: Readonly<Record<BudgetName, number>> = {
  audio: 0.8,
  eventLoop: 0.8,
  memory: 0.95,
  quality: 0.8,
};

export const noLoad: Load = {
  isOverloaded: false,
  exceededSinceMs: { audio: null, eventLoop: null, memory: null, quality: null },
  beyondSinceMs: null,
  clearSinceMs: null,
  carriedMs: 0,
  recovery: null,
  atMs: null,
};

export function judge(load: Load, sample: Sample): Load {
  const { atMs, liveCalls } = sample;
  const carriedMs = load.carriedMs + carriedSince(load, sample);
  const isJudged = liveCalls > 0 && carriedMs >= warmUpMs;
  const used = budgetNames.map((name) => [name, isJudged ? (sample.used[name] ?? 0) : 0] as const);
  const isBeyond = used.some(([, share]) => share > 1);
  const isClear = used.every(([name, share]) => share <= clearlyBelow[name]);
  const beyondSinceMs = isBeyond ? (load.beyondSinceMs ?? atMs) : null;
  const clearSinceMs = isClear ? (load.clearSinceMs ?? atMs) : null;
  const isOverloaded = load.isOverloaded
    ? !hasLasted(clearSinceMs, atMs, clearAfterMs)
    : hasLasted(beyondSinceMs, atMs, overAfterMs);
  const hasEnded = load.isOverloaded && !isOverloaded;
  return {
    isOverloaded,
    recovery: hasEnded ? { sinceMs: atMs, liveCalls } : load.recovery,
    exceededSinceMs: Object.fromEntries(
      used.map(([name, share]) => [name, exceededSince(load.exceededSinceMs[name], name, share, atMs)]),
    ) as Load['exceededSinceMs'],
    ...{ beyondSinceMs, clearSinceMs, carriedMs, atMs },
  };
}

/** How many calls there may be before a new one is taken; null: any number. */
export function ceilingOf({ isOverloaded, recovery }: Load, nowMs: number): number | null {
  if (isOverloaded) return 0;
  if (recovery === null) return null;
  const passedMs = nowMs - recovery.sinceMs;
  if (passedMs >= recoveryMs) return null;
  const perSecond = Math.max(1, growthPerSecond * recovery.liveCalls);
  return recovery.liveCalls + 1 + Math.floor((perSecond * passedMs) / 1_000);
}

function carriedSince({ atMs: before }: Load, { atMs, liveCalls }: Sample): number {
  return liveCalls === 0 || before === null ? 0 : Math.min(atMs - before, longestStepMs);
}

const hasLasted = (sinceMs: number | null, atMs: number, forMs: number): boolean =>
  sinceMs !== null && atMs - sinceMs >= forMs;

function exceededSince(before: number | null, name: BudgetName, share: number, atMs: number): number | null {
  if (share > 1) return before ?? atMs;
  return share <= clearlyBelow[name] ? null : before;
}
