/**
 * Owns: the file `.env` beside the process.
 * Does not own: what the variables mean.
 *
 * Invariants:
 * D1. A variable that is set wins over the file, even where it is set to nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { InvalidConfiguration } from './fault.ts';

/** Environment variables by name, as `process.env` holds them. */
export type Environment = Record<string, string | undefined>;

/**
 * Adds what `.env` in `directory` sets to `environment`, so that an agent's own variables are there too. Without
 * the file nothing happens.
 *
 * @throws InvalidConfiguration where the file is there and cannot be read
 */
export function loadDotenv(environment: Environment, directory: string): void {
  const content = readWherePresent(join(directory, '.env'));
  for (const [name, value] of Object.entries(parseEnv(content))) environment[name] ??= value;
}

function readWherePresent(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    const purpose = 'It sets variables that the environment does not.';
    throw new InvalidConfiguration([
      { name: path, problem: `cannot be read (${code})`, purpose, origin: null },
    ]);
  }
}
