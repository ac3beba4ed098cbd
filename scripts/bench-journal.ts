/**
 * Owns: the measurement of the journals: how long an append takes and how long the main thread is held up.
 * Does not own: a verdict on any other machine.
 *
 * `npm run bench:journal -- [seconds] [sqlite | postgres]` prints one line for each load, on SQLite unless told otherwise.
 * PostgreSQL is started here, with a standby that every commit waits for, and stopped again. The load runs in processes of
 * its own, each with its calls at random phases and one commit of one entry in flight for each call.
 *
 * "At once": each entry is handed over when it comes. "As calls do": nine of ten wait for the next full `lingerMs`, as
 * those do that nothing waits for (`src/runtime/writer.ts`).
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { openJournal } from '../src/adapters/journal/open-journal.ts';
import { systemClock } from '../src/platform/clock.ts';
import type { Commit, Journal } from '../src/runtime/ports/journal.ts';
import { lingerMs, untilNextCommitMs } from '../src/runtime/writer.ts';
import { findPrograms, PostgresCluster } from '../test/support/postgres-cluster.ts';

const entriesPerSecond = 5;
const warmUpMs = 1_000;
const payloadEvery = 10;
const checkpointEvery = 100;
const defaultSeconds = 10;
/** Of a call's entries, one in so many is waited for. */
const awaitedEvery = 10;
/** Segments of the write-ahead log that a server which has run for a while uses again instead of making new ones. */
const usedSegments = 16;

interface Load {
  title: string;
  processes: number;
  callsPerProcess: number;
  /** Whether entries are handed over as calls do. */
  isGathered?: boolean;
}

type Engine = 'sqlite' | 'postgres';

const loads: Record<Engine, Load[]> = {
  sqlite: [
    { title: '1 process, 2,500 entries/s', processes: 1, callsPerProcess: 500 },
    { title: '2 processes, 1,250 entries/s each', processes: 2, callsPerProcess: 250 },
    { title: '2 processes, 2,500 entries/s each', processes: 2, callsPerProcess: 500 },
  ],
  postgres: [
    { title: '1 process, 1,500 entries/s, at once', processes: 1, callsPerProcess: 300 },
    {
      title: '1 process, 1,500 entries/s, as calls do',
      processes: 1,
      callsPerProcess: 300,
      isGathered: true,
    },
    { title: '3 processes, 500 entries/s each, at once', processes: 3, callsPerProcess: 100 },
    {
      title: '3 processes, 500 entries/s each, as calls do',
      processes: 3,
      callsPerProcess: 100,
      isGathered: true,
    },
    { title: '3 processes, 1,000 entries/s each, at once', processes: 3, callsPerProcess: 200 },
  ],
};

/** A new, empty journal. */
interface Place {
  url: string;
  remove(): Promise<void>;
}

