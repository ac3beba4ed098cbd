/** The metrics of several processes as those of one (Q3, Q4). */
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { type Reading, textOf } from '../../src/telemetry/metrics/reading.ts';
import { countsOf, sumOf } from '../../src/telemetry/metrics/sum.ts';

async function scrape(all: readonly (readonly Reading[])[]): Promise<string[]> {
  return (await textOf(sumOf(all))).split('\n');
}

/** Two processes that measured different things. */
function twoProcesses() {
  return [new Metrics(), new Metrics()] as const;
}

const readAll = (processes: readonly Metrics[]): Promise<Reading[][]> =>
  Promise.all(processes.map((each) => each.read()));

const gauge = (aggregator: Reading['aggregator'], value: number): Reading[] => [
  { name: 'g', help: 'g', type: 'gauge', aggregator, values: [{ labels: {}, value }] },
];

describe('the sum of two processes', () => {
  it('adds counters up, whether they were scraped before or not', async () => {
    const [one, two] = twoProcesses();
    one.count('calls', { reason: 'caller.hungUp', served: 'yes' }, 2);
    two.count('calls', { reason: 'caller.hungUp', served: 'yes' }, 3);
    // The library shortens the names of counters as it writes them.
    await one.text();
    const text = await scrape(await readAll([one, two]));
    expect(text).toContain('holdfast_calls_total{reason="caller.hungUp",served="yes"} 5');
    expect(text.filter((line) => line === '# TYPE holdfast_calls counter')).toHaveLength(1);
    expect(text.slice(-2)).toEqual(['# EOF', '']);
  });

  it('has every metric and every sample that one process alone has, and no other', async () => {
    const [one, two] = twoProcesses();
    const sampleOf = (line: string): string =>
      line.replace(/ \S+$/, '').replace(/\{.*\}/, (labels) => sorted(labels));
    const sorted = (labels: string): string => `{${labels.slice(1, -1).split(',').sort().join(',')}}`;
    const alone = (await one.text()).split('\n').map(sampleOf).sort();
    expect((await scrape(await readAll([one, two]))).map(sampleOf).sort()).toEqual(alone);
  });

  it('adds up buckets, sums and counts of histograms, and keeps the newest exemplar of each bucket', async () => {
    const [one, two] = twoProcesses();
    const older = { traceId: 'a'.repeat(32), spanId: 'a'.repeat(16) };
    const newer = { traceId: 'b'.repeat(32), spanId: 'b'.repeat(16) };
    one.observe('greeting', {}, 0.7, newer);
    two.observe('greeting', {}, 0.75, older);
    two.observe('greeting', {}, 100, older);
    const readings = await readAll([one, two]);
    const exemplar = readings[1]
      ?.find(({ name }) => name === 'holdfast_greeting_seconds')
      ?.values.find(({ labels }) => labels.le === 0.8)?.exemplar;
    Object.assign(exemplar ?? {}, { timestamp: 1 });
    const text = await scrape(readings);
    const bucket = text.find((line) => line.startsWith('holdfast_greeting_seconds_bucket{le="0.8"}'));
    expect(bucket).toMatch(/\} 2 # \{trace_id="b{32}",span_id="b{16}"\} 0\.7 \d+(\.\d+)?$/);
    const last = text.find((line) => line.startsWith('holdfast_greeting_seconds_bucket{le="+Inf"}'));
    expect(last).toMatch(/\} 3 # \{trace_id="a{32}"/);
    expect(text).toContain('holdfast_greeting_seconds_count 3');
    expect(text).toContain('holdfast_greeting_seconds_sum 101.45');
  });

  it('puts each gauge together in its own way', async () => {
    const [one, two] = twoProcesses();
    one.ask('callsLive', () => [[{}, 3]]);
    two.ask('callsLive', () => [[{}, 4]]);
    one.ask('ready', () => [[{}, 1]]);
    two.ask('ready', () => [[{}, 0]]);
    one.ask('capacityUsed', () => [[{}, 0.2]]);
    two.ask('capacityUsed', () => [[{}, 0.4]]);
    one.ask('dependencyUp', () => [[{ dependency: 'model' }, 1]]);
    two.ask('dependencyUp', () => [[{ dependency: 'model' }, 0]]);
    one.ask('journalStalled', () => [[{}, 0]]);
    two.ask('journalStalled', () => [[{}, 2]]);
    const text = await scrape(await readAll([one, two]));
    expect(text).toContain('holdfast_calls_live 7');
    expect(text).toContain('holdfast_ready 1');
    expect(text.find((line) => line.startsWith('holdfast_capacity_used_ratio'))).toMatch(/ 0\.30*\d*$/);
    expect(text).toContain('holdfast_dependency_up{dependency="model"} 0');
    expect(text).toContain('holdfast_journal_stalled_seconds 2');
  });

  it('works a share out anew: the mean of two shares is another thing', async () => {
    const [one, two] = twoProcesses();
    expect(await scrape(await readAll([one, two]))).toContain('holdfast_call_completion_ratio 1');
    one.count('calls', { reason: 'caller.hungUp', served: 'yes' }, 9);
    two.count('calls', { reason: 'stream.lost', served: 'no' });
    two.count('windows', { issue: 'no' }, 3);
    one.count('windows', { issue: 'yes' }, 1);
    const text = await scrape(await readAll([one, two]));
    expect(text).toContain('holdfast_call_completion_ratio 0.9');
    expect(text).toContain('holdfast_media_issue_ratio 0.25');
  });

  it('leaves out what one of them does not know, and says so where none does', async () => {
    expect(await scrape([gauge('max', Number.NaN), gauge('max', 2)])).toContain('g 2');
    expect(await scrape([gauge('average', Number.NaN), gauge('average', 2)])).toContain('g 2');
    expect(await scrape([gauge('min', Number.NaN)])).toContain('g Nan');
    expect(await scrape([gauge('first', 7), gauge('first', 8)])).toContain('g 7');
    expect(await scrape([gauge('omit', 7)])).not.toContain('g 7');
  });

  it('takes with a process that has ended what it counted, and nothing of what it was', async () => {
    const [one, two] = twoProcesses();
    one.ask('callsLive', () => [[{}, 3]]);
    one.count('losses', { rung: 'stream', cause: 'reset' }, 2);
    one.observe('greeting', {}, 0.7);
    const dead = countsOf(await one.read());
    const text = await scrape([dead, await two.read()]);
    expect(text).toContain('holdfast_losses_total{rung="stream",cause="reset"} 2');
    expect(text).toContain('holdfast_greeting_seconds_count 1');
    expect(text).toContain('holdfast_calls_live 0');
  });
});
