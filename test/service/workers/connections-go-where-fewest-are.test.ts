/** The choice of a worker (E1, E2, E7), and how soon one that ended comes back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeclineCause } from '../../../src/service/health/admission.ts';
import { ceilingOf, judge, type Load, noLoad } from '../../../src/service/health/overload.ts';
import { Restarts, soundAfterMs } from '../../../src/service/workers/restarts.ts';
import { Shares, silentLimitMs, untakenLimitMs } from '../../../src/service/workers/shares.ts';

class Bench {
  nowMs = 0;
  readonly shares = new Shares<string>(() => this.nowMs);

  constructor(...names: string[]) {
    for (const name of names) this.shares.add(name, { load: 0, refusal: null });
  }

  note(name: string, load: number, taken: number, refusal: DeclineCause | null = null): void {
    this.shares.note(name, { load, taken, refusal });
  }

  hand(): string {
    return this.shares.hand()?.worker ?? 'nobody';
  }
}

describe('a connection', () => {
  it('goes to the worker with the fewest calls', () => {
    const bench = new Bench('a', 'b', 'c');
    bench.note('a', 3, 0);
    bench.note('b', 1, 0);
    bench.note('c', 2, 0);
    expect(bench.hand()).toBe('b');
  });

  it('counts while the worker has not told of it, and in what the worker tells from then on', () => {
    const bench = new Bench('a', 'b');
    bench.note('b', 1, 0);
    expect([bench.hand(), bench.hand(), bench.hand()]).toEqual(['a', 'b', 'a']);
    // The first of them is a call by now, the other one is on its way: two, as with the other worker.
    bench.note('a', 1, 1);
    bench.note('b', 2, 1);
    expect([bench.hand(), bench.hand()].sort()).toEqual(['a', 'b']);
    // Both are over.
    bench.note('a', 0, 3);
    expect([bench.hand(), bench.hand(), bench.hand()]).toEqual(['a', 'a', 'a']);
  });

  it('goes in turn where all have the same', () => {
    const bench = new Bench('a', 'b', 'c');
    expect(Array.from({ length: 6 }, () => bench.hand())).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('goes to nobody where nobody is there, and never to one that has left', () => {
    const bench = new Bench('a');
    bench.shares.remove('a');
    bench.note('a', 0, 5);
    expect(bench.hand()).toBe('nobody');
    expect(bench.shares.size).toBe(0);
  });

  it('goes past a worker that stands still, until it takes what it was given; to it where nobody else is there', () => {
    const bench = new Bench('frozen', 'busy');
    bench.note('busy', 100, 0);
    expect(bench.hand()).toBe('frozen');
    bench.nowMs += untakenLimitMs;
    expect(bench.hand()).toBe('frozen');
    bench.nowMs += 1;
    expect(bench.hand()).toBe('busy');
    bench.note('busy', 101, 1);
    // It is alive again, and takes one after the other.
    bench.note('frozen', 1, 1);
    expect(bench.hand()).toBe('frozen');
    bench.nowMs += untakenLimitMs + 1;
    bench.shares.remove('busy');
    expect(bench.hand()).toBe('frozen');
  });

  it('goes past a worker that tells nothing any more, also where it was handed nothing since', () => {
    const bench = new Bench('frozen', 'busy');
    bench.nowMs += silentLimitMs;
    bench.note('busy', 100, 0);
    expect(bench.hand()).toBe('frozen');
    bench.note('frozen', 1, 1);
    bench.nowMs += silentLimitMs + 1;
    bench.note('busy', 100, 0);
    expect(bench.hand()).toBe('busy');
    bench.note('frozen', 1, 1);
    expect(bench.hand()).toBe('frozen');
    // Nobody has told anything: that says more of whoever listens.
    bench.nowMs += silentLimitMs + 1;
    expect(bench.hand()).toBe('frozen');
  });

  it('goes to nobody rather than to a worker that stands still once all are to end', () => {
    const bench = new Bench('frozen');
    bench.shares.spareStill();
    expect(bench.hand()).toBe('frozen');
    bench.note('frozen', 1, 1);
    bench.nowMs += silentLimitMs + 1;
    expect(bench.hand()).toBe('nobody');
    expect(bench.shares.isAwake).toBe(false);
    bench.note('frozen', 1, 1);
    expect(bench.hand()).toBe('frozen');
    expect(bench.shares.isAwake).toBe(true);
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
            bench.note(name, calls.get(name) ?? 0, taken.get(name) ?? 0);
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

describe('a worker that takes no new calls', () => {
  it('gets no connection while an open one is there, however few it has', () => {
    const bench = new Bench('closed', 'open');
    bench.note('closed', 0, 0, 'overloaded');
    bench.note('open', 100, 0);
    expect([bench.hand(), bench.hand()]).toEqual(['open', 'open']);
    bench.note('closed', 0, 0);
    expect(bench.hand()).toBe('closed');
  });

  it('is known as such from the start: it joins with what it told before', () => {
    const bench = new Bench('open');
    bench.note('open', 3, 0);
    bench.shares.add('starting', { load: 0, refusal: 'starting' });
    expect(bench.hand()).toBe('open');
    bench.shares.add('adopting', { load: 9, refusal: null });
    expect(bench.hand()).toBe('open');
  });

  it('is chosen by its load where none takes any, and where the open one stands still', () => {
    const bench = new Bench('full', 'overloaded');
    bench.note('full', 5, 0, 'full');
    bench.note('overloaded', 6, 0, 'overloaded');
    expect(bench.hand()).toBe('full');
    bench.note('overloaded', 6, 0);
    expect(bench.hand()).toBe('overloaded');
    bench.nowMs += untakenLimitMs + 1;
    bench.note('full', 6, 1, 'full');
    expect(bench.hand()).toBe('full');
  });

  it('turns nobody away while it is past a budget and its sibling is not', () => {
    // A call a second, each of 80 s; for 20 s one of two workers is past its budget, and then its door opens by a crack.
    const bench = new Bench();
    const workers = [new BudgetedWorker('a', bench), new BudgetedWorker('b', bench)] as const;
    const [struck] = workers;
    const seen = { declined: 0, closed: 0 };
    for (; bench.nowMs < 260_000; bench.nowMs += 1_000) {
      for (const worker of workers)
        worker.second(worker === struck && bench.nowMs >= 60_000 && bench.nowMs < 80_000);
      seen.closed += struck.takesCalls ? 0 : 1;
      const { worker: name, number } = bench.shares.hand() ?? { worker: 'a', number: 0 };
      const isTaken = workers.find((worker) => worker.name === name)?.take(number);
      seen.declined += isTaken ? 0 : 1;
    }
    expect(seen.closed).toBeGreaterThan(20);
    expect(seen.declined).toBe(0);
  });
});

/** Forty calls are live; its door is the real one's. */
class BudgetedWorker {
  readonly name: string;
  readonly #bench: Bench;
  #load: Load = noLoad;
  #endsMs = Array.from({ length: 40 }, (_, index) => 60_000 + index * 2_000);
  #taken = 0;

