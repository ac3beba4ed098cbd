/** Owns: the health of a running process, as it is configured. */
import type { Configuration } from '../../config/environment.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics/metrics.ts';
import { Health, type HealthOptions } from './health.ts';

export interface CreateHealthOptions
  extends Pick<HealthOptions, 'clock' | 'notReady' | 'journalStalledMs' | 'clockSkewMs'> {
  configuration: Pick<Configuration, 'fallbackTransferTo' | 'twilio'>;
  logger: Logger;
  metrics: Metrics;
}

export const createHealth = ({ configuration, metrics, ...options }: CreateHealthOptions): Health =>
  new Health({
    ...options,
    random: Math.random,
    fallback: { number: configuration.fallbackTransferTo, url: configuration.twilio.fallbackUrl },
    onDeclined: (cause) => metrics.count('callsDeclined', { cause }),
  });
