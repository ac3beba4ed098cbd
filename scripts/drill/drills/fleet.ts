/**
 * Owns: drills with three instances behind a balancer, on a database with a standby.
 * Does not own: carrying them out (`../run.ts`), the machines (`../fleet.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { replies } from '../conversation.ts';
import type { CallEvidence } from '../evidence.ts';
import { machines } from '../fleet.ts';
import type { Plan, Policy } from '../plan.ts';
import type { Scene } from '../scene.ts';
import { reconnectMs } from '../takeovers.ts';

const fleet = { fleet: 'plain', instances: machines, staggerMs: 6_000 } as const;

/** Twilio asks at once for the next TwiML; where it does not, silence must be noticed and a REST update follow. */
const claimedMs = (policy: Policy): number => 1_000 + (policy === 'action' ? reconnectMs : 1_500);
const goneMs = (policy: Policy): number => (policy === 'action' ? 1_500 : 5_000);

const endsWithStream = (_: unknown, policy: Policy): readonly string[] =>
  policy === 'end' ? ['stream.lost'] : [];

export const instanceKill: Plan = {
  ...fleet,
  name: 'instance-kill',
  underEachPolicy: true,
  mayEndWith: endsWithStream,
  gapLimitMs: goneMs,
  claimLimitMs: claimedMs,
  act: async (scene) => {
    await scene.until(scene.between(9_000, 12_000));
    scene.kill(await scene.busiest());
  },
};

const awayMs = 8_000;

/**
 * Nobody outside knows what such a process said and heard after its last durable entry, and the carrier plays on what it
 * was given: that is said and asked again.
 */
const outOfSight = {
  isOutOfSight: true,
  underEachPolicy: false,
  gapLimitMs: 6_000,
  claimLimitMs: 3_000,
} as const;

/** It wakes up with all its sockets, and finds that its calls are others'. */
export const instanceFreeze: Plan = {
  ...fleet,
  name: 'instance-freeze',
  ...outOfSight,
  act: async (scene) => {
    await scene.until(scene.between(9_000, 12_000));
    const frozen = await scene.busiest();
    scene.freeze(frozen);
    await sleep(awayMs);
    scene.service(frozen).thaw();
  },
};

/** What was asked and answered meanwhile is in no log: whoever takes the call over does not know of it. */
const forgets = ({ heard }: CallEvidence): readonly string[] =>
  heard.some(({ reply }) => reply === replies.forgot) ? ['caller.hungUp'] : [];

export const instancePartition: Plan = {
  ...fleet,
  name: 'instance-partition',
  fleet: 'cuttable',
  ...outOfSight,
  mayEndWith: forgets,
  act: async (scene) => {
    await scene.until(scene.between(9_000, 12_000));
    const lonely = await scene.busiest();
    scene.cutOff(lonely);
    await sleep(awayMs);
    scene.stage.fleet.mend(lonely);
  },
};

/** The deadline of the drain, and a little. */
const exitLimitMs = 25_000;

export const fleetRestart: Plan = {
  ...fleet,
  name: 'rolling-restart fleet',
  underEachPolicy: false,
  takesEveryCall: true,
  staggerMs: 24_000,
  mayEndWith: endsWithStream,
  gapLimitMs: goneMs,
  act: async (scene) => {
    await scene.until(6_000);
    for (const instance of machines) {
      await scene.terminate(instance, exitLimitMs);
      await scene.stage.start(instance);
    }
  },
};

/** Nobody is struck, and no audio waits. What the agent does next waits: a tool's answer comes when it is durable. */
const databaseAwayMs = 3_000;

export const databaseRestart: Plan = {
  ...fleet,
  name: 'db-restart',
  underEachPolicy: false,
  untouchedGapMs: databaseAwayMs,
  act: async (scene) => {
    await scene.until(9_000);
    await scene.stage.fleet.primary.restart('fast');
  },
};

/** What a watcher over the database takes until it promotes: a quick one. */
const noticeMs = 500;

export const databaseFailover: Plan = {
  ...fleet,
  name: 'db-failover',
  underEachPolicy: false,
  untouchedGapMs: databaseAwayMs,
  act: async (scene) => {
    await scene.until(9_000);
    await scene.stage.fleet.failOver(noticeMs);
  },
};

const reloads = 3;
const reloadEveryMs = 2_000;

async function reload(scene: Scene): Promise<void> {
  for (let count = 0; count < reloads; count++) {
    await scene.stage.fleet.balancer.reload();
    await sleep(reloadEveryMs);
  }
}

export const balancerReload: Plan = {
  ...fleet,
  name: 'lb-reload',
  underEachPolicy: false,
  untouchedGapMs: 200,
  act: async (scene) => {
    await scene.until(5_000);
    await reload(scene);
  },
};
