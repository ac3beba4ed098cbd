/** Owns: an environment that is right, and what a test expects of a wrong one. */
import { expect } from 'vitest';
import type { Environment } from '../../src/config/dotenv.ts';
import { InvalidConfiguration } from '../../src/config/fault.ts';

/** The least that the service starts with. */
export const leastEnvironment: Environment = {
  TWILIO_ACCOUNT_SID: `AC${'0123456789abcdef'.repeat(2)}`,
  TWILIO_AUTH_TOKEN: 'twilio-token',
  OPENAI_API_KEY: 'sk-key',
  PUBLIC_URL: 'https://calls.example.com',
};

/** The error that `read` throws, which must be a complaint about the configuration. */
export function complaintOf(read: () => unknown): InvalidConfiguration {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidConfiguration);
    return error as InvalidConfiguration;
  }
  throw new Error('nothing was refused');
}

/** What is said of each variable at fault. */
export const problemsOf = (read: () => unknown): Record<string, string> =>
  Object.fromEntries(complaintOf(read).faults.map(({ name, problem }) => [name, problem]));
