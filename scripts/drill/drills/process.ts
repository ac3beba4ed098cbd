/**
 * Owns: drills in which a process goes away: killed, restarted, replaced.
 * Does not own: carrying them out (`run.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallEvidence } from '../evidence.ts';
import type { Plan, Policy } from '../plan.ts';

const endsWithStream = (_: CallEvidence, policy: Policy): readonly string[] =>
  policy === 'end' ? ['stream.lost'] : [];

/** The aim is 1.5 s where Twilio asks for the next TwiML; where it does not, a REST update has to follow a wait. */
const takenOverMs = { action: 1_500, hold: 10_000, end: 10_000 } as const;

export const processKill: Plan = {
  name: 'process-kill',
  underEachPolicy: true,
  instances: ['one', 'two'],
  staggerMs: 4_000,
  mayEndWith: endsWithStream,
  gapLimitMs: (policy) => takenOverMs[policy],
  act: async (scene) => {
    await scene.until(scene.between(7_000, 11_000));
    scene.kill(await scene.busiest());
  },
};

/** How many calls each of the two workers began. */
function begunBy(results: readonly CallEvidence[]): number[] {
  const begun = new Map([
    ['one-1', 0],
    ['one-2', 0],
  ]);
  for (const { entries } of results) {
    const claim = entries.find((entry) => entry.type === 'owner.claimed');
    const name = claim?.type === 'owner.claimed' ? claim.instance : '';
    begun.set(name, (begun.get(name) ?? 0) + 1);
  }
  return [...begun.values()];
}

const mostUneven = 2;

function unevenSpread(results: readonly CallEvidence[]): string[] {
  const begun = begunBy(results);
  const difference = Math.max(...begun) - Math.min(...begun);
  return difference <= mostUneven ? [] : [`calls are spread evenly over the workers: ${begun.join(' and ')}`];
}

/** One service with two workers behind one port. The primary starts a killed one anew. */
export const workerKill: Plan = {
  name: 'worker-kill',
  underEachPolicy: true,
  instances: ['one'],
  environment: { WORKERS: '2' },
  staggerMs: 4_000,
  mayEndWith: endsWithStream,
  gapLimitMs: (policy) => takenOverMs[policy],
  act: async (scene) => {
    await scene.until(scene.between(7_000, 11_000));
    await scene.killBusiestWorker('one');
  },
  check: unevenSpread,
  tell: (results) => [`begun by the workers: ${begunBy(results).join(' and ')}`],
};

const restartAfterMs = 500;
/** Until the new process answers: its start, and Twilio's pauses between two requests. */
const restartedMs = { action: 8_000, hold: 15_000, end: 15_000 } as const;

export const processRestart: Plan = {
  name: 'process-restart',
  underEachPolicy: true,
  instances: ['one'],
  staggerMs: 4_000,
  mayEndWith: endsWithStream,
  gapLimitMs: (policy) => restartedMs[policy],
  act: async (scene) => {
    const killAt = scene.between(7_000, 11_000);
    await scene.until(killAt);
    scene.kill('one');
    await scene.until(killAt + restartAfterMs);
    await scene.stage.start('next');
  },
};

/** How long after the kill Twilio gave the calls up that it did. */
function giveUpTimes(results: readonly CallEvidence[]): string[] {
  const timesMs = results.flatMap(({ events, struck, isDone }) => {
    const killedAt = struck.find(({ what }) => what === 'process')?.at;
    const endedAt = events.find(({ event }) => event === 'callEnded')?.at;
    return isDone || killedAt === undefined || endedAt === undefined ? [] : [endedAt - killedAt];
  });
  if (timesMs.length === 0) return ['Twilio gave no call up'];
  return [
    `Twilio gave ${timesMs.length} calls up, ${Math.min(...timesMs)} to ${Math.max(...timesMs)} ms after the kill`,
  ];
}

/** How long the only process may be away. Without the fallback that is Twilio's to say, and is told. */
export const restartBound = (awayMs: number, withoutFallback: boolean): Plan => ({
  name: `restart-bound ${awayMs / 1_000} s ${withoutFallback ? 'without' : 'with'} fallback`,
  underEachPolicy: true,
  instances: ['one'],
  withoutFallback,
  staggerMs: 4_000,
  callPlan: () => ({ patienceMs: 2 * awayMs + 60_000 }),
  mayEndWith: (evidence, policy) => (withoutFallback ? ['stream.lost'] : endsWithStream(evidence, policy)),
  act: async (scene) => {
    await scene.until(8_000);
    scene.kill('one');
    await scene.until(8_000 + awayMs);
    await scene.stage.start('next');
  },
  tell: giveUpTimes,
});

/** The deadline of the drain, and a little. */
const exitLimitMs = 25_000;

export const rollingRestart: Plan = {
  name: 'rolling-restart',
  underEachPolicy: true,
  takesEveryCall: true,
  instances: ['one', 'two'],
  // Both processes are replaced by then: calls come while each of them drains, and while each new one starts.
  staggerMs: 20_000,
  mayEndWith: endsWithStream,
  gapLimitMs: (policy) => takenOverMs[policy],
  act: async (scene) => {
    await scene.until(5_000);
    await scene.terminate('one', exitLimitMs);
    await scene.stage.start('three');
    await scene.terminate('two', exitLimitMs);
    await scene.stage.start('four');
  },
};

/** Calls that the older version began are taken over as they are, by a newer chart. */
function neverTakenOver(results: readonly CallEvidence[]): string[] {
  const isTakenOver = results.some(
    ({ entries }) =>
      entries.some((entry) => entry.type === 'owner.claimed' && entry.instance === 'older') &&
      entries.some((entry) => entry.type === 'owner.claimed' && entry.instance === 'newer'),
  );
  return isTakenOver ? [] : ['a newer version takes over calls of an older one: it took over none'];
}

const settledMs = 3_000;

/**
 * In the order of the guide: the older process is told to stop as soon as the newer one is ready. While both listen on one
 * port, a stream of a call that the newer chart has may come to the older process, which sends it away.
 */
export const rollingUpgrade: Plan = {
  name: 'rolling-upgrade',
  underEachPolicy: true,
  instances: ['older'],
  olderInstances: ['older'],
  // The older chart lets go of no call before: at the deadline the calls are in the middle of their conversations.
  environment: { DRAIN_MS: '4000' },
  staggerMs: 9_000,
  mayEndWith: endsWithStream,
  gapLimitMs: (policy) => takenOverMs[policy],
  act: async (scene) => {
    await scene.until(5_000);
    await scene.stage.start('newer');
    await scene.terminate('older', exitLimitMs);
    // The calls come over first: a process that starts takes what the machine has.
    await sleep(settledMs);
    await scene.stage.start('newest');
  },
  check: neverTakenOver,
};
