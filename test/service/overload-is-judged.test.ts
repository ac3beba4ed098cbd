/** When a process counts as overloaded, over any course of what is measured. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  budgetNames,
  ceilingOf,
  clearAfterMs,
  judge,
  type Load,
  noLoad,
  overAfterMs,
  recoveryMs,
  type Sample,
  type Used,
  warmUpMs,
} from '../../src/service/health/overload.ts';

const idle: Used = { audio: null, eventLoop: null, memory: null, quality: null };

/** A load that has carried calls for long enough to be judged. */
const warm: Load = { ...noLoad, carriedMs: warmUpMs, atMs: 0 };

/** What comes of samples that follow each other once a second. */
function course(load: Load, used: readonly Used[], liveCalls = 1): Load[] {
  const firstMs = (load.atMs ?? 0) + 1_000;
  let last = load;
  return used.map((each, index) => {
    last = judge(last, { atMs: firstMs + index * 1_000, used: each, liveCalls });
    return last;
  });
}

const seconds = (count: number, used: Partial<Used>): Used[] =>
  Array.from({ length: count }, () => ({ ...idle, ...used }));
const overloaded = (loads: readonly Load[]): boolean[] => loads.map(({ isOverloaded }) => isOverloaded);
const whenFirst = (loads: readonly Load[], value: boolean): number => overloaded(loads).indexOf(value);
const last = (loads: readonly Load[]): Load => loads.at(-1) ?? noLoad;

const secondsToClose = overAfterMs / 1_000;
const secondsToOpen = clearAfterMs / 1_000;

describe('a process', () => {
  it.each(budgetNames)('is overloaded once %s was beyond for some seconds, and not before', (name) => {
    const loads = course(warm, seconds(10, { [name]: 1.01 }));
    expect(whenFirst(loads, true)).toBe(secondsToClose);
    expect(last(loads).exceededSinceMs).toEqual({ ...noLoad.exceededSinceMs, [name]: 1_000 });
  });

  it('is so no more once all were clearly below for a while', () => {
    const over = last(course(warm, seconds(5, { audio: 2 })));
    const after = course(over, seconds(30, { audio: 0.7, eventLoop: 0.8 }));
    expect(whenFirst(after, false)).toBe(secondsToOpen);
    expect(last(after).exceededSinceMs).toEqual(noLoad.exceededSinceMs);
  });

  it('stays so as long as one is not clearly below', () => {
    const over = last(course(warm, seconds(5, { audio: 2 })));
    expect(whenFirst(course(over, seconds(600, { audio: 0.1, quality: 0.9 })), false)).toBe(-1);
  });

  it('whose memory is a little below takes calls again: memory goes down slowly', () => {
    const over = last(course(warm, seconds(5, { memory: 1.02 })));
    expect(whenFirst(course(over, seconds(30, { memory: 0.94 })), false)).toBe(secondsToOpen);
    expect(whenFirst(course(over, seconds(30, { memory: 0.96 })), false)).toBe(-1);
  });

  it('is not overloaded by what comes and goes within seconds', () => {
    const spike = [...seconds(secondsToClose, { audio: 50 }), ...seconds(1, { audio: 0.5 })];
    expect(overloaded(course(warm, Array.from({ length: 50 }, () => spike).flat()))).not.toContain(true);
  });

  it('is not judged before it has carried calls for a while, however it began', () => {
    const loads = course({ ...noLoad, atMs: 0 }, seconds(60, { audio: 9, memory: 9 }));
    expect(whenFirst(loads, true)).toBe(warmUpMs / 1_000 + secondsToClose - 1);
  });

  it('has carried nothing while it stood still', () => {
    const frozen = judge({ ...noLoad, atMs: 0 }, { atMs: 600_000, used: idle, liveCalls: 1 });
    expect(frozen.carriedMs).toBeLessThan(warmUpMs / 10);
  });

  it('without live calls is beyond nothing, and takes calls again', () => {
    expect(overloaded(course(warm, seconds(60, { memory: 5 }), 0))).not.toContain(true);
    const over = last(course(warm, seconds(5, { memory: 5 })));
    expect(whenFirst(course(over, seconds(60, { memory: 5 }), 0), false)).toBe(secondsToOpen);
  });
});

