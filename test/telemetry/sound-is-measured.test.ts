import { beforeEach, describe, expect, it } from 'vitest';
import { estimatedMos, scoreOf } from '../../src/telemetry/estimated-mos.ts';
import { MediaMeter, noSound } from '../../src/telemetry/media-meter.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';

describe('the estimated score', () => {
  // ITU-T G.107 annex B; the delays and losses worked out by hand from the same formulas.
  it.each([
    [93.2, 4.41],
    [90, 4.34],
    [80, 4.02],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [-3, 1],
    [120, 4.5],
  ])('of a rating of %d is %d', (rating, score) => expect(scoreOf(rating)).toBeCloseTo(score, 2));

  it.each([
    [150, 0, 4.33],
    [400, 0, 3.05],
    [150, 1, 4.23],
    [150, 3, 4.0],
  ])('at %d ms and %d %% of loss is %d', (delayMs, loss, score) =>
    expect(estimatedMos(delayMs, loss)).toBeCloseTo(score, 2),
  );
});

describe('a window of a call', () => {
  let metrics: Metrics;
  let meter: MediaMeter;

  beforeEach(() => {
    metrics = new Metrics();
    meter = new MediaMeter(metrics);
  });

  const sampled = async (sample: string): Promise<number> =>
    Number(
      (await metrics.text())
        .split('\n')
        .find((line) => line.startsWith(`${sample} `))
        ?.split(' ')[1],
    );

  it('counts what is new since the last one', async () => {
    meter.measure('CA1', { ...noSound, callerFrames: 250, callerGapMs: 40, callerGaps: 1 });
    meter.measure('CA1', { ...noSound, callerFrames: 500, callerGapMs: 40, callerGaps: 1 });
    expect(await sampled('holdfast_media_frames_total{direction="caller"}')).toBe(500);
    expect(await sampled('holdfast_media_gap_seconds_total')).toBe(0.04);
    expect(await sampled('holdfast_media_windows_total{issue="yes"}')).toBe(1);
    expect(await sampled('holdfast_media_windows_total{issue="no"}')).toBe(1);
    expect(await sampled('holdfast_media_issue_ratio')).toBe(0.5);
  });

  it.each([
    ['a gap', { callerGaps: 1 }],
    ['an underrun', { underruns: 1 }],
    ['caller audio that nobody took', { callerOverflows: 1 }],
    ['reply audio that the line did not take', { agentOverflows: 1 }],
  ])('with %s has an issue', (_what, figures) => {
    meter.measure('CA1', { ...noSound, callerFrames: 250, ...figures });
    expect(meter.issueRatio).toBe(1);
  });

  it('in which nothing was heard is none', async () => {
    meter.measure('CA1', noSound);
    expect(await sampled('holdfast_media_windows_total{issue="no"}')).toBe(0);
    expect(meter.issueRatio).toBe(0);
  });

  it('that the end of the call cuts short is counted, and a call of that name begins anew', async () => {
    meter.measure('CA1', { ...noSound, callerFrames: 250 });
    meter.forget('CA1', { ...noSound, callerFrames: 300, lostCallerBytes: 8_000 });
    meter.measure('CA1', { ...noSound, callerFrames: 10 });
    expect(await sampled('holdfast_media_frames_total{direction="caller"}')).toBe(310);
    expect(await sampled('holdfast_media_lost_seconds_total{direction="caller"}')).toBe(1);
  });

  it('is judged by its own gaps, not by those before', async () => {
    meter.measure('CA1', { ...noSound, callerFrames: 250, callerGapMs: 2_500, callerGaps: 5 });
    meter.measure('CA1', { ...noSound, callerFrames: 500, callerGapMs: 2_500, callerGaps: 5 });
    expect(await sampled('holdfast_estimated_mos_bucket{le="2"}')).toBe(1);
    expect(await sampled('holdfast_estimated_mos_bucket{le="4.4"}')).toBe(1);
    expect(await sampled('holdfast_estimated_mos_bucket{le="4.5"}')).toBe(2);
  });
});
