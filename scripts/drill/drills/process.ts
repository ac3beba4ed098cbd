/**
 * Owns: drills in which a process goes away: killed, restarted, replaced.
 * Does not own: carrying them out (`run.ts`).
 */
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

/** The deadline of the drain, and a little. */
const exitLimitMs = 25_000;

export const rollingRestart: Plan = {
  name: 'rolling-restart',
  underEachPolicy: true,
  instances: ['one', 'two'],
  staggerMs: 9_000,
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

export const rollingUpgrade: Plan = {
  name: 'rolling-upgrade',
  underEachPolicy: true,
  instances: ['older', 'newer'],
  olderInstances: ['older'],
  staggerMs: 6_000,
  mayEndWith: endsWithStream,
  gapLimitMs: (policy) => takenOverMs[policy],
  act: async (scene) => {
    await scene.until(8_000);
    await scene.terminate('older', exitLimitMs);
    await scene.stage.start('newest');
  },
  check: neverTakenOver,
};
