/** A logger whose lines are kept. */
import { createLogger, type Logger } from '../../../src/telemetry/logger.ts';

export interface Logged {
  logger: Logger;
  lines: string[];
  parsed(): Record<string, unknown>[];
}

export function logged(level: string, secrets: readonly string[] = []): Logged {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level, instance: 'one', secrets, destination });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}
