import { describe, expect, it } from 'vitest';
import type { Environment } from '../../src/config/dotenv.ts';
import { readConfiguration, readWorkers } from '../../src/config/environment.ts';
import { leastEnvironment } from './example.ts';

describe('WORKERS', () => {
  it.each<[Environment, number]>([
    [{}, 1],
    [{ WORKERS: ' ' }, 1],
    [{ WORKERS: '4', PUBLIC_URL: 'https://calls.example.com' }, 4],
  ])('%j makes %i', (environment, count) => {
    expect(readWorkers(environment)).toBe(count);
  });

  it.each<[Environment, string]>([
    [{ WORKERS: 'two' }, 'whole number'],
    [{ WORKERS: '0' }, 'whole number'],
    [{ WORKERS: '65' }, 'at most 64'],
    [{ WORKERS: '2', JOURNAL_URL: 'memory:' }, 'JOURNAL_URL is memory:'],
    [{ WORKERS: '2', PUBLIC_URL: '', NGROK_AUTHTOKEN: 'token' }, 'PUBLIC_URL is missing'],
  ])('%j is refused with everything else, and nothing is divided before', (changes, problem) => {
    const environment = { ...leastEnvironment, ...changes };
    expect(readWorkers(environment)).toBe(1);
    expect(() => readConfiguration(environment)).toThrow(problem);
  });
});
