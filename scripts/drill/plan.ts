/**
 * Owns: the form of a drill: who calls, what is done to the calls and the processes, and what must become of them.
 * Does not own: carrying it out (`run.ts`), the drills themselves (`drills/`).
 */
import type { FaultPlan } from '../../src/twin/openai/faults.ts';
import type { Random } from '../../src/twin/random.ts';
import type { CallFaults } from '../../src/twin/twilio/faults.ts';
import type { CallEvidence } from './evidence.ts';
import type { Scene } from './scene.ts';

/** What the twin's Twilio does when a stream has ended: see `src/twin/twilio/settings.ts`. */
export type Policy = 'action' | 'hold' | 'end';
/** Of drills that do not ask for each, unless told otherwise. */
export const usualPolicy: Policy = 'action';

export const policies: readonly Policy[] = [usualPolicy, 'hold', 'end'];

export interface CallPlan {
  faults?: CallFaults;
  /** After the answer. */
  hangUpAfterMs?: number;
  /** How long the caller waits for the next word; the usual time where it is not said. */
  patienceMs?: number;
}

export interface Plan {
  /** As the table shows it. */
  name: string;
  /** Whether it runs under each of the policies, or under one alone: the usual one, unless told otherwise. */
  underEachPolicy: boolean;
  /** Processes at the start. */
  instances: readonly string[];
  /** Those of them that run an older version. */
  olderInstances?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Several machines with a database and a balancer; `cuttable`: each can be cut off from the database. */
  fleet?: 'plain' | 'cuttable';
  /** An instance that is gone in whatever way is relieved of its calls within so long. */
  claimLimitMs?: number | ((policy: Policy) => number);
  /** The number and the service have no TWILIO_FALLBACK_URL. */
  withoutFallback?: boolean;
  sessionMaximumMs?: number;
  modelFaults?: FaultPlan;
  /** The calls are placed over so long. */
  staggerMs: number;
  callPlan?(caller: number, random: Random): CallPlan;
  /** What goes on beside the calls; it begins with the first of them. */
  act?(scene: Scene): Promise<void>;
  /** Reasons for which the call may end without having been completed. Empty: it must go on in conversation. */
  mayEndWith?(evidence: CallEvidence, policy: Policy): readonly string[];
  /** A process that takes calls is there all the time: no call that comes in is declined or goes to the fallback. */
  takesEveryCall?: boolean;
  /** The peer of this call is hostile: what is lost and interrupted of it is its own doing, and is not counted. */
  isHostile?(caller: number): boolean;
  /** The process goes on out of sight: what is said and asked again is told and fails nothing. */
  isOutOfSight?: boolean;
  /** Largest gap of a call that was struck, beyond what the twin's Twilio takes itself. */
  gapLimitMs?: number | ((policy: Policy) => number);
  /** Largest gap of a call that was not. */
  untouchedGapMs?: number;
  /** Promises of this drill alone that are broken: each says which, and names the calls. */
  check?(results: readonly CallEvidence[], scene: Scene): string[];
  /** What is to be told of the calls of one policy. */
  tell?(results: readonly CallEvidence[]): string[];
}
