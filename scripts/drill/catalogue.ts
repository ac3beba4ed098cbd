/**
 * Owns: the drills by name, in the order in which all of them are run; and those that are held by hand alone.
 * Does not own: what each does (`drills/`).
 */
import {
  balancerReload,
  databaseFailover,
  databaseRestart,
  fleetRestart,
  instanceFreeze,
  instanceKill,
  instancePartition,
} from './drills/fleet.ts';
import { callerHangupRace } from './drills/hang-up.ts';
import { journalStall } from './drills/journal.ts';
import {
  modelCap,
  modelDrop,
  modelMute,
  modelRefused,
  modelRefusedTransfer,
  modelStall,
} from './drills/model.ts';
import {
  processKill,
  processRestart,
  restartBound,
  rollingRestart,
  rollingUpgrade,
  workerKill,
} from './drills/process.ts';
import { flood, streamDrop, streamHalfOpen } from './drills/stream.ts';
import { toolCrash } from './drills/tool.ts';
import type { Plan } from './plan.ts';

/** Each gives its runs, one after the other. */
export const drills: Readonly<Record<string, () => readonly Plan[]>> = {
  'model-drop': () => [modelDrop, modelStall, modelMute],
  'model-cap': () => [modelCap],
  'model-refused': () => [modelRefused(), modelRefusedTransfer()],
  'stream-drop': () => [streamDrop],
  'stream-half-open': () => [streamHalfOpen],
  'process-kill': () => [processKill, processRestart],
  'worker-kill': () => [workerKill],
  'rolling-restart': () => [rollingRestart, fleetRestart],
  'rolling-upgrade': () => [rollingUpgrade],
  'tool-crash': () => [toolCrash('undone'), toolCrash('done')],
  'journal-stall': () => [journalStall],
  flood: () => [flood],
  'caller-hangup-race': () => [callerHangupRace],
};

const thirtySecondsMs = 30_000;

/** Three instances, nginx, and a PostgreSQL primary with a standby. So is the second run of `rolling-restart`. */
export const fleetDrills: typeof drills = {
  'instance-kill': () => [instanceKill],
  'instance-freeze': () => [instanceFreeze],
  'instance-partition': () => [instancePartition],
  'db-restart': () => [databaseRestart],
  'db-failover': () => [databaseFailover],
  'lb-reload': () => [balancerReload],
};

/** They measure, and take minutes. */
export const drillsByHand: typeof drills = {
  'restart-bound': () => [
    restartBound(0, true),
    restartBound(thirtySecondsMs, true),
    restartBound(thirtySecondsMs, false),
  ],
};
