/** Owns: the budgets of a running process, as they are configured: their limits in bytes and milliseconds, and its log. */
import type { BudgetLimits, MemoryBudget } from '../../config/budgets.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Budgets, type BudgetValues } from './budgets.ts';

export interface CreateBudgetsOptions {
  limits: BudgetLimits;
  clock: Clock;
  logger: Logger;
  /** What a share of memory is one of. */
  memoryLimitBytes: number;
  measure(): BudgetValues;
  liveCalls(): number;
}

export function createBudgets({ limits, logger, ...options }: CreateBudgetsOptions): Budgets {
  const { clock, measure, liveCalls, memoryLimitBytes } = options;
  return new Budgets({
    clock,
    limits: {
      audio: limits.audioMs,
      eventLoop: limits.eventLoopMs,
      memory: limits.memory === null ? null : bytesOf(limits.memory, memoryLimitBytes),
      quality: limits.qualityShare,
    },
    measure,
    liveCalls,
    onChange: (isOverloaded, exceeded) => {
      if (!isOverloaded) logger.info({ category: 'service' }, 'new calls are taken again');
      else
        logger.warn(
          { category: 'service', budgets: exceeded },
          'no new calls are taken: a budget is exceeded',
        );
    },
  });
}

const bytesOf = (memory: MemoryBudget, memoryLimitBytes: number): number =>
  'bytes' in memory ? memory.bytes : memory.share * memoryLimitBytes;
