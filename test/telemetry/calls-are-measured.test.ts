import { beforeEach, describe, expect, it } from 'vitest';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import { CallMeter } from '../../src/telemetry/call-meter.ts';
import { CallTelemetry, type Outcome } from '../../src/telemetry/call-telemetry.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { type Prices, priced } from '../../src/telemetry/prices.ts';
import { logged } from './support/logged.ts';

const prices: Prices = {
  inputText: 4,
  inputAudio: 32,
  cachedText: 0.4,
  cachedAudio: 0.4,
  outputText: 24,
  outputAudio: 64,
};

const quiet: Outcome = { isDeadAir: false, opensModel: false };
const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

let metrics: Metrics;
let meter: CallMeter;
let calls: CallTelemetry;
let seq: number;

beforeEach(() => {
  metrics = new Metrics();
  meter = new CallMeter(metrics, prices);
  const { logger } = logged('silent');
  calls = new CallTelemetry({ logger, meter, spans: { record: () => span } });
  calls.follow('CA1', []);
  seq = 0;
});

const tell = (at: number, draft: Partial<Draft> & { type: Draft['type'] }, outcome: Outcome = quiet): void =>
  calls.observe('CA1', { seq: ++seq, at, ...draft } as Entry, outcome);

const begin = (): void => tell(0, { type: 'call.created', direction: 'incoming', traceId: span.traceId });

const sampled = async (sample: string): Promise<number> => {
  const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`${sample} `));
  if (line === undefined) throw new Error(`there is no ${sample}`);
  return Number(line.split(' ')[1]);
};

describe('a call that ended', () => {
  it.each([
    ['caller.hungUp', 'yes', 1],
    ['call.transferred', 'yes', 1],
    ['stream.lost', 'no', 0],
    ['model.refused', 'no', 0],
    ['something new', 'no', 0],
  ])('for %s was served: %s', async (reason, served, ratio) => {
    begin();
    tell(60_000, { type: 'call.ended', reason });
    const label = reason === 'something new' ? 'other' : reason;
    expect(await sampled(`holdfast_calls_total{reason="${label}",served="${served}"}`)).toBe(1);
    expect(await sampled('holdfast_call_completion_ratio')).toBe(ratio);
    expect(await sampled('holdfast_call_duration_seconds_sum')).toBe(60);
  });

  it('is one of many: the ratio is of all', async () => {
    for (const reason of ['agent.hungUp', 'stream.lost', 'agent.hungUp', 'agent.hungUp']) {
      calls.follow('CA1', []);
      begin();
      tell(1, { type: 'call.ended', reason });
    }
    expect(meter.completionRatio).toBe(0.75);
  });
});

describe('a process that takes a call over', () => {
  it('measures nothing of what the other one measured', async () => {
    const before = [
      { seq: 1, at: 0, type: 'call.created', direction: 'incoming', traceId: span.traceId },
      { seq: 2, at: 10, type: 'stream.started', streamId: 'MZ1', attempt: 1 },
      { seq: 3, at: 300, type: 'reply.voiced', replyId: 'r', itemId: 'i' },
    ] as Entry[];
    calls.follow('CA1', before);
    expect(await sampled('holdfast_greeting_seconds_count')).toBe(0);
    expect(await sampled('holdfast_entries_total{type="reply.voiced"}')).toBe(0);
    expect(calls.traceIdOf('CA1')).toBe(span.traceId);
  });

  it('measures what goes on from there', async () => {
    calls.follow('CA1', [
      { seq: 1, at: 0, type: 'call.created', direction: 'incoming', traceId: span.traceId },
      { seq: 2, at: 5, type: 'tool.requested', toolCallId: 't', name: 'book', replyId: 'r' },
    ] as Entry[]);
    tell(2_005, { type: 'tool.finished', toolCallId: 't', outcome: 'completed' });
    expect(await sampled('holdfast_tool_seconds_sum{tool="book",outcome="completed"}')).toBe(2);
  });
});

