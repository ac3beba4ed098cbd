/** A benchmark that takes numbers measures nothing where it is given other words. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { numbersFrom } from '../../scripts/bench/numbers.ts';

const root = join(import.meta.dirname, '..', '..');

it('takes a number for each default, in order', () => {
  expect(numbersFrom([], [20, 3], 1)).toEqual([20, 3]);
  expect(numbersFrom(['40'], [20, 3], 1)).toEqual([40, 3]);
  expect(numbersFrom(['40', '1'], [20, 3], 1)).toEqual([40, 1]);
  expect(numbersFrom(['40'], [20], 40)).toEqual([40]);
});

it.each([['--help'], ['many'], ['0'], ['-1'], ['1', '2', '3']])('takes no other words: %s', (...words) => {
  expect(numbersFrom(words, [20, 3], 1)).toBeNull();
});

it('takes none that is too small to measure', () => {
  expect(numbersFrom(['39'], [20], 40)).toBeNull();
});

it.each([
  ['core', '--help', 0],
  ['core', '100', 2],
  ['console', '--help', 0],
  ['telemetry', 'many', 2],
])('says what it takes: bench:%s %s', { timeout: 30_000 }, (name, word, code) => {
  const parameters = ['--conditions=holdfast-source', `scripts/bench-${name}.ts`, word];
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { cwd: root, encoding: 'utf8' });
  expect(status).toBe(code);
  expect(code === 0 ? stdout : stderr).toContain(`npm run bench:${name} -- [`);
});
