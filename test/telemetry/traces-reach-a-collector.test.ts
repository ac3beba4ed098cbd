/** Spans go to a collector over a real socket; one that is in trouble costs spans and nothing else. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, type TestContext, vi } from 'vitest';
import { CallTimeline } from '../../src/telemetry/timeline/call-timeline.ts';
import type { Episode } from '../../src/telemetry/timeline/episode.ts';
import { collectorFrom } from '../../src/telemetry/traces/collector.ts';
import { createTraces, type Traces } from '../../src/telemetry/traces/traces.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { eventfulCall, traceId } from './support/call-entries.ts';
import { type Answer, Collector } from './support/collector.ts';
import { logged } from './support/logged.ts';

const secret = 'a-very-secret-key';
const timeline = new CallTimeline();
const episodes: Episode[] = eventfulCall.flatMap((entry) => timeline.apply(entry));

async function openCollector(test: TestContext): Promise<Collector> {
  const collector = await Collector.open();
  test.onTestFinished(() => collector.close());
  return collector;
}

async function open(endpoint: string | null, level = 'info') {
  const clock = new VirtualClock();
  const log = logged(level, [secret]);
  const traces = await createTraces(
    { endpoint, tracesEndpoint: null, headers: `authorization=Bearer%20${secret}` },
    {
      version: '1.2.3',
      instance: 'one',
      model: 'gpt-realtime',
      secrets: [secret],
      clock,
      logger: log.logger,
    },
  );
  return { clock, traces, log };
}

/** So many spans; the same ones again and again, for a collector that counts them. */
function send(traces: Traces, spans: number): number {
  let sent = 0;
  for (let index = 0; index < spans; index++) {
    const episode = episodes[index % episodes.length];
    if (episode && traces.record('CA1', traceId, episode) !== null) sent++;
  }
  return sent;
}

/** What real sockets bring about, or do not within the test's time. */
const soon = (holds: () => Promise<void>): Promise<void> => vi.waitFor(holds, { timeout: 15_000 });

/** Lets real sockets have their say while the clock that bounds the shutdown moves. */
async function shutDown(traces: Traces, clock: VirtualClock): Promise<void> {
  const done = traces.shutdown();
  await clock.advance(1_000);
  await done;
}

