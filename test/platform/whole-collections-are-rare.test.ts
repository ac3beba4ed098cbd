/** A heap that is used as a service of a hundred calls uses it: much that is gone at once, a little that lives for a while. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { collectSeldom } from '../../src/platform/heap.ts';

const heap = new URL('../../src/platform/heap.ts', import.meta.url).href;

/** Numbers are kept in arrays of their own: 20 MB that live, 4 MB a second that replace them, 30 that are gone at once. */
const work = `
  const kept = Array.from({ length: 50_000 }, (_, index) => new Array(50).fill(index));
  let place = 0;
  const endsAt = performance.now() + 10_000;
  const timer = setInterval(() => {
    for (let count = 0; count < 100; count++, place = (place + 1) % kept.length) kept[place] = new Array(50).fill(count);
    Array.from({ length: 400 }, () => new Array(100).fill(1));
    if (performance.now() > endsAt) clearInterval(timer);
  }, 10);
`;

async function countWholeCollections(before: string): Promise<number> {
  const program = `${before}\n${work}`;
  const child = spawn(process.execPath, ['--trace-gc', '--input-type=module', '--eval', program]);
  const [printed] = await Promise.all([
    text(child.stdout),
    new Promise((resolve) => child.once('exit', resolve)),
  ]);
  return printed.split('\n').filter((line) => line.includes('Mark-Compact')).length;
}

it('lets the heap grow further between two whole collections than V8 would', {
  timeout: 60_000,
}, async () => {
  const [asTold, byItself] = await Promise.all([
    countWholeCollections(`import { collectSeldom } from '${heap}'; collectSeldom(1);`),
    countWholeCollections(''),
  ]);
  expect(byItself).toBeGreaterThanOrEqual(2);
  expect(asTold).toBeLessThan(byItself);
});

it('leaves the heap to V8 where memory is scarce for so many processes', () => {
  expect(collectSeldom(1, 512 * 1_024 ** 2)).toBe(false);
  expect(collectSeldom(4, 2 * 1_024 ** 3)).toBe(false);
});
