/**
 * Owns: `npm run bench:telemetry`: what metrics, traces and log lines cost. Processes that tell nothing and processes
 * that tell everything serve the same calls in turn; their CPU time for a minute of call is compared, beside the spread
 * of those that do the same (A/A). Then what a scrape costs, and how many series there are.
 * Does not own: the calls (`drill/`).
 *
 * Run with `npm run bench:telemetry -- [calls] [rounds]`. Linux: CPU time is read from /proc.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { seededRandom } from '../src/twin/random.ts';
import { readNumbers } from './bench/numbers.ts';
import { Scene } from './drill/scene.ts';
import type { ServiceProcess } from './drill/service-process.ts';
import { Stage } from './drill/stage.ts';

const [calls = 0, rounds = 0] = readNumbers('npm run bench:telemetry -- [calls 20] [rounds 3]', [20, 3]);
const staggerMs = 5_000;
const longestMs = 180_000;

const quiet = join(import.meta.dirname, 'drill/without-telemetry.ts');

interface Measured {
  /** CPU time of the service for a minute of call, milliseconds. */
  cpuMs: number;
  scrapeMs: number;
  series: number;
}

/** Takes spans and forgets them. */
async function openCollector(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

async function scrape(service: ServiceProcess): Promise<{ scrapeMs: number; series: number }> {
  const startedMs = service.cpuMs();
  const times = 10;
  let text = '';
  for (let index = 0; index < times; index++) {
    text = await (await fetch(`http://${service.adminAddress}/metrics`)).text();
  }
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { scrapeMs: (service.cpuMs() - startedMs) / times, series: lines.length };
}

/** Serves the calls once. @param collectorUrl null: nothing is told */
async function serve(collectorUrl: string | null): Promise<Measured> {
  const environment: Record<string, string> =
    collectorUrl === null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl };
  const stage = await Stage.open({ name: 'bench-telemetry', environment });
  try {
    const service = await stage.start('one', collectorUrl === null ? { preload: [quiet] } : {});
    const scene = new Scene(stage, seededRandom(1));
    const before = service.cpuMs();
    const startedAt = performance.now();
    let callMs = 0;
    for (let caller = 0; caller < calls; caller++) {
      await scene.until((caller * staggerMs) / calls);
      scene.place(caller, 'action', {});
    }
    await scene.when(() => scene.calls.every(({ handle }) => handle.hasEnded), longestMs);
    callMs = (performance.now() - startedAt - staggerMs / 2) * calls;
    const cpuMs = ((service.cpuMs() - before) * 60_000) / callMs;
    return { cpuMs, ...(await scrape(service)) };
  } finally {
    await stage.close({ keep: false });
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
const spread = (values: readonly number[]): number => Math.max(...values) / Math.min(...values) - 1;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const listed = (values: readonly number[]): string => values.map((value) => value.toFixed(0)).join(', ');

const collector = await openCollector();
const off: Measured[] = [];
const on: Measured[] = [];
for (let round = 0; round < rounds; round++) {
  off.push(await serve(null));
  on.push(await serve(collector.url));
}
collector.close();

const [without, having] = [off, on].map((each) => each.map(({ cpuMs }) => cpuMs)) as [number[], number[]];
const last = on.at(-1) as Measured;
console.log(`${calls} calls at a time, ${rounds} rounds in turn; CPU ms of the service for a minute of call`);
console.log(`  telemetry off  ${listed(without)} (A/A spread ${percent(spread(without))})`);
console.log(`  telemetry on   ${listed(having)} (A/A spread ${percent(spread(having))})`);
console.log(
  `  on costs       ${percent(median(having) / median(without) - 1)} more than off, by the medians`,
);
console.log(`a scrape takes ${last.scrapeMs.toFixed(1)} ms of CPU; ${last.series} series`);