async function makePlace(engine: Engine): Promise<Place> {
  if (engine === 'postgres') {
    const cluster = await PostgresCluster.create({ min_wal_size: '320MB' });
    const standby = await cluster.startStandby();
    await ageBoth(cluster, standby);
    return { url: cluster.url(), remove: () => cluster.remove() };
  }
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  return {
    url: `sqlite:${join(folder, 'journal.db')}`,
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

/** A server that has just begun makes each segment of its log anew: some 50 ms every ten seconds. */
async function ageBoth(primary: PostgresCluster, standby: PostgresCluster): Promise<void> {
  for (let segment = 0; segment < usedSegments; segment += 1)
    await primary.query("SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()");
  // A checkpoint removes what the standby may not have received yet, and every commit would wait for it for ever.
  await primary.waitUntilReplayed();
  await primary.query('CHECKPOINT');
  await pause(1_000);
  await standby.query('CHECKPOINT');
}

interface Measured {
  appends: number;
  appendP50Ms: number;
  appendP99Ms: number;
  appendMaxMs: number;
  loopDelayP99Ms: number;
  loopDelayMaxMs: number;
  /** Of one core, worker thread included. */
  cpuPercent: number;
}

function commitOf(callId: string, seq: number, at: number): Commit {
  const state = {
    live: { carrier: 'streaming', model: 'ready', media: 'flowing', turn: 'agentSpeaking', tools: 'idle' },
  };
  return {
    callId,
    entries: [
      {
        seq,
        at,
        type: 'reply.progressed',
        itemId: `item_${seq}`,
        receivedMs: seq * 200,
        note: 'x'.repeat(100),
      },
    ],
    payloads: seq % payloadEvery === 0 ? [{ seq, name: 'transcript', content: 'words '.repeat(30) }] : [],
    row: {
      callId,
      carrierCallId: `CA-${callId}`,
      direction: 'incoming',
      owner: 'bench',
      startedAt: at,
      endedAt: null,
      endReason: null,
      lastSeq: seq,
      state,
    },
    checkpoint: seq % checkpointEvery === 0 ? { context: 'y'.repeat(6_000) } : null,
    taken: [],
  };
}

const untilHandedOverMs = (seq: number): number =>
  seq % awaitedEvery === 0 ? 0 : untilNextCommitMs(systemClock.monotonic());

/** One call: an entry is skipped while the one before it is not durable, as it would join the next commit. */
function startCall(
  journal: Journal,
  callId: string,
  isGathered: boolean,
  onAppended: (nanoseconds: number) => void,
): NodeJS.Timeout {
  let seq = 0;
  let inFlight = false;
  return setInterval(async () => {
    if (inFlight) return;
    inFlight = true;
    seq += 1;
    if (isGathered) await pause(untilHandedOverMs(seq));
    const start = process.hrtime.bigint();
    await journal.append(commitOf(callId, seq, Date.now()));
    onAppended(Number(process.hrtime.bigint() - start));
    inFlight = false;
  }, 1_000 / entriesPerSecond);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function startCalls(
  journal: Journal,
  calls: number,
  isGathered: boolean,
  onAppended: (nanoseconds: number) => void,
) {
  const timers: NodeJS.Timeout[] = [];
  for (let index = 0; index < calls; index += 1) {
    const delayMs = Math.random() * (1_000 / entriesPerSecond);
    const start = () => startCall(journal, `${process.pid}-${index}`, isGathered, onAppended);
    setTimeout(() => timers.push(start()), delayMs);
  }
  await pause(warmUpMs);
  return timers;
}

async function measure(url: string, calls: number, isGathered: boolean, seconds: number): Promise<Measured> {
  const journal = await openJournal(url, { clock: systemClock });
  const appends = createHistogram();
  const timers = await startCalls(journal, calls, isGathered, (nanoseconds) => appends.record(nanoseconds));
  appends.reset();
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const cpu = process.cpuUsage();
  loop.enable();
  await pause(seconds * 1_000);
  loop.disable();
  const { user, system } = process.cpuUsage(cpu);
  const measured = {
    appends: appends.count / seconds,
    appendP50Ms: appends.percentile(50) / 1e6,
    appendP99Ms: appends.percentile(99) / 1e6,
    appendMaxMs: appends.max / 1e6,
    loopDelayP99Ms: loop.percentile(99) / 1e6 - 1,
    loopDelayMaxMs: loop.max / 1e6 - 1,
    cpuPercent: (user + system) / 1e4 / seconds,
  };
  for (const timer of timers) clearInterval(timer);
  await pause(2 * lingerMs);
  await journal.close();
  return measured;
}

function measureInProcess(url: string, load: Load, seconds: number): Promise<Measured> {
  const shape = load.isGathered ? 'gathered' : 'atOnce';
  const order = ['--load', url, String(load.callsPerProcess), String(seconds), shape];
  const child = fork(fileURLToPath(import.meta.url), order);
  return new Promise((resolve, reject) => {
    child.once('message', (measured) => resolve(measured as Measured));
    child.once('exit', (code) => reject(new Error(`a load ended with code ${code}`)));
  });
}

async function run(engine: Engine, load: Load, seconds: number): Promise<Record<string, string>[]> {
  const { url, remove } = await makePlace(engine);
  try {
    const processes = Array.from({ length: load.processes }, () => measureInProcess(url, load, seconds));
    return (await Promise.all(processes)).map((measured) => toRow(load.title, measured));
  } finally {
    await remove();
  }
}

function toRow(title: string, measured: Measured): Record<string, string> {
  return {
    load: title,
    'appends/s': measured.appends.toFixed(0),
    'append p50 ms': measured.appendP50Ms.toFixed(2),
    'p99 ms': measured.appendP99Ms.toFixed(2),
    'max ms': measured.appendMaxMs.toFixed(1),
    'loop delay p99 ms': measured.loopDelayP99Ms.toFixed(2),
    'max ms ': measured.loopDelayMaxMs.toFixed(1),
    'CPU %': measured.cpuPercent.toFixed(1),
  };
}

const [first = '', second = '', calls, seconds, shape] = process.argv.slice(2);
if (first === '--load') {
  process.send?.(await measure(second, Number(calls), shape === 'gathered', Number(seconds)));
  process.disconnect?.();
} else {
  const words = process.argv.slice(2);
  const engine = words.includes('postgres') ? 'postgres' : 'sqlite';
  if (engine === 'postgres' && findPrograms() === null) throw new Error('PostgreSQL is not installed');
  const asked = Number(words.find((word) => /^\d+$/.test(word)) ?? defaultSeconds);
  const rows = [];
  for (const load of loads[engine]) rows.push(...(await run(engine, load, asked)));
  console.table(rows);
}
