/**
 * Owns: how the budgets of a process are written: a time, a share, an amount of memory, or that there is none.
 * Does not own: what is measured against them (`src/service/health/budgets.ts`).
 */
import { z } from 'zod';

/** Of all that the process may have, 0 to 1, or so many bytes. */
export type MemoryBudget = { share: number } | { bytes: number };

/** Null: there is none. */
export interface BudgetLimits {
  audioMs: number | null;
  eventLoopMs: number | null;
  memory: MemoryBudget | null;
  /** 0 to 1. */
  qualityShare: number | null;
}

/** For each of so many processes that have the same memory. An amount is meant for each as it stands. */
export const budgetOfEach = (memory: MemoryBudget | null, processes: number): MemoryBudget | null =>
  memory !== null && 'share' in memory ? { share: memory.share / processes } : memory;

const isOff = (text: string): boolean => text === 'off' || text === '0';
const bytesPerMegabyte = 1_000_000;
const percent = String.raw`([1-9]\d?|100)%`;

const shareOf = (text: string): number => Number(text.slice(0, -1)) / 100;

export const budgetMs = z
  .string()
  .regex(/^(off|0|[1-9]\d{0,6})$/, 'must be whole milliseconds, or off')
  .transform((text) => (isOff(text) ? null : Number(text)));

export const budgetShare = z
  .string()
  .regex(new RegExp(`^(off|0|${percent})$`), 'must be 1% to 100%, or off')
  .transform((text) => (isOff(text) ? null : shareOf(text)));

export const memoryBudget = z
  .string()
  .regex(new RegExp(String.raw`^(off|0|${percent}|[1-9]\d{0,7}(MB)?)$`), 'must be MB, 1% to 100%, or off')
  .transform((text): MemoryBudget | null => {
    if (isOff(text)) return null;
    if (text.endsWith('%')) return { share: shareOf(text) };
    return { bytes: Number.parseInt(text, 10) * bytesPerMegabyte };
  });