it('a call that left is not measured any more, and nothing of it is kept', async () => {
  begin();
  calls.forget('CA1');
  tell(5, { type: 'media.starved', streamId: 'MZ1', silentMs: 1 });
  expect(await sampled('holdfast_media_starved_total')).toBe(0);
  expect(calls.traceIdOf('CA1')).toBeNull();
});

it('the silence of an open line is counted from step to step, while it lasts', async () => {
  const silent = { isDeadAir: true, opensModel: false };
  begin();
  tell(1_000, { type: 'timer.elapsed', timer: 'holdingAfter' }, silent);
  tell(3_000, { type: 'timer.elapsed', timer: 'holdingEvery' }, silent);
  tell(4_500, { type: 'reply.voiced', replyId: 'r', itemId: 'i' });
  tell(9_000, { type: 'reply.played', replyId: 'r' });
  expect(await sampled('holdfast_dead_air_seconds_total')).toBe(3.5);
});

it('a session is measured from the wish for it to its opening, tries that failed included', async () => {
  begin();
  tell(100, { type: 'call.answered', by: 'us' }, { isDeadAir: false, opensModel: true });
  tell(350, { type: 'model.opened', generation: 1, sessionId: 's', expiresAt: null });
  tell(900, { type: 'model.opened', generation: 2, sessionId: 's', expiresAt: null });
  expect(await sampled('holdfast_model_connect_seconds_sum')).toBe(0.25);
  expect(await sampled('holdfast_model_connect_seconds_count')).toBe(1);
});

describe('a reply', () => {
  const usage = {
    inputTextTokens: 400,
    inputAudioTokens: 100,
    inputCachedTokens: 450,
    outputTextTokens: 20,
    outputAudioTokens: 80,
  };
  const reply = { type: 'reply.finished', replyId: 'r', cause: null, toolCalls: 0, usage } as const;

  it('without a sound is empty, unless it asked for a tool', async () => {
    begin();
    tell(1, { ...reply, status: 'completed', voiced: false });
    tell(2, { ...reply, status: 'completed', voiced: false, toolCalls: 1 });
    expect(await sampled('holdfast_replies_total{status="empty"}')).toBe(1);
    expect(await sampled('holdfast_replies_total{status="completed"}')).toBe(1);
  });

  it('costs what its tokens cost, the cached ones less', async () => {
    begin();
    tell(1, { ...reply, status: 'completed', voiced: true });
    expect(await sampled('holdfast_model_tokens_total{direction="input",modality="text",cached="yes"}')).toBe(
      400,
    );
    expect(await sampled('holdfast_model_tokens_total{direction="input",modality="audio",cached="no"}')).toBe(
      50,
    );
    expect(
      await sampled('holdfast_model_cost_dollars_total{direction="input",modality="audio"}'),
    ).toBeCloseTo((50 * 32 + 50 * 0.4) / 1e6, 12);
  });

  it('is billed to the last token, whatever is cached', () => {
    const tokens = (cached: number): number =>
      priced({ ...usage, inputCachedTokens: cached }, prices).reduce((sum, each) => sum + each.tokens, 0);
    for (const cached of [0, 1, 400, 401, 500]) expect(tokens(cached)).toBe(600);
  });

  it('has no cost where no prices are known', () => {
    expect(priced(usage, null).map(({ dollars }) => dollars)).not.toContain(0);
    expect(new Set(priced(usage, null).map(({ dollars }) => dollars))).toEqual(new Set([null]));
  });
});

it('a loss that was made good has its time and its cause; the span is its exemplar', async () => {
  begin();
  tell(10, { type: 'model.opened', generation: 1 });
  tell(20, { type: 'stream.started', streamId: 'MZ1', attempt: 1 });
  tell(5_000, { type: 'model.closed', generation: 1, code: 1_006, cause: 'reset', reaction: 'retry' });
  tell(5_350, { type: 'model.opened', generation: 2 });
  expect(await sampled('holdfast_recovery_seconds_sum{rung="model"}')).toBe(0.35);
  expect(await sampled('holdfast_losses_total{rung="model",cause="1006"}')).toBe(1);
  expect(await metrics.text()).toMatch(
    new RegExp(`holdfast_recovery_seconds_bucket.*rung="model".*trace_id="${span.traceId}"`),
  );
});
