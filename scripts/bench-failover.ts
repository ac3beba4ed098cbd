/**
 * Owns: `npm run bench:failover`: what the audio path is like while the database fails over to its standby, by what it
 * was just before, and that by what it was before that.
 * Does not own: the peers and the service (`bench/subject.ts`, `load/peers.ts`), the cluster.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { FiguresByName } from '../src/twin/load/measures.ts';
import { PostgresCluster, urlOver } from '../test/support/postgres-cluster.ts';
import { spreadOf } from './bench/comparison.ts';
import { startSubject } from './bench/subject.ts';
import type { MeasuredProcess } from './load/measured-process.ts';
import { Peers } from './load/peers.ts';

const usage = `npm run bench:failover -- [options]

  --calls 30       at once
  --seconds 15     how long each of the three windows lasts
  --rounds 3       each on a cluster of its own
  --niceness 0     of the database's processes: with 19 they give way to all others, as if they had a machine of their
                   own; with 0 their death and promotion take the cores that the audio path needs`;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '3' },
    niceness: { type: 'string', default: '0' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** From the primary's death until whoever watches over the database promotes the standby. */
const noticeMs = 500;
const settleMs = 15_000;

const windowNames = ['undisturbed', 'undisturbed again', 'failover'] as const;
type WindowName = (typeof windowNames)[number];
interface Figures extends FiguresByName {
  /** Of the time, that the service was ready and another process had the core. */
  waitShare: number;
}
type Windows = Record<WindowName, Figures>;

async function failOver(primary: PostgresCluster, standby: PostgresCluster): Promise<void> {
  await primary.crash();
  await sleep(noticeMs);
  await standby.promote();
}

async function measureWindows(
  peers: Peers,
  service: Pick<MeasuredProcess, 'waitMs'>,
  strike: () => Promise<void>,
): Promise<Windows> {
  const measured = {} as Windows;
  for (const name of windowNames) {
    const [beganAtMs, waitedMs] = [performance.now(), service.waitMs()];
    await peers.startWindow();
    const struck = name === 'failover' ? strike() : Promise.resolve();
    await Promise.all([struck, sleep(Number(values.seconds) * 1_000)]);
    const { figures, liveCalls } = await peers.window();
    if (liveCalls !== Number(values.calls))
      throw new Error(`${liveCalls} of ${values.calls} calls were live`);
    const waitShare = (service.waitMs() - waitedMs) / (performance.now() - beganAtMs);
    measured[name] = { ...figures, waitShare };
  }
  return measured;
}

async function measureRound(): Promise<Windows> {
  const primary = await PostgresCluster.create({}, Number(values.niceness));
  try {
    const standby = await primary.startStandby();
    const peers = await Peers.start();
    try {
      const journal = { JOURNAL_URL: urlOver([primary, standby]) };
      const { address, process, close } = await startSubject('service', peers.port, journal);
      try {
        await peers.place({ address, calls: Number(values.calls), rampMs: 3_000, scenario: 'talk' });
        await sleep(settleMs);
        return await measureWindows(peers, process, () => failOver(primary, standby));
      } finally {
        await close();
      }
    } finally {
      peers.kill();
    }
  } finally {
    await primary.remove();
  }
}

const told = (numbers: readonly number[]): string => {
  const { median, least, most } = spreadOf(numbers);
  return `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
};

function tell(rounds: readonly Windows[]): void {
  for (const name of windowNames) {
    const waited = rounds.map((windows) => windows[name].waitShare);
    console.log(`${`the service waited for a core, ${name}`.padEnd(52)} ${told(waited)}`);
  }
  for (const way of ['up', 'down'] as const) {
    const of = (name: WindowName): number[] => rounds.map((windows) => windows[name][way].p99);
    const by = (one: WindowName, other: WindowName): number[] => {
      const others = of(other);
      return of(one).map((p99, index) => p99 / (others[index] ?? Number.NaN));
    };
    console.log(`added latency ${way}, p99, ms`);
    for (const name of windowNames) console.log(`  ${name.padEnd(36)} ${told(of(name))}`);
    console.log(
      `  ${'failover by undisturbed again'.padEnd(36)} ${told(by('failover', 'undisturbed again'))}`,
    );
    console.log(
      `  ${'A/A: undisturbed again by undisturbed'.padEnd(36)} ${told(by('undisturbed again', 'undisturbed'))}`,
    );
  }
}

if (values.help) console.log(usage);
else {
  const rounds: Windows[] = [];
  while (rounds.length < Number(values.rounds)) rounds.push(await measureRound());
  console.log(
    `${values.calls} calls, median (least to most) of ${values.rounds} rounds, niceness of the database ${values.niceness}`,
  );
  tell(rounds);
}