  constructor(name: string, bench: Bench) {
    this.name = name;
    this.#bench = bench;
    bench.shares.add(name, { load: 0, refusal: null });
  }

  get takesCalls(): boolean {
    const ceiling = ceilingOf(this.#load, this.#bench.nowMs) ?? Number.POSITIVE_INFINITY;
    return this.#endsMs.length < ceiling;
  }

  second(isPastItsBudget: boolean): void {
    const { nowMs } = this.#bench;
    this.#endsMs = this.#endsMs.filter((endMs) => endMs > nowMs);
    const used = { audio: null, eventLoop: isPastItsBudget ? 1.5 : 0.3, memory: 0.3, quality: null };
    this.#load = judge(this.#load, { atMs: nowMs, used, liveCalls: this.#endsMs.length });
    this.#tell();
  }

  /** @returns whether the call was taken */
  take(number: number): boolean {
    this.#taken = number;
    const { takesCalls } = this;
    if (takesCalls) this.#endsMs.push(this.#bench.nowMs + 80_000);
    this.#tell();
    return takesCalls;
  }

  #tell(): void {
    const refusal = this.takesCalls ? null : 'overloaded';
    this.#bench.note(this.name, this.#endsMs.length, this.#taken, refusal);
  }
}

it('a worker that ended is started once its siblings have its calls, at once without any, and later and later', () => {
  const restarts = new Restarts();
  const pauses = Array.from({ length: 8 }, () => restarts.pauseAfter(500, true));
  expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(restarts.pauseAfter(soundAfterMs, true)).toBe(0);
  const beside = Array.from({ length: 5 }, () => restarts.pauseAfter(500, false));
  expect(beside).toEqual([3_000, 3_000, 4_000, 8_000, 16_000]);
  expect(restarts.pauseAfter(soundAfterMs, false)).toBe(3_000);
});
