/** The choice of a worker (E1, E2), and how soon one that ended comes back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Restarts, soundAfterMs } from '../../../src/service/workers/restarts.ts';
import { Shares, untakenLimitMs } from '../../../src/service/workers/shares.ts';

class Bench {
  nowMs = 0;
  readonly shares = new Shares<string>(() => this.nowMs);

  constructor(...names: string[]) {
    for (const name of names) this.shares.add(name);
  }

  hand(): string {
    return this.shares.hand()?.worker ?? 'nobody';
  }
}

describe('a connection', () => {
  it('goes to the worker with the fewest calls', () => {
    const bench = new Bench('a', 'b', 'c');
    bench.shares.note('a', 3, 0);
    bench.shares.note('b', 1, 0);
    bench.shares.note('c', 2, 0);
    expect(bench.hand()).toBe('b');
  });

  it('counts while the worker has not told of it, and in what the worker tells from then on', () => {
    const bench = new Bench('a', 'b');
    bench.shares.note('b', 1, 0);
    expect([bench.hand(), bench.hand(), bench.hand()]).toEqual(['a', 'b', 'a']);
    // The first of them is a call by now, the other one is on its way: two, as with the other worker.
    bench.shares.note('a', 1, 1);
    bench.shares.note('b', 2, 1);
    expect([bench.hand(), bench.hand()].sort()).toEqual(['a', 'b']);
    // Both are over.
    bench.shares.note('a', 0, 3);
    expect([bench.hand(), bench.hand(), bench.hand()]).toEqual(['a', 'a', 'a']);
  });

  it('goes in turn where all have the same', () => {
    const bench = new Bench('a', 'b', 'c');
    expect(Array.from({ length: 6 }, () => bench.hand())).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('goes to nobody where nobody is there, and never to one that has left', () => {
    const bench = new Bench('a');
    bench.shares.remove('a');
    bench.shares.note('a', 0, 5);
    expect(bench.hand()).toBe('nobody');
    expect(bench.shares.size).toBe(0);
  });

  it('goes past a worker that stands still, until it takes what it was given; to it where nobody else is there', () => {
    const bench = new Bench('frozen', 'busy');
    bench.shares.note('busy', 100, 0);
    expect(bench.hand()).toBe('frozen');
    bench.nowMs += untakenLimitMs;
    expect(bench.hand()).toBe('frozen');
    bench.nowMs += 1;
    expect(bench.hand()).toBe('busy');
    bench.shares.note('busy', 101, 1);
    // It is alive again, and takes one after the other.
    bench.shares.note('frozen', 1, 1);
    expect(bench.hand()).toBe('frozen');
    bench.nowMs += untakenLimitMs + 1;
    bench.shares.remove('busy');
    expect(bench.hand()).toBe('frozen');
  });

  it('of calls in any rhythm leaves the workers with as many as each other, but for those that are on their way', () => {
    const act = fc.record({ connections: fc.integer({ min: 1, max: 4 }), endsAt: fc.nat(200) });
    fc.assert(
      fc.property(
        fc.array(act, { minLength: 40, maxLength: 120 }),
        fc.integer({ min: 2, max: 5 }),
        (acts, count) => {
          const names = Array.from({ length: count }, (_, index) => `w${index}`);
          const bench = new Bench(...names);
          const calls = new Map(names.map((name) => [name, 0]));
          const taken = new Map(names.map((name) => [name, 0]));
          const take = (name: string, more: number) => {
            calls.set(name, (calls.get(name) ?? 0) + more);
            taken.set(name, (taken.get(name) ?? 0) + 1);
            bench.shares.note(name, calls.get(name) ?? 0, taken.get(name) ?? 0);
          };
          // Only the first connection of each makes a call: the others are over at once, as webhooks are.
          for (const { connections } of acts)
            for (let index = 0; index < connections; index += 1) take(bench.hand(), index === 0 ? 1 : 0);
          const counts = [...calls.values()];
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

it('a worker that ended is started once its siblings have its calls, at once without any, and later and later', () => {
  const restarts = new Restarts();
  const pauses = Array.from({ length: 8 }, () => restarts.pauseAfter(500, true));
  expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(restarts.pauseAfter(soundAfterMs, true)).toBe(0);
  const beside = Array.from({ length: 5 }, () => restarts.pauseAfter(500, false));
  expect(beside).toEqual([3_000, 3_000, 4_000, 8_000, 16_000]);
  expect(restarts.pauseAfter(soundAfterMs, false)).toBe(3_000);
});
