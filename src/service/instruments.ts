/** Owns: what a process tells of itself and its calls: log, counts of the carrier's edge, metrics, spans. */
import { type EdgeEvent, edgeEvents, Tally } from '../adapters/twilio/tally.ts';
import type { Configuration } from '../config/environment.ts';
import { current } from '../machines/charts/table.ts';
import { version } from '../platform/version.ts';
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import { CallMeter } from '../telemetry/call-meter.ts';
import { CallTelemetry } from '../telemetry/call-telemetry.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { LoopMeter } from '../telemetry/loop-meter.ts';
import { MediaMeter, windowMs } from '../telemetry/media-meter.ts';
import { Metrics } from '../telemetry/metrics/metrics.ts';
import { headersFrom } from '../telemetry/traces/collector.ts';
import { createTraces, type Traces } from '../telemetry/traces/traces.ts';
import type { Assembly } from './assembly.ts';
import { type CallWatch, MeteredCalls } from './call-watch.ts';
import { askGauges } from './gauges.ts';
import type { Health } from './health/health.ts';

export interface InstrumentsOptions {
  configuration: Configuration;
  clock: Clock;
  /** Undefined before the parts of the process are there. */
  assembly(): Assembly | undefined;
  health(): Health | undefined;
  /** A request of a stranger, or of somebody who is not set up rightly, was refused at the carrier's edge. */
  onRefused(event: EdgeEvent): void;
}

export interface Instruments {
  logger: Logger;
  tally: Tally;
  metrics: Metrics;
  traces: Traces;
  watch: CallWatch;
  meters: { stop(): void };
}

export async function createInstruments(options: InstrumentsOptions): Promise<Instruments> {
  const { configuration, clock, assembly, health } = options;
  const { instance, logLevel, modelPrices, traces: collector, openai } = configuration;
  const secrets = secretsIn(configuration);
  const logger = createLogger({ level: logLevel, instance, secrets });
  const warn = (line: string, error?: unknown): void =>
    logger.warn({ category: 'connection', err: error }, line);
  const tally = new Tally(clock, warn, options.onRefused);
  const about = { version, instance, model: openai.model, secrets, clock, logger };
  const traces = await createTraces(collector, about);
  const metrics = createMetrics(tally, traces);
  askGauges(metrics, assembly, health);
  const media = new MediaMeter(metrics);
  const calls = new CallTelemetry({ logger, meter: new CallMeter(metrics, modelPrices), spans: traces });
  const meters = startMeters(clock, metrics, media, assembly);
  return { logger, tally, metrics, traces, watch: new MeteredCalls(calls, media, metrics), meters };
}

/** As they are configured, and as they are sent. */
function secretsIn({ secrets, traces, twilio }: Configuration): string[] {
  const basic = Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64');
  const headers = Object.values(headersFrom(traces.headers));
  return [...secrets, basic, ...headers, ...headers.map((header) => header.split(' ').at(-1) ?? '')];
}

function createMetrics(tally: Tally, traces: Traces): Metrics {
  const metrics = new Metrics();
  metrics.watchProcess();
  metrics.askCounts('edgeEvents', () => edgeEvents.map((event) => [{ event }, tally.countOf(event)]));
  metrics.askCounts('tracesDropped', () => [[{}, traces.dropped]]);
  metrics.ask('build', () => [[{ version, chart: String(current.number) }, 1]]);
  return metrics;
}

/** What is measured as time passes, whatever happens. */
function startMeters(
  clock: Clock,
  metrics: Metrics,
  media: MediaMeter,
  assembly: () => Assembly | undefined,
): { stop(): void } {
  const loop = new LoopMeter(clock, metrics);
  let timer: TimerHandle;
  const measure = (): void => {
    for (const [callId, { bridge, openLines }] of assembly()?.live.all() ?? [])
      if (openLines > 0) media.measure(callId, bridge.quality());
    timer = clock.setTimeout(measure, windowMs);
  };
  loop.start();
  timer = clock.setTimeout(measure, windowMs);
  return {
    stop: () => {
      loop.stop();
      clock.clearTimeout(timer);
    },
  };
}
