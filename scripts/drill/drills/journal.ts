/**
 * Owns: the drill in which the journal takes nothing for some seconds while calls talk.
 * Does not own: carrying it out (`../run.ts`).
 */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../plan.ts';
import type { Scene } from '../scene.ts';

const stallMs = 4_000;

/** Holds the lock that every commit needs. */
async function holdLock(path: string, forMs: number): Promise<void> {
  const database = new DatabaseSync(path);
  try {
    await beginExclusive(database);
    await sleep(forMs);
    database.exec('ROLLBACK');
  } finally {
    database.close();
  }
}

async function beginExclusive(database: DatabaseSync): Promise<void> {
  database.exec('PRAGMA busy_timeout = 20');
  for (;;) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      if (!String(error).includes('locked')) throw error;
      await sleep(5);
    }
  }
}

/** Health shows the stall from its first second. */
async function watchHealth(scene: Scene): Promise<void> {
  await sleep(1_500);
  const health = await scene.service('one').health();
  if (!(Number(health?.journalStalledMs) >= 1_000)) {
    scene.complaints.push(`health shows the stall: it says ${health?.journalStalledMs} ms`);
  }
}

export const journalStall: Plan = {
  name: 'journal-stall',
  underEachPolicy: false,
  instances: ['one'],
  staggerMs: 2_000,
  untouchedGapMs: 200,
  act: async (scene) => {
    await scene.until(7_000);
    await Promise.all([holdLock(scene.stage.journalPath, stallMs), watchHealth(scene)]);
  },
};
