import { describe, expect, it } from 'vitest';
import type { LabelValues } from '../../src/telemetry/metrics/kinds.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { boards, metrics as table } from '../../src/telemetry/metrics/names.ts';

const samplesOf = async (metrics: Metrics): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('the table of metrics', () => {
  it('names each metric once, under the prefix of the project, with base units', () => {
    const names = Object.values(table).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, kind } of Object.values(table)) {
      expect(name).toMatch(/^holdfast_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(kind === 'counter');
      expect(name).not.toMatch(/_(ms|milliseconds|kb|minutes)(_|$)/);
    }
  });

  it('puts each metric on one board', () => {
    expect(Object.values(boards).flatMap((board) => Object.keys(board))).toEqual(Object.keys(table));
  });

  it('has less than 3,000 series at its bounds, however many calls there are', () => {
    const seriesOf = ({ kind, labels, buckets }: (typeof table)[keyof typeof table]): number => {
      const bounds = Object.values<LabelValues>(labels);
      const children = bounds.map((bound) => 1 + ('atMost' in bound ? bound.atMost : bound.length));
      const each = kind === 'histogram' ? buckets.length + 3 : 1;
      return children.reduce((product, values) => product * values, each);
    };
    const all = Object.values(table).map(seriesOf);
    expect(all.reduce((sum, series) => sum + series, 0)).toBeLessThan(3_000);
  });

  it('bounds each label', () => {
    for (const { labels } of Object.values(table)) {
      for (const bound of Object.values(labels))
        expect('atMost' in bound ? bound.atMost : bound.length).toBeLessThanOrEqual(80);
    }
  });
});

describe('the text for a scraper', () => {
  it('is OpenMetrics, ends as it demands, and describes every metric', async () => {
    const metrics = new Metrics();
    expect(metrics.contentType).toContain('application/openmetrics-text');
    const text = await metrics.text();
    expect(text.endsWith('# EOF\n')).toBe(true);
    for (const { name, kind } of Object.values(table))
      expect(text).toContain(`# TYPE ${kind === 'counter' ? name.replace(/_total$/, '') : name} ${kind}`);
  });

  it('shows at zero what can be told before it happened', async () => {
    const samples = await samplesOf(new Metrics());
    expect(samples).toContain('holdfast_calls_total{reason="stream.lost",served="no"} 0');
    expect(samples).toContain('holdfast_voice_to_voice_seconds_count{tool="no"} 0');
    expect(samples).toContain('holdfast_dead_air_seconds_total 0');
  });

  it('carries the span behind a measurement', async () => {
    const metrics = new Metrics();
    const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    metrics.observe('voiceToVoice', { tool: 'no' }, 0.7, span);
    const bucket = (await samplesOf(metrics)).find((line) => line.includes('le="0.8",tool="no"'));
    expect(bucket).toContain(`# {trace_id="${span.traceId}",span_id="${span.spanId}"} 0.7 `);
  });
});

describe('a label', () => {
  it('that lists its values counts others together', async () => {
    const metrics = new Metrics();
    metrics.count('calls', { reason: 'carrier.something-new', served: 'no' });
    metrics.count('calls', { reason: 'something else', served: 'no' });
    expect(await samplesOf(metrics)).toContain('holdfast_calls_total{reason="other",served="no"} 2');
  });

  it('that has a bound takes no more values than that', async () => {
    const metrics = new Metrics();
    const { atMost } = table.modelOddities.labels.kind;
    for (let index = 0; index < atMost + 50; index++) metrics.count('modelOddities', { kind: `k${index}` });
    const samples = (await samplesOf(metrics)).filter((line) => line.startsWith('holdfast_model_oddities'));
    expect(samples).toHaveLength(atMost + 1);
    expect(samples).toContain('holdfast_model_oddities_total{kind="other"} 50');
  });
});

describe('a value that is asked for', () => {
  it('is asked at each scrape, and is gone when nobody names it', async () => {
    const metrics = new Metrics();
    let up: [{ dependency: string }, number][] = [[{ dependency: 'journal' }, 1]];
    metrics.ask('dependencyUp', () => up);
    expect(await samplesOf(metrics)).toContain('holdfast_dependency_up{dependency="journal"} 1');
    up = [[{ dependency: 'model' }, 0]];
    const samples = await samplesOf(metrics);
    expect(samples).toContain('holdfast_dependency_up{dependency="model"} 0');
    expect(samples.join('\n')).not.toContain('dependency="journal"} 1');
  });

  it('of somebody’s own count is counted once however often it is scraped', async () => {
    const metrics = new Metrics();
    metrics.askCounts('edgeEvents', () => [[{ event: 'webhook.unsigned' }, 2]]);
    await metrics.text();
    expect(await samplesOf(metrics)).toContain('holdfast_edge_events_total{event="webhook.unsigned"} 2');
  });
});