describe('after an overload', () => {
  const ended = (liveCalls: number): Load => {
    const over = last(course(warm, seconds(5, { audio: 2 })));
    expect(ceilingOf(over, 9_000)).toBe(0);
    const after = course(over, seconds(15, { audio: 0.1 }), liveCalls);
    return last(after.slice(0, whenFirst(after, false) + 1));
  };

  it.each([
    [0, 1, 11],
    [40, 41, 51],
    [300, 301, 331],
  ])('that left %d calls there may be %d at once, and %d ten seconds later', (liveCalls, first, later) => {
    const load = ended(liveCalls);
    const endedMs = load.atMs ?? 0;
    expect(ceilingOf(load, endedMs)).toBe(first);
    expect(ceilingOf(load, endedMs + 10_000)).toBe(later);
    expect(ceilingOf(load, endedMs + recoveryMs - 1)).not.toBeNull();
    expect(ceilingOf(load, endedMs + recoveryMs)).toBeNull();
  });

  it('is not before the first', () => {
    expect(ceilingOf(noLoad, 0)).toBeNull();
    expect(ceilingOf(last(course(warm, seconds(3, { audio: 2 }))), 4_000)).toBeNull();
  });
});

describe('whatever is measured', () => {
  const between = (min: number, max: number) => fc.option(fc.double({ min, max, noNaN: true }));
  const all = (share: fc.Arbitrary<number | null>) =>
    fc.record({ audio: share, eventLoop: share, memory: share, quality: share });
  const calm = all(between(0, 0.8));
  const hot = fc
    .tuple(calm, fc.constantFrom(...budgetNames), fc.double({ min: 1.01, max: 3, noNaN: true }))
    .map(([used, name, share]) => ({ ...used, [name]: share }));
  const any = all(fc.oneof(between(0, 3), fc.constantFrom(0.79, 0.8, 0.81, 0.95, 1, 1.01)));
  const step = fc.record({
    afterMs: fc.oneof(fc.constant(1_000), fc.integer({ min: 1, max: 20_000 })),
    used: fc.oneof(calm, hot, any),
    liveCalls: fc.constantFrom(0, 1, 1, 1, 1, 300),
    /** The same again so often: what hysteresis is about lasts. */
    times: fc.constantFrom(1, 2, 3, 4, 5, 9, 11, 12, 15),
  });
  const courses = fc.array(step, { maxLength: 80 }).map((steps) => {
    let atMs = 0;
    return steps.flatMap(({ times, afterMs, used, liveCalls }) =>
      Array.from({ length: times }, (): Sample => {
        atMs += afterMs;
        return { atMs, used, liveCalls };
      }),
    );
  });

  /** Each sample with what it made of the load. */
  const foldAll = (samples: readonly Sample[]): { sample: Sample; load: Load }[] => {
    let load = noLoad;
    return samples.map((sample) => {
      load = judge(load, sample);
      return { sample, load };
    });
  };

  const changesOf = (samples: readonly Sample[]): { atMs: number; isOverloaded: boolean }[] =>
    foldAll(samples).flatMap(({ sample: { atMs }, load: { isOverloaded } }, index, all) =>
      isOverloaded === (all[index - 1]?.load.isOverloaded ?? false) ? [] : [{ atMs, isOverloaded }],
    );

  it('the door closes after it was open for some seconds, and opens after it was closed for a while', () => {
    let seen = 0;
    fc.assert(
      fc.property(courses, (samples) => {
        const changes = changesOf(samples);
        seen += changes.length;
        for (const [index, { atMs, isOverloaded }] of changes.entries()) {
          const beforeMs = changes[index - 1]?.atMs ?? Number.NEGATIVE_INFINITY;
          expect(atMs - beforeMs).toBeGreaterThanOrEqual(isOverloaded ? overAfterMs : clearAfterMs);
        }
      }),
      { numRuns: 400 },
    );
    expect(seen).toBeGreaterThan(100);
  });

  it('it closes only while a budget is beyond its limit and calls live here, and opens only where none is', () => {
    fc.assert(
      fc.property(courses, (samples) => {
        for (const { atMs, isOverloaded } of changesOf(samples)) {
          const { used, liveCalls } = samples.find((sample) => sample.atMs === atMs) as Sample;
          const isBeyond = liveCalls > 0 && Object.values(used).some((value) => (value ?? 0) > 1);
          expect(isBeyond).toBe(isOverloaded);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('a budget counts as exceeded from its first sample beyond, and never while it is clearly below', () => {
    fc.assert(
      fc.property(courses, (samples) => {
        for (const { sample, load } of foldAll(samples)) {
          const isJudged = load.carriedMs >= warmUpMs && sample.liveCalls > 0;
          for (const name of budgetNames)
            expectSince(load.exceededSinceMs[name], isJudged ? (sample.used[name] ?? 0) : 0, sample.atMs);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function expectSince(sinceMs: number | null, share: number, atMs: number): void {
  if (share < 0.8) expect(sinceMs).toBeNull();
  if (share > 1) expect(sinceMs).not.toBeNull();
  if (sinceMs !== null) expect(sinceMs).toBeLessThanOrEqual(atMs);
}
