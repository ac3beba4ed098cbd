import { describe, expect, it } from 'vitest';
import { breachesOf, readBounds } from '../../scripts/bench/bounds.ts';
import { ratioOf, spreadOf, writeComparison } from '../../scripts/bench/comparison.ts';
import type { Round } from '../../scripts/bench/round.ts';
import { findMostCalls } from '../../scripts/load/find.ts';
import { judge } from '../../scripts/load/find-limit.ts';
import { cpuPerCallMinute, memoryPerCall } from '../../scripts/load/load-run.ts';
import { boundAt, readMetrics } from '../../scripts/load/metrics-page.ts';
import { durationMsOf, readCommand } from '../../scripts/load/options.ts';
import type { Scenario } from '../../src/twin/load/caller-plan.ts';
import { type DurationName, Measures } from '../../src/twin/load/measures.ts';
import { roundWith } from './support/rounds.ts';

describe('measured durations', () => {
  it('are those of the interval, and of the window all of its intervals', () => {
    const measures = new Measures();
    measures.record('up', 1_000);
    measures.startWindow();
    for (let ms = 1; ms <= 50; ms++) measures.record('up', ms);
    expect(measures.roll().up).toMatchObject({ count: 50, max: expect.closeTo(50, 0) });
    for (let ms = 51; ms <= 100; ms++) measures.record('up', ms);
    expect(measures.roll().up.p50).toBeCloseTo(75, 0);
    const { up, down } = measures.window();
    expect(up.count).toBe(100);
    expect(up.p50).toBeCloseTo(50, 0);
    expect(up.p99).toBeCloseTo(99, 0);
    expect(down).toEqual({ count: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
  });

  it('of a call’s beginning are kept when the window begins, and forgotten with all else', () => {
    const measures = new Measures();
    measures.record('firstSound', 400);
    measures.count('call.placed');
    measures.startWindow();
    expect(measures.window().firstSound.count).toBe(1);
    measures.clear();
    expect([measures.window().firstSound.count, measures.counts]).toEqual([0, {}]);
  });
});

describe('figures for a call', () => {
  it('are CPU seconds by call-minutes, and memory by calls', () => {
    expect(cpuPerCallMinute({ cpuMs: 1_000 }, { cpuMs: 7_000 }, 100)).toBeCloseTo(0.06);
    expect(cpuPerCallMinute({ cpuMs: null }, { cpuMs: 7_000 }, 100)).toBeNull();
    const idle = { liveBytes: 1_000, residentBytes: null };
    expect(memoryPerCall(idle, { liveBytes: 5_000, residentBytes: 1 }, 4)).toEqual({
      liveBytesPerCall: 1_000,
      residentBytesPerCall: null,
    });
  });
});

describe('a page of metrics', () => {
  const page = (counts: [number, number, number]) =>
    readMetrics(
      `# TYPE delay histogram\ndelay_bucket{le="0.01"} ${counts[0]}\ndelay_bucket{le="0.1"} ${counts[1]}\ndelay_bucket{le="+Inf"} ${counts[2]}\nopen{peer="carrier"} 2\nopen{peer="model"} 3\n`,
    );

  it('is read: sums over labels, and buckets', () => {
    expect(page([1, 2, 3]).value('open')).toBe(5);
    expect(page([1, 2, 3]).value('opened')).toBeNull();
    expect(page([1, 2, 3]).buckets('delay').get(0.1)).toBe(2);
  });

  it('tells under which bound what came between two of them lies', () => {
    const [before, after] = [page([100, 100, 100]).buckets('delay'), page([190, 199, 200]).buckets('delay')];
    expect([50, 99, 100].map((percent) => boundAt(percent, before, after))).toEqual([
      0.01,
      0.1,
      Number.POSITIVE_INFINITY,
    ]);
    expect(boundAt(50, after, after)).toBeNull();
  });
});

describe('a comparison', () => {
  it('is made of rounds that followed one another', () => {
    const rounds = [0.1, 0.3, 0.2].flatMap((cpuSeconds) => [
      roundWith('service', { cpuSeconds }),
      roundWith('relay', { cpuSeconds: cpuSeconds / 2 }),
    ]);
    const ratio = ratioOf(rounds, 'service', 'relay', ({ cpuSeconds }) => cpuSeconds);
    expect([ratio.least, ratio.median, ratio.most]).toEqual([2, 2, 2]);
    expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, least: 1, most: 4 });
    const text = writeComparison(rounds, ['service', 'relay']);
    expect(text).toMatch(
      /by bare relay, JSON parsed\n {2}CPU s per call-minute +2\.000 \(2\.000 to 2\.000\)/,
    );
  });
});

