/**
 * Owns: carrying out a drill once: the stage, the calls, the wait for their end, the leak check, the rows.
 * Does not own: what is done meanwhile (`drills/`), what is judged (`verdict.ts`).
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { seededRandom } from '../../src/twin/random.ts';
import { type Acknowledged, brokenByTheLogs, findInLogs, readAcknowledged } from './acknowledged.ts';
import { mostCallers } from './conversation.ts';
import { type CallEvidence, gatherEvidence } from './evidence.ts';
import { figuresNote, figuresOf } from './fleet-figures.ts';
import { goalsOf } from './goals.ts';
import { brokenByTheFeed, Onlooker } from './onlooker.ts';
import { type Plan, type Policy, usualPolicy } from './plan.ts';
import { Scene } from './scene.ts';
import type { ServiceProcess } from './service-process.ts';
import { Stage } from './stage.ts';
import { brokenTakeovers, type Takeover, takeoverNote, takeoversOf } from './takeovers.ts';
import { judge, type Row } from './verdict.ts';

export interface RunOptions {
  /** Calls under each policy. */
  calls: number;
  policies: readonly Policy[];
  seed: number;
  keep: boolean;
}

export interface RunOutcome {
  rows: Row[];
  /** Where journal and logs lie; null where they were thrown away. */
  folder: string | null;
}

/** A call that is not over by then is dropped. */
const longestRunMs = 120_000;
/** How long processes may take to let go of what the calls held. */
const settleMs = 15_000;
const noticeableMs = 100;
/** Handles that come and go by themselves: a connection that is kept for the next request. */
const handleSlack = 2;

export async function run(plan: Plan, options: RunOptions): Promise<RunOutcome> {
  if (options.calls * options.policies.length > mostCallers) {
    throw new Error(`at most ${mostCallers} calls can be told apart`);
  }
  const { name, environment, withoutFallback, sessionMaximumMs, modelFaults, fleet } = plan;
  const stage = await Stage.open({
    name: name.replaceAll(' ', '-'),
    ...(environment ? { environment } : {}),
    ...(withoutFallback ? { withoutFallback } : {}),
    ...(fleet ? { fleet } : {}),
    ...(sessionMaximumMs ? { sessionMaximumMs } : {}),
    ...(modelFaults ? { modelFaults } : {}),
  });
  let isGood = false;
  try {
    const { instances, olderInstances = [] } = plan;
    const isOlder = (instance: string): boolean => olderInstances.includes(instance);
    await Promise.all(instances.map((instance) => stage.start(instance, { isOlder: isOlder(instance) })));
    const rows = await play(plan, options, new Scene(stage, seededRandom(options.seed)));
    isGood = rows.every(({ broken }) => broken.length === 0);
    return { rows, folder: isGood && !options.keep ? null : stage.folder };
  } finally {
    await stage.close({ keep: options.keep || !isGood });
  }
}

async function play(plan: Plan, options: RunOptions, scene: Scene): Promise<Row[]> {
  const journal = await scene.stage.openJournal();
  const onlooker = plan.fleet ? new Onlooker(journal) : null;
  try {
    return await hold(plan, options, { scene, journal, onlooker });
  } finally {
    await onlooker?.stop();
    await journal.close();
  }
}

interface Watched {
  scene: Scene;
  journal: Journal;
  /** Where there are several machines. */
  onlooker: Onlooker | null;
}

async function hold(plan: Plan, { calls, policies }: RunOptions, watched: Watched): Promise<Row[]> {
  const { scene, onlooker } = watched;
  const lateness = monitorEventLoopDelay({ resolution: 10 });
  lateness.enable();
  const acted = plan.act?.(scene).catch((error) => scene.complaints.push(`the drill failed: ${error}`));
  const total = calls * policies.length;
  for (let caller = 0; caller < total; caller += 1) {
    await scene.until((caller * plan.staggerMs) / total);
    const policy = policies[caller % policies.length] ?? usualPolicy;
    const { handle } = scene.place(caller, policy, plan.callPlan?.(caller, scene.random) ?? {});
    onlooker?.follow(handle.sid);
  }
  await acted;
  await scene.when(() => scene.calls.every(({ handle }) => handle.hasEnded), longestRunMs);
  for (const { handle } of scene.calls) handle.hangUp();
  lateness.disable();
  const lateMs = Math.round(lateness.max / 1e6);
  const leaks = await findLeaks(watched);
  const evidence = await gather(watched);
  await onlooker?.stop();
  const acknowledged = onlooker ? readAcknowledged(scene.stage.folder) : [];
  const goals = await goalsOf(scene.stage.services);
  return policies.map((policy, index) => {
    const own = evidence.filter(({ caller }) => scene.policyOf.get(caller) === policy);
    const part = { plan, policy, own, takeovers: takeoversOf(own, scene.absences) };
    const struck = withTakeovers(judge(plan, policy, own, lateMs), part);
    const row = onlooker ? withFleet(struck, part, { onlooker, acknowledged }) : struck;
    return index === 0 ? withWhole(row, { plan, scene, evidence, leaks, lateMs, goals }) : row;
  });
}

