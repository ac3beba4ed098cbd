/** When V8 next collects a heap whole: at the limit that it tells with each collection. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { collectSeldom } from '../../src/platform/heap.ts';

const heap = new URL('../../src/platform/heap.ts', import.meta.url).href;

/** 20 MB that live, pauses in which little happens, one whole collection, and a small one that tells the limit. */
const program = `
  import { collectSeldom } from '${heap}';
  collectSeldom(1);
  const kept = Array.from({ length: 50_000 }, (_, index) => new Array(50).fill(index));
  const pause = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));
  await pause(500);
  gc();
  await pause(200);
  gc({ type: 'minor' });
  if (kept.length === 0) process.exit(1);
`;

/** By itself V8 would set it by the pace at which the heap filled: at 1.3 to 4 times, and the less the slower that was. */
it('the heap may quadruple before it is collected whole, however slowly it fills', async () => {
  const flags = ['--expose-gc', '--trace-gc-nvp', '--input-type=module'];
  const child = spawn(process.execPath, [...flags, '--eval', program]);
  const [printed, exitCode] = await Promise.all([
    text(child.stdout),
    new Promise((resolve) => child.once('exit', resolve)),
  ]);
  expect(exitCode).toBe(0);
  const lastOf = (name: string): number => Number(printed.match(new RegExp(`.*"${name}":(\\d+)`, 's'))?.[1]);
  const liveBytes = lastOf('end_object_size');
  expect(liveBytes).toBeGreaterThan(20 * 1_024 ** 2);
  expect(lastOf('old_gen_allocation_limit')).toBeGreaterThan(4 * liveBytes);
});

it('and only so far as V8 would let it where memory is scarce for so many processes', () => {
  expect(collectSeldom(1, 512 * 1_024 ** 2)).toBe(false);
  expect(collectSeldom(4, 2 * 1_024 ** 3)).toBe(false);
});
