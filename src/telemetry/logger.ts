/**
 * Owns: the one logger of a process, and what it may never write.
 * Does not own: what is worth a line (`call-log.ts` for calls, the service for itself).
 *
 * Each line names one of the categories `connection`, `call`, `media`, `model` and `service`; a line of a call names the
 * call and its trace. Levels: `error` when somebody was not served, `warn` when something failed and is being made good,
 * `info` for the milestones of a call or process, `debug` for everything else that happened.
 *
 * Entries hold no personal data, so lines made of them hold none. The mask and the names below are further nets. Errors
 * are another matter: an agent's code may put anything into the message of what it throws (`error-fields.ts`).
 *
 * Invariants:
 * M1. No line at any level shows a value that is known to be secret.
 * M2. No line shows a phone number or what somebody's code says in an error, unless the process was told to log at
 *     `debug` or `trace`: whoever looks for a fault with those gets errors whole.
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { errorFields, errorWithWords } from './error-fields.ts';
import { maskNumbers, maskSecrets } from './mask.ts';

export type { Logger } from 'pino';

export const categories = ['connection', 'call', 'media', 'model', 'service'] as const;
export type Category = (typeof categories)[number];

/** Names of fields whose value is a secret that nobody could list, such as a token made for one stream. */
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

export interface LoggerSettings {
  /** As LOG_LEVEL has it; `silent` writes nothing. */
  level: string;
  instance: string;
  /** Values of the configuration that are secret. */
  secrets: readonly string[];
  /** Must not throw, whatever becomes of the line: pino's own one does, and a fault is logged. */
  destination: DestinationStream;
}

/** Pino's own serializer reads and marks what it is given: it throws where a field cannot be read, or the error is frozen. */
function wholeError(error: unknown): unknown {
  try {
    return pino.stdSerializers.err(error as Error);
  } catch {
    return errorWithWords(error);
  }
}

/** Writes JSON lines. */
export function createLogger({ level, instance, secrets, destination }: LoggerSettings): Logger {
  const isVerbose = verboseLevels.includes(level);
  const withoutSecrets = maskSecrets(secrets);
  const options: LoggerOptions = {
    level,
    base: { instance },
    redact: { paths: secretPaths, censor: '[secret]' },
    serializers: { err: isVerbose ? wholeError : errorFields },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: { streamWrite: isVerbose ? withoutSecrets : (line) => maskNumbers(withoutSecrets(line)) },
  };
  return pino(options, destination);
}