interface Part {
  plan: Plan;
  policy: Policy;
  own: readonly CallEvidence[];
  takeovers: readonly Takeover[];
}

function withTakeovers(row: Row, { plan, policy, takeovers }: Part): Row {
  const { claimLimitMs } = plan;
  const limitMs = typeof claimLimitMs === 'function' ? claimLimitMs(policy) : claimLimitMs;
  return {
    ...row,
    broken: [...row.broken, ...brokenTakeovers(takeovers, limitMs)],
    notes: [...row.notes, ...takeoverNote(takeovers)],
  };
}

interface Witnesses {
  onlooker: Onlooker;
  acknowledged: readonly Acknowledged[];
}

/** What several machines promise together: by what each was told, and by what a console saw. */
function withFleet(row: Row, { own, takeovers }: Part, { onlooker, acknowledged }: Witnesses): Row {
  const findings = findInLogs(own, acknowledged);
  const missed = onlooker.missed(own);
  const fleet = figuresOf(takeovers, findings, missed.length);
  return {
    ...row,
    fleet,
    broken: [...row.broken, ...brokenByTheLogs(findings), ...brokenByTheFeed(missed)],
    notes: [...row.notes, figuresNote(fleet)],
  };
}

interface Whole {
  plan: Plan;
  scene: Scene;
  evidence: readonly CallEvidence[];
  leaks: readonly string[];
  /** As the processes count them that are left. */
  goals: string | null;
  /** How late the twin itself was at most: what was heard is no more exact than that. */
  lateMs: number;
}

/** What concerns all calls of the run stands in the first of its rows. */
function withWhole(row: Row, whole: Whole): Row {
  const { plan, scene, evidence, leaks, lateMs, goals } = whole;
  const calledBack = scene.stage.twilio.list().filter(({ record }) => record.direction !== 'inbound');
  const crashed = scene.stage.services.filter((service) => !service.isRunning && !service.isExpectedToEnd);
  const errors = scene.stage.services.flatMap((service) => service.errors());
  return {
    ...row,
    leaks: leaks.length,
    broken: [
      ...row.broken,
      ...leaks.map((leak) => `nothing is left: ${leak}`),
      ...calledBack.map(({ sid }) => `nobody is called back: ${sid}`),
      ...crashed.map(({ instance }) => `no process dies by itself: ${instance}`),
      ...scene.complaints,
      ...(plan.check?.(evidence, scene) ?? []),
    ],
    notes: [
      ...row.notes,
      ...(goals === null ? [] : [goals]),
      ...(errors.length > 0 ? [`errors in the logs ${errors.length}`] : []),
      ...(lateMs > noticeableMs ? [`the twin itself was late by ${lateMs} ms`] : []),
    ],
  };
}

async function gather({ scene, journal }: Watched): Promise<CallEvidence[]> {
  const { stage, calls, absences } = scene;
  const sources = {
    journal,
    sessions: stage.openai.sessions,
    effects: stage.effects.attempts,
    absences,
  };
  const evidence: CallEvidence[] = [];
  for (const call of calls) evidence.push(await gatherEvidence(call, sources));
  return evidence;
}

/** What is left once the calls are over and everybody had time to let go. */
async function findLeaks(watched: Watched): Promise<string[]> {
  const deadline = performance.now() + settleMs;
  let leaks = await leaksOf(watched);
  while (leaks.length > 0 && performance.now() < deadline) {
    await sleep(100);
    leaks = await leaksOf(watched);
  }
  return leaks;
}

async function leaksOf({ scene, journal }: Watched): Promise<string[]> {
  const running = scene.stage.services.filter(({ isRunning }) => isRunning);
  const found = await Promise.all(running.map(leaksOfService));
  const sessions = scene.openSessions.length;
  return [
    ...found.flat(),
    ...(sessions > 0 ? [`${sessions} model sessions are open`] : []),
    ...(await openLogs(journal)),
  ];
}

/** A process that is about to adopt the calls of a dead one has none of them yet. */
async function openLogs(journal: Journal): Promise<string[]> {
  const { length } = await journal.list({ live: true, limit: mostCallers });
  return length > 0 ? [`${length} calls have not ended by their logs`] : [];
}

async function leaksOfService(service: ServiceProcess): Promise<string[]> {
  const { instance, idleHandles } = service;
  const health = await service.health();
  if (health === null) return [`${instance} does not answer`];
  const handles = service.handles();
  return [
    ...(health.liveCalls > 0 ? [`${instance} has ${health.liveCalls} live calls`] : []),
    ...(handles > idleHandles + handleSlack
      ? [`${instance} has ${handles} open handles, ${idleHandles} before the calls`]
      : []),
  ];
}
