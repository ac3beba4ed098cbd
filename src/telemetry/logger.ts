/**
 * Owns: the one logger of a process, and what it may never write.
 * Does not own: what is worth a line (`call-log.ts` for calls, the service for itself).
 *
 * Entries hold no personal data, so lines made of them hold none. The paths below are a second net. Errors are another
 * matter: an agent's code may put anything into the message of what it throws (`error-fields.ts`).
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { errorFields } from './error-fields.ts';

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

/** Levels that a person asks for to find a fault, personal data or not. */
const verboseLevels: readonly string[] = ['debug', 'trace'];

/**
 * JSON lines, on standard output unless told. `level` as LOG_LEVEL has it: `silent` writes nothing; at `debug` and
 * `trace` errors are written whole, their messages included.
 */
export function createLogger(level: string, instance: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { instance },
    redact: { paths: secretPaths, censor: '[secret]' },
    serializers: { err: verboseLevels.includes(level) ? pino.stdSerializers.err : errorFields },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return destination ? pino(options, destination) : pino(options);
}
