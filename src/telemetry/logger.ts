/**
 * Owns: the one logger of a process, and what it may never write.
 * Does not own: what is worth a line (`call-log.ts` for calls, the service for itself).
 *
 * Entries hold no personal data, so lines made of them hold none. The paths below are a second net.
 */
import { type Logger, type LoggerOptions, pino } from 'pino';

export type { Logger } from 'pino';

const secretPaths = [
  'authorization',
  'apiKey',
  'authToken',
  'token',
  '*.authorization',
  '*.apiKey',
  '*.authToken',
  '*.token',
];

/** JSON lines on standard output. `level` as LOG_LEVEL has it; `silent` writes nothing. */
export function createLogger(level: string, instance: string): Logger {
  const options: LoggerOptions = {
    level,
    base: { instance },
    redact: { paths: secretPaths, censor: '[secret]' },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options);
}
