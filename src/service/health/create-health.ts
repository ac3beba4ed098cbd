/** Owns: the health of a running process, as it is configured. */
import type { Configuration } from '../../config/environment.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics/metrics.ts';
import type { Assembly } from '../assembly.ts';
import { Capacity } from './capacity.ts';
import { Health, type HealthOptions } from './health.ts';

type Counted = Pick<Assembly, 'registry' | 'live' | 'desk'>;

/** Those that are just being begun too: an agent may take its time, and the limit is one for calls that come at once. */
const countCalls = (assembly: Counted | undefined): number =>
  assembly === undefined ? 0 : assembly.live.size + assembly.desk.beginning;

export interface CreateHealthOptions extends Pick<HealthOptions, 'clock' | 'notReady' | 'clockSkewMs'> {
  configuration: Pick<Configuration, 'callsLimit' | 'fallbackTransferTo' | 'twilio'>;
  /** Undefined before the parts of the process are there. */
  assembly(): Counted | undefined;
  logger: Logger;
  metrics: Metrics;
}

export const createHealth = ({ configuration, metrics, assembly, ...options }: CreateHealthOptions): Health =>
  new Health({
    ...options,
    random: Math.random,
    journalStalledMs: () => assembly()?.registry.stalledMs ?? 0,
    capacity: new Capacity({
      limit: configuration.callsLimit,
      liveCalls: () => countCalls(assembly()),
    }),
    fallback: { number: configuration.fallbackTransferTo, url: configuration.twilio.fallbackUrl },
    onDeclined: (cause) => metrics.count('callsDeclined', { cause }),
    onPassedOn: (cause) => metrics.count('callsPassedOn', { cause }),
  });
