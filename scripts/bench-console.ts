/**
 * Owns: `npm run bench:console`: what an open page costs a call, and how late it shows a step. One process serves
 * the same calls without a page, with one on each of them, and without again; the CPU time of the process for a minute of
 * call is compared, beside what the two without one differ by (A/A).
 * Does not own: the calls (`drill/`).
 *
 * Run with `npm run bench:console -- [calls] [rounds] [watched]`: how many of the calls have a page, all unless told. Linux:
 * CPU time is read from /proc. The pages are read in this process; their lateness counts from the moment that is stamped
 * into the entry, before its commit, to its byte here.
 */
import { type ClientRequest, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallPatch, CallSummary } from '../src/runtime/ports/operator.ts';
import { seededRandom } from '../src/twin/random.ts';
import { readNumbers } from './bench/numbers.ts';
import { Scene } from './drill/scene.ts';
import { Stage } from './drill/stage.ts';

const usage = 'npm run bench:console -- [calls 20] [rounds 2] [calls that are watched, all unless told]';
const [calls = 0, rounds = 0, mostWatched = 0] = readNumbers(usage, [20, 2, Number.MAX_SAFE_INTEGER]);
const watchedCalls = Math.min(calls, mostWatched);
const staggerMs = 5_000;
const longestMs = 180_000;

interface Served {
  /** CPU time of the service for a minute of call, milliseconds. */
  cpuMs: number;
  /** How late each step was shown, milliseconds. */
  lateMs: number[];
  events: number;
  bytes: number;
}

/** Pages of one operator: the list of live calls, and one on each call that comes up in it. */
class Pages {
  readonly lateMs: number[] = [];
  events = 0;
  bytes = 0;
  readonly #address: string;
  readonly #open = new Set<ClientRequest>();
  readonly #watched = new Set<string>();

  constructor(address: string) {
    this.#address = address;
    this.#listen('/api/calls/live', (data) => this.#watchAll(JSON.parse(data) as CallSummary[]));
  }

  close(): void {
    for (const request of this.#open) request.destroy();
  }

  #watchAll(listed: readonly CallSummary[]): void {
    for (const { callId } of listed) {
      if (this.#watched.has(callId) || this.#watched.size >= watchedCalls) continue;
      this.#watched.add(callId);
      let isFirst = true;
      this.#listen(`/api/calls/${callId}/live?after=0`, (data, event) => {
        // What was there before the page is late by no fault of anybody's.
        if (event === 'patch' && !isFirst) this.#measure(JSON.parse(data) as CallPatch);
        isFirst &&= event !== 'patch';
      });
    }
  }

  #measure({ steps }: CallPatch): void {
    const now = Date.now();
    for (const { entry } of steps) this.lateMs.push(now - entry.at);
  }

  #listen(path: string, take: (data: string, event: string) => void): void {
    let text = '';
    const request = get(`http://${this.#address}${path}`, { agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (chunk: string) => {
        this.bytes += chunk.length;
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#read(block, take);
      });
      response.on('error', () => undefined);
    });
    request.on('error', () => undefined);
    this.#open.add(request);
  }

  #read(block: string, take: (data: string, event: string) => void): void {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
    const data = field('data');
    if (data === '') return;
    this.events += 1;
    take(data, field('event'));
  }
}

/** Serves the calls once. Nothing is left of them when it resolves. */
async function serve(stage: Stage, withPages: boolean): Promise<Served> {
  const [service] = stage.services;
  if (!service) throw new Error('no process serves');
  const scene = new Scene(stage, seededRandom(1));
  const pages = withPages ? new Pages(service.adminAddress) : null;
  await sleep(500);
  const before = service.cpuMs();
  const startedAt = performance.now();
  for (let caller = 0; caller < calls; caller++) {
    await scene.until((caller * staggerMs) / calls);
    scene.place(caller, 'action', {});
  }
  await scene.when(() => scene.calls.every(({ handle }) => handle.hasEnded), longestMs);
  const callMs = (performance.now() - startedAt - staggerMs / 2) * calls;
  const cpuMs = ((service.cpuMs() - before) * 60_000) / callMs;
  pages?.close();
  const { lateMs = [], events = 0, bytes = 0 } = pages ?? {};
  return { cpuMs, lateMs: [...lateMs], events, bytes };
}

const sorted = (values: readonly number[]): number[] => [...values].sort((one, other) => one - other);
const quantile = (values: readonly number[], share: number): number =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
const listed = (served: readonly Served[]): string => served.map(({ cpuMs }) => cpuMs.toFixed(0)).join(', ');
const meanOf = (served: readonly Served[]): number =>
  served.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / served.length;

const before: Served[] = [];
const watched: Served[] = [];
const after: Served[] = [];
const stage = await Stage.open({ name: 'bench-console' });
await stage.start('one');
// What runs for the first time is compiled meanwhile.
await serve(stage, true);
for (let round = 0; round < rounds; round++) {
  before.push(await serve(stage, false));
  watched.push(await serve(stage, true));
  after.push(await serve(stage, false));
}
await stage.close({ keep: false });

const without = meanOf([...before, ...after]);
const lateMs = watched.flatMap((served) => served.lateMs);
const [events, bytes] = watched.reduce(
  ([sum, length], served) => [sum + served.events, length + served.bytes],
  [0, 0] as [number, number],
);
console.log(`${calls} calls at a time, ${rounds} rounds; CPU ms of the service for a minute of call`);
console.log(`  A  no page            ${listed(before)}`);
console.log(`  B  a page on ${watchedCalls}      ${listed(watched)}`);
console.log(`  A  no page            ${listed(after)}`);
console.log(
  `  B/A ${(meanOf(watched) / without).toFixed(3)}, A/A ${(meanOf(after) / meanOf(before)).toFixed(3)}`,
);
console.log(
  `${lateMs.length} steps shown in ${events} events, ${Math.round(bytes / 1_000)} kB: ${[0.5, 0.9, 0.99, 1].map((share) => `p${share * 100} ${quantile(lateMs, share)} ms`).join(', ')} after they happened`,
);
