/** Owns: the health of a running process, as it is configured. */
import type { Configuration } from '../../config/environment.ts';
import { memoryLimitBytes } from '../../platform/memory.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics/metrics.ts';
import type { BudgetValues } from './budgets.ts';
import { Capacity } from './capacity.ts';
import { type Counted, countConversations } from './conversations.ts';
import { createBudgets } from './create-budgets.ts';
import { Health, type HealthOptions } from './health.ts';

type Given = 'clock' | 'notReady' | 'clockSkewMs' | 'mayHaveCompany';

export interface CreateHealthOptions extends Pick<HealthOptions, Given> {
  configuration: Pick<Configuration, 'callsLimit' | 'budgets' | 'fallbackTransferTo' | 'twilio'>;
  /** Undefined before the parts of the process are there. */
  assembly(): Counted | undefined;
  logger: Logger;
  metrics: Metrics;
  meters: { measure(): BudgetValues };
}

export function createHealth(options: CreateHealthOptions): Health {
  const { configuration, metrics, assembly, meters, ...others } = options;
  const liveCalls = (): number => {
    const counted = assembly();
    return counted === undefined ? 0 : countConversations(counted);
  };
  return new Health({
    ...others,
    random: Math.random,
    journalStalledMs: () => assembly()?.registry.stalledMs ?? 0,
    capacity: new Capacity({ limit: configuration.callsLimit, liveCalls }),
    budgets: createBudgets({
      ...{ clock: options.clock, logger: options.logger, liveCalls },
      limits: configuration.budgets,
      memoryLimitBytes: memoryLimitBytes(),
      measure: () => meters.measure(),
    }),
    fallback: { number: configuration.fallbackTransferTo, url: configuration.twilio.fallbackUrl },
    onDeclined: (cause) => metrics.count('callsDeclined', { cause }),
    onPassedOn: (cause) => metrics.count('callsPassedOn', { cause }),
  });
}
