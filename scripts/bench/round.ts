/**
 * Owns: one round of one subject: the same calls against a fresh process, and the figures of the window in which all of
 * them are live.
 * Does not own: the comparison (`comparison.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../../src/twin/load/caller-plan.ts';
import type { FiguresByName } from '../../src/twin/load/measures.ts';
import { Peers } from '../load/peers.ts';
import { whileAlive } from '../load/while-alive.ts';
import { type Subject, type SubjectName, startSubject } from './subject.ts';

export interface RoundOptions {
  calls: number;
  windowMs: number;
  scenario: Scenario;
  /** Before the idle process is looked at. */
  warmUpMs?: number;
  /** After the last call was placed. */
  settleMs?: number;
}

export interface Round {
  subject: SubjectName;
  /** CPU seconds of the subject's process for a minute of a call. */
  cpuSeconds: number;
  /** The same of the load peers' process: what the generator itself takes. */
  generatorCpuSeconds: number;
  /** Of one core. */
  cpuShare: number;
  generatorCpuShare: number;
  busyShare: number;
  /** Of the time, that their threads were ready and another process had the core. */
  waitShare: number;
  generatorWaitShare: number;
  /** Frames that arrived at the model by those that were sent: below 1 the subject, or the generator, was behind. */
  keptUp: number;
  /** Of the resident set, for each call, above the idle process. */
  rssBytesPerCall: number;
  /** Of heap and buffers in use, after a collection. */
  liveBytesPerCall: number;
  liveCalls: number;
  figures: FiguresByName;
  counts: Record<string, number>;
}

const warmUp = { calls: 10, rampMs: 500 } as const;
const rampMsPerCall = 25;
/** Greetings are over, all callers are in their turns, code is compiled. */
const usualWaits = { warmUpMs: 4_000, settleMs: 10_000 } as const;
export const shortWaits = { warmUpMs: 1_000, settleMs: 2_500 } as const;

/** The probe collects garbage. What came meanwhile waited for that, and is the measurement's own doing. */
const catchUpMs = 2_000;

/** @throws Error that says who died, where the subject or the peers did */
export async function measureRound(name: SubjectName, options: RoundOptions): Promise<Round> {
  const peers = await Peers.start();
  try {
    const subject = await startSubject(name, peers.port);
    try {
      return await whileAlive([subject.process.died, peers.died], (signal) =>
        measure(name, options, { peers, subject, signal }),
      );
    } finally {
      await subject.close();
    }
  } finally {
    peers.kill();
  }
}

interface Parts {
  peers: Peers;
  subject: Subject;
  /** Ends all waiting. */
  signal: AbortSignal;
}

async function measure(
  name: SubjectName,
  options: RoundOptions,
  { peers, subject: { process, address }, signal }: Parts,
): Promise<Round> {
  const wait = (forMs: number): Promise<void> => sleep(forMs, undefined, { signal });
  const { calls, windowMs, scenario, warmUpMs, settleMs } = { ...usualWaits, ...options };
  await peers.place({ address, calls: warmUp.calls, rampMs: warmUp.rampMs, scenario: 'talk' });
  await wait(warmUpMs);
  await peers.hangUp();
  await peers.clear();
  const idle = await process.probe();
  await peers.place({ address, calls, rampMs: Math.max(1_000, calls * rampMsPerCall), scenario });
  await wait(settleMs);
  await process.probe();
  await wait(catchUpMs);
  await peers.startWindow();
  const { counts: countsBefore } = await peers.roll();
  const before = readings(process, peers);
  await wait(windowMs);
  const after = readings(process, peers);
  const { figures, counts, liveCalls } = await peers.window();
  const rssBytes = process.rssBytes();
  const loaded = await process.probe();
  const lastedMs = after.atMs - before.atMs;
  const shareOf = (name: keyof Readings): number => (after[name] - before[name]) / lastedMs;
  const sent = (counts['frames.sent'] ?? 0) - (countsBefore['frames.sent'] ?? 0);
  const received = (counts['frames.received'] ?? 0) - (countsBefore['frames.received'] ?? 0);
  return {
    subject: name,
    cpuSeconds: (60 * shareOf('cpuMs')) / liveCalls,
    generatorCpuSeconds: (60 * shareOf('generatorMs')) / liveCalls,
    cpuShare: shareOf('cpuMs'),
    generatorCpuShare: shareOf('generatorMs'),
    busyShare: loaded.busyShare,
    waitShare: shareOf('waitMs'),
    generatorWaitShare: shareOf('generatorWaitMs'),
    keptUp: received / sent,
    rssBytesPerCall: (rssBytes - idle.rssBytes) / liveCalls,
    liveBytesPerCall: (loaded.liveBytes - idle.liveBytes) / liveCalls,
    liveCalls,
    figures,
    counts,
  };
}

interface Readings {
  atMs: number;
  cpuMs: number;
  waitMs: number;
  generatorMs: number;
  generatorWaitMs: number;
}

const readings = (process: Subject['process'], peers: Peers): Readings => ({
  atMs: performance.now(),
  cpuMs: process.cpuMs(),
  waitMs: process.waitMs(),
  generatorMs: peers.cpuMs(),
  generatorWaitMs: peers.waitMs(),
});