describe.concurrent('traces', () => {
  it('come to the collector with the headers of the configuration', async (test) => {
    const collector = await openCollector(test);
    const { clock, traces } = await open(collector.url);
    send(traces, episodes.length);
    await traces.shutdown();
    expect(clock.pendingTimers).toBe(0);
    expect(collector.spans.map(({ name }) => name)).toContain('call');
    expect(collector.spans).toHaveLength(episodes.length);
    expect(new Set(collector.spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const [post] = collector.posts;
    expect(post?.path).toBe('/v1/traces');
    expect(post?.headers.authorization).toBe(`Bearer ${secret}`);
    expect(post?.body.resourceSpans[0]?.resource.attributes).toEqual(
      expect.arrayContaining([{ key: 'service.instance.id', value: { stringValue: 'one' } }]),
    );
    expect(traces.dropped).toBe(0);
  });

  it('go out while the call goes on', async (test) => {
    const collector = await openCollector(test);
    const { traces } = await open(collector.url);
    send(traces, 3);
    await collector.until(({ spans }) => spans.length === 3);
    await traces.shutdown();
  });

  it('are sent again by a collector that asks for it, and not counted as lost', async (test) => {
    const collector = await openCollector(test);
    collector.next.push({ status: 503, retryAfterSeconds: 1 });
    const { traces, log } = await open(collector.url);
    send(traces, 3);
    await collector.until(({ spans }) => spans.length === 3);
    expect(collector.posts).toHaveLength(2);
    await traces.shutdown();
    expect([traces.dropped, log.lines.length]).toEqual([0, 0]);
  });

  it('are off where no collector is named, and then nothing of them is loaded', async () => {
    const program = fileURLToPath(new URL('support/loads-no-sdk.ts', import.meta.url));
    const loadedWith = async (endpoint: string): Promise<unknown> => {
      const options = ['--conditions=holdfast-source', program, endpoint];
      return JSON.parse((await promisify(execFile)(process.execPath, options)).stdout);
    };
    expect(await loadedWith('')).toEqual([]);
    expect(await loadedWith('http://127.0.0.1:9')).toContain('@opentelemetry/sdk-trace');
    const { traces } = await open(null);
    expect(send(traces, 1)).toBe(0);
    await traces.shutdown();
    expect(traces.dropped).toBe(0);
  });
});

describe.concurrent('a collector in trouble', () => {
  const troubles: [what: string, answer: Answer][] = [
    ['that refuses', { status: 400 }],
    ['that is overloaded', { status: 503, retryAfterSeconds: 60 }],
    ['that breaks off', 'reset'],
    ['that hangs', 'hang'],
  ];

  it.for(troubles)('%s holds up no shutdown, and each span is counted once', async ([, answer], test) => {
    const collector = await openCollector(test);
    collector.otherwise = answer;
    const { clock, traces, log } = await open(collector.url);
    const sent = send(traces, 700);
    await collector.until(({ posts }) => posts.length > 0);
    const done = traces.shutdown();
    expect(traces.shutdown()).toBe(done);
    await clock.advance(1_000);
    await done;
    await soon(async () => expect(traces.dropped).toBe(sent));
    await soon(async () => expect(await collector.connections()).toBe(0));
    expect(clock.pendingTimers).toBe(0);
    expect(log.parsed().map(({ level, category, msg }) => [level, category, msg])).toEqual([
      ['warn', 'service', 'spans did not reach the trace collector'],
    ]);
  });

  it('is cut off at the end of the shutdown, and asked nothing more', async (test) => {
    const collector = await openCollector(test);
    collector.otherwise = 'hang';
    const { clock, traces } = await open(collector.url);
    const sent = send(traces, 3);
    await collector.until(({ posts }) => posts.length === 1);
    await shutDown(traces, clock);
    // Nothing has given up yet: nobody waited for that.
    expect(traces.dropped).toBe(0);
    await soon(async () => expect(traces.dropped).toBe(sent));
    await soon(async () => expect(await collector.connections()).toBe(0));
    expect(collector.posts).toHaveLength(1);
  });

  it('that took everything is let go of at once', async (test) => {
    const collector = await openCollector(test);
    const { traces } = await open(collector.url);
    send(traces, 3);
    await traces.shutdown();
    // Sooner than an idle connection would be closed in any case.
    await vi.waitFor(() => expect(collector.closed).toBe(1), { timeout: 3_000 });
  });

  it('that is not there is as one that refuses', async () => {
    const collector = await Collector.open();
    const { url } = collector;
    await collector.close();
    const { clock, traces, log } = await open(url);
    send(traces, 3);
    await soon(async () => expect(traces.dropped).toBe(3));
    await shutDown(traces, clock);
    expect(log.parsed()[0]).toMatchObject({ err: { code: 'ECONNREFUSED' } });
  });

  it('takes a bounded share of memory: what comes on top is not even made', async (test) => {
    const collector = await openCollector(test);
    collector.otherwise = 'hang';
    const { clock, traces } = await open(collector.url);
    expect(send(traces, 5_000)).toBe(2_048);
    expect(traces.dropped).toBe(5_000 - 2_048);
    await shutDown(traces, clock);
    expect(send(traces, 1)).toBe(0);
    await soon(async () => expect(traces.dropped).toBe(5_001));
  });

  it('is told of once a minute, with what is lost so far', async (test) => {
    const collector = await openCollector(test);
    collector.otherwise = 'hang';
    const { clock, traces, log } = await open(collector.url);
    send(traces, 3_000);
    await clock.advance(59_999);
    send(traces, 1);
    expect(log.parsed().map(({ dropped }) => dropped)).toEqual([1]);
    await clock.advance(1);
    send(traces, 1);
    expect(log.parsed().map(({ dropped }) => dropped)).toEqual([1, 3_000 - 2_048 + 2]);
    await shutDown(traces, clock);
  });

  it('learns a secret that no line shows, not even where everything is logged', async (test) => {
    const collector = await openCollector(test);
    collector.otherwise = { status: 401 };
    const { clock, traces, log } = await open(collector.url, 'trace');
    send(traces, 3);
    await soon(async () => expect(log.lines.length).toBe(1));
    await shutDown(traces, clock);
    expect(collector.posts[0]?.headers.authorization).toContain(secret);
    expect(log.lines.join()).toContain('401');
    expect(log.lines.join()).not.toContain(secret);
  });

  it('breaks nothing where sending itself fails', async () => {
    const { CountedExporter } = await import('../../src/telemetry/traces/counted-exporter.ts');
    const told: unknown[] = [];
    const exporter = new CountedExporter({
      exporter: {
        export: () => {
          throw new Error('no');
        },
        shutdown: async () => undefined,
      },
      mostWaiting: 1,
      onDropped: (cause) => void told.push(cause),
    });
    expect(exporter.admit()).toBe(true);
    const codes: number[] = [];
    exporter.export([{} as never], ({ code }) => void codes.push(code));
    await exporter.forceFlush();
    await exporter.shutdown();
    expect([codes, told, exporter.dropped, exporter.admit()]).toEqual([[1], [new Error('no')], 1, true]);
  });
});

describe('the variables', () => {
  const read = (endpoint: string | null, tracesEndpoint: string | null, headers: string | null = null) =>
    collectorFrom({ endpoint, tracesEndpoint, headers });

  it('of the endpoint are read as their specification has it', () => {
    expect(read(null, null, 'a=b')).toBeNull();
    expect(read('http://one:4318', null)?.url).toBe('http://one:4318/v1/traces');
    expect(read('http://one/base/', null)?.url).toBe('http://one/base/v1/traces');
    expect(read('http://one:4318', 'http://two/any')?.url).toBe('http://two/any');
  });

  it('of the headers are pairs, percent-encoded', () => {
    expect(read('http://one', null, ' a = b%20c ,d=e=f,,g=,=h, i=100%')?.headers).toEqual({
      a: 'b c',
      d: 'e=f',
      i: '100%',
    });
  });
});
