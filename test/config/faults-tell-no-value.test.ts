import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../src/config/dotenv.ts';
import { readConfiguration, readJournalUrl, readNumberConfiguration } from '../../src/config/environment.ts';
import { describeFaults, InvalidConfiguration } from '../../src/config/fault.ts';
import { settingVariables } from '../../src/config/settings.ts';
import { serviceVariables } from '../../src/config/variables.ts';
import { FixCallError } from '../../src/runtime/ports/errors.ts';
import { leastEnvironment } from './example.ts';

const names = [...Object.keys(serviceVariables), ...Object.keys(settingVariables)];
const readers = [readConfiguration, readJournalUrl, readNumberConfiguration];

/** Values that nothing else in a message can look like. */
const marked = fc
  .tuple(
    fc.constantFrom(
      '',
      'http://127.0.0.1/',
      'https://',
      'sqlite:',
      'memory:',
      'wss://u:',
      '+1',
      'AC',
      '-',
      ' a ',
    ),
    fc.string({ maxLength: 30 }),
    fc.constantFrom('', '.', '/path', '?a=1', '@host', ' b', '\n'),
  )
  .map(([start, middle, end]) => `${start}${middle}qzxk${end}`);

const anyEnvironment: fc.Arbitrary<Environment> = fc.dictionary(
  fc.constantFrom(...names, 'UNKNOWN', '__proto__', 'constructor'),
  fc.oneof(marked, fc.string(), fc.constant(undefined)),
);

describe('whatever the environment holds', () => {
  it('reading it gives a configuration or a complaint, and nothing else', () => {
    fc.assert(
      fc.property(anyEnvironment, fc.constantFrom(...readers), (environment, read) => {
        try {
          read(environment);
        } catch (error) {
          expect(error).toBeInstanceOf(FixCallError);
          expect(error).toMatchObject({ code: 'configuration.invalid' });
          expect((error as InvalidConfiguration).faults.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('a complaint tells no value, however the error is printed', () => {
    let complaints = 0;
    fc.assert(
      fc.property(fc.constantFrom(...names), marked, (name, value) => {
        try {
          readConfiguration({ ...leastEnvironment, ADMIN_HOST: '0.0.0.0', [name]: value });
        } catch (error) {
          complaints++;
          const printed = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}${String(error)}`;
          expect(printed).not.toContain('qzxk');
        }
      }),
      { numRuns: 2_000 },
    );
    expect(complaints).toBeGreaterThan(1_000);
  });
});

describe('a complaint', () => {
  const fault = {
    name: 'OPENAI_API_KEY',
    problem: 'is missing',
    purpose: 'Opens the sessions.',
    origin: 'https://platform.openai.com/api-keys',
  };

  it('is lines that a person can act on', () => {
    expect(describeFaults([fault, { ...fault, name: 'PORT', problem: 'is wrong', origin: null }])).toBe(
      `2 settings need your attention.

  OPENAI_API_KEY is missing.
    What it is for: Opens the sessions.
    Where to get it: https://platform.openai.com/api-keys

  PORT is wrong.
    What it is for: Opens the sessions.

Set variables in the environment or in a file .env; .env.example describes each of them.`,
    );
  });

  it('is the message of the error', () => {
    expect(new InvalidConfiguration([fault]).message).toBe(describeFaults([fault]));
    expect(describeFaults([fault])).toContain('One setting needs your attention');
  });
});
