/** Owns: all boards, in the order in which they are looked at. Does not own: what is on them. */
import type { MetricName } from '../../../src/telemetry/metrics/names.ts';
import type { Board } from '../board.ts';
import { callsBoard } from './calls.ts';
import { latencyBoard } from './latency.ts';
import { mediaBoard } from './media.ts';
import { modelBoard } from './model.ts';
import { recoveryBoard } from './recovery.ts';
import { runtimeBoard } from './runtime.ts';

export const allBoards: readonly Board[] = [
  callsBoard,
  latencyBoard,
  mediaBoard,
  recoveryBoard,
  modelBoard,
  runtimeBoard,
];

/** Metrics that no panel shows, and why. */
export const unshown: Partial<Record<MetricName, string>> = {};