describe('the short benchmark', () => {
  const bounds = { cpuByRelay: 1.5, liveBytesPerCall: 60_000 };
  const relay = roundWith('relay');

  it('passes within its bounds', () => {
    expect(breachesOf([roundWith('service', { cpuSeconds: 0.149 }), relay], 10, bounds)).toEqual([]);
  });

  it.each([
    ['CPU time', { cpuSeconds: 0.16 }],
    ['memory', { liveBytesPerCall: 60_001 }],
    ['a figure that is none', { cpuSeconds: Number.NaN }],
    ['a call that is missing', { liveCalls: 9 }],
    ['a trouble', { counts: { 'error.upLost': 1 } }],
  ])('fails by %s', (_what, figures) => {
    expect(breachesOf([roundWith('service', figures), relay], 10, bounds)).toHaveLength(1);
  });

  it('is decided by no single round', () => {
    const services = [0.1, 0.9, 0.1].map((cpuSeconds) => roundWith('service', { cpuSeconds }));
    expect(breachesOf([...services, relay, relay, relay], 10, bounds)).toEqual([]);
  });

  it('has bounds', () => {
    expect(readBounds().cpuByRelay).toBeGreaterThan(0);
  });
});

describe('the search for the most calls', () => {
  const upTo = (limit: number, isGeneratorLate = false) =>
    findMostCalls(100, 2_000, async (calls) => ({ calls, isWithin: calls <= limit, isGeneratorLate }));

  it.each([450, 100, 199, 1_999])('finds %i to a tenth', async (limit) => {
    const { calls, isLowerBound } = await upTo(limit);
    expect(calls).toBeLessThanOrEqual(limit);
    expect(calls).toBeGreaterThan(limit * 0.9);
    expect(isLowerBound).toBe(false);
  });

  it('says where the generator gave out, or where it was not tried further', async () => {
    expect(await upTo(450, true)).toMatchObject({ isLowerBound: true });
    expect(await upTo(9_999)).toMatchObject({ calls: 2_000, isLowerBound: true });
  });

  it('tries a number that is beyond again: a neighbour may have spoiled it', async () => {
    const triesOf = new Map<number, number>();
    const { calls } = await findMostCalls(100, 2_000, async (number) => {
      const tries = (triesOf.get(number) ?? 0) + 1;
      triesOf.set(number, tries);
      return { calls: number, isWithin: number <= 450 && tries === 3, isGeneratorLate: false };
    });
    expect(calls).toBeGreaterThan(450 * 0.9);
    expect(triesOf.get(800)).toBe(3);
  });

  it('finds few where the first number is beyond', async () => {
    expect((await upTo(30)).calls).toBeGreaterThan(26);
    expect((await upTo(0)).calls).toBe(0);
  });

  it('judges by both ways and by the calls that live', () => {
    const figures = (up: number, down: number) => {
      const measures = new Measures();
      measures.record('up', up);
      measures.record('down', down);
      return measures.roll();
    };
    const within = (up: number, down: number, liveCalls = 10) =>
      judge(10, 'talk', roundWith('service', { liveCalls, figures: figures(up, down) })).isWithin;
    expect([within(19, 19), within(21, 1), within(1, 21), within(1, 1, 9)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a trial', () => {
  const figuresOf = (...names: DurationName[]) => {
    const measures = new Measures();
    for (const name of names) measures.record(name, 3);
    return measures.roll();
  };
  const both = figuresOf('up', 'down');
  const isWithin = (scenario: Scenario, round: Partial<Round>) =>
    judge(200, scenario, roundWith('service', { liveCalls: 200, figures: both, ...round })).isWithin;

  it.each(['churn', 'mixed'] as const)('of %s is within though some calls are between two', (scenario) => {
    expect([200, 198, 180, 179].map((liveCalls) => isWithin(scenario, { liveCalls }))).toEqual([
      ...[true, true, true, false],
    ]);
  });

  it('needs all calls where none ends by its plan', () => {
    expect(isWithin('talk', { liveCalls: 200 })).toBe(true);
    expect(isWithin('talk', { liveCalls: 199 })).toBe(false);
  });

  it('is beyond where nothing was timed either way, or frames did not arrive', () => {
    expect(isWithin('talk', { figures: figuresOf() })).toBe(false);
    expect(isWithin('talk', { figures: figuresOf('up') })).toBe(false);
    expect(isWithin('talk', { figures: figuresOf('down') })).toBe(false);
    expect(isWithin('talk', { keptUp: 0.97 })).toBe(false);
    expect(isWithin('talk', { keptUp: Number.NaN })).toBe(false);
  });
});

describe('the command line', () => {
  it('is read', () => {
    expect(
      readCommand(['--calls', '50', '--ramp', '500ms', '--minutes', '0.5', '--scenario', 'churn']),
    ).toMatchObject({
      calls: 50,
      rampMs: 500,
      windowMs: 30_000,
      scenario: 'churn',
      subjects: ['service'],
      peersPort: 0,
    });
    expect(readCommand(['--address', 'http://h:1/', '--peers', '0.0.0.0:9'])).toMatchObject({
      address: 'http://h:1',
      peersHost: '0.0.0.0',
      peersPort: 9,
    });
    expect(['2m', '3', '4s', '5h'].map(durationMsOf)).toEqual([120_000, 3_000, 4_000, null]);
  });

  it.each([
    ['--calls 0', '--calls must be a whole number from 1 to'],
    ['--calls 2.5', '--calls must be a whole number from 1 to'],
    ['--calls 1e9', '--calls must be a whole number from 1 to'],
    ['--calls 40000', '--calls must be a whole number from 1 to 32768'],
    ['--calls 2001 --find', '--calls must be a whole number from 1 to 2000'],
    ['--ramp soon', '--ramp must be a duration'],
    ['--ramp 0s', '--ramp must be a duration'],
    ['--minutes 0.001', '--minutes must be a number from 0.05'],
    ['--minutes x', '--minutes must be a number from 0.05'],
    ['--scenario tango', '--scenario must be one of'],
    ['--subject nobody', 'a subject is one of'],
    ['--peers x:y', '--peers must be HOST:PORT'],
    ['--peers 127.0.0.1:70000', '--peers must be HOST:PORT'],
    ['--address elsewhere:80', '--address must be a URL'],
    ['--address https://elsewhere', '--address must be a URL'],
    ['--address http://elsewhere --admin 9090', '--admin must be HOST:PORT'],
    ['--volume 11', 'Unknown option'],
  ])('is refused in words: %s', (parameters, sentence) => {
    const refused = readCommand(parameters.split(' '));
    expect(refused).toContain(sentence);
    expect(refused).toContain('npm run load');
  });

  it.each([
    ['--find --address http://elsewhere:80', '--address has no effect with --find'],
    ['--find --admin elsewhere:80', '--admin has no effect with --find'],
    ['--find --peers 127.0.0.1:9090', '--peers has no effect with --find'],
    ['--find --ramp 5s', '--ramp has no effect with --find'],
    ['--find --minutes 2', '--minutes has no effect with --find'],
    ['--find --json file', '--json has no effect with --find'],
    ['--find --html file', '--html has no effect with --find'],
    ['--subject service,relay', '--subject names several'],
    ['--admin 127.0.0.1:9090', '--admin is of a service that runs already'],
    ['--address http://elsewhere:80 --subject relay', '--subject is what is started here'],
  ])('drops nothing that was said: %s', (parameters, sentence) => {
    expect(readCommand(parameters.split(' '))).toContain(sentence);
  });

  it('is heeded where it may be said', () => {
    expect(
      readCommand('--find --subject service,relay --calls 2000 --scenario churn'.split(' ')),
    ).toMatchObject({ finds: true, subjects: ['service', 'relay'], calls: 2_000, scenario: 'churn' });
    const remote = '--address http://elsewhere:80/base/ --admin elsewhere:9090 --peers 0.0.0.0:0 --json file';
    expect(readCommand(remote.split(' '))).toMatchObject({
      address: 'http://elsewhere:80/base',
      adminAddress: 'elsewhere:9090',
      peersHost: '0.0.0.0',
      jsonFile: 'file',
    });
  });
});
