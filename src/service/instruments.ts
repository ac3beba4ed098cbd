/** Owns: what a process tells of itself and its calls: log, counts of the carrier's edge, metrics, spans. */
import { type EdgeEvent, edgeEvents, Tally } from '../adapters/twilio/tally.ts';
import type { Configuration } from '../config/environment.ts';
import { current } from '../machines/charts/table.ts';
import { residentBytes } from '../platform/memory.ts';
import { standardOutput } from '../platform/standard-output.ts';
import { version } from '../platform/version.ts';
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import { AudioDelays } from '../telemetry/audio-delays.ts';
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
import type { BudgetValues } from './health/budgets.ts';
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
  meters: Meters;
}

export interface Meters {
  /** A second is over: what was measured of late, by budget. */
  measure(): BudgetValues;
  stop(): void;
}

export async function createInstruments(options: InstrumentsOptions): Promise<Instruments> {
  const { configuration, clock, assembly, health } = options;
  const { instance, logLevel, modelPrices, traces: collector, openai } = configuration;
  const secrets = secretsIn(configuration);
  const logger = createLogger({ level: logLevel, instance, secrets, destination: standardOutput() });
  standardOutput().tellDroppedBy((lines) =>
    logger.warn({ category: 'service', lines }, 'lines of the log were dropped: nobody took them'),
  );
  const warn = (line: string, error?: unknown): void =>
    logger.warn({ category: 'connection', err: error }, line);
  const tally = new Tally(clock, warn, options.onRefused);
  const about = { version, instance, model: openai.model, secrets, clock, logger };
  const traces = await createTraces(collector, about);
  const metrics = createMetrics(tally, traces);
  askGauges(metrics, assembly, health);
  const loop = new LoopMeter(clock, metrics);
  const delays = new AudioDelays(() => loop.lastDelayMs);
  const media = new MediaMeter(metrics, delays);
  const calls = new CallTelemetry({ logger, meter: new CallMeter(metrics, modelPrices), spans: traces });
  const meters = startMeters({ clock, loop, delays, media }, assembly);
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

interface Measuring {
  clock: Clock;
  loop: LoopMeter;
  delays: AudioDelays;
  media: MediaMeter;
}

/** What is measured as time passes, whatever happens. */
export function startMeters(
  { clock, loop, delays, media }: Measuring,
  assembly: () => Assembly | undefined,
): Meters {
  let timer: TimerHandle;
  const measureCalls = (): void => {
    for (const [callId, { bridge, openLines }] of assembly()?.live.all() ?? [])
      if (openLines > 0) media.measure(callId, bridge.quality());
    media.recent.roll();
    timer = clock.setTimeout(measureCalls, windowMs);
  };
  loop.start();
  timer = clock.setTimeout(measureCalls, windowMs);
  return {
    measure: () => {
      loop.delays.roll();
      delays.roll();
      return {
        audio: delays.p99Ms,
        eventLoop: loop.delays.percentile(0.99),
        memory: residentBytes(),
        quality: media.recent.share,
      };
    },
    stop: () => {
      loop.stop();
      clock.clearTimeout(timer);
    },
  };
}
