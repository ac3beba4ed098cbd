/**
 * Owns: drills in which the model's session goes away: dropped, at its cap, refused for good.
 * Does not own: carrying them out (`run.ts`).
 */
import type { Fault, FaultPlan } from '../../../src/twin/openai/faults.ts';
import type { CallEvidence, DrillCall } from '../evidence.ts';
import type { Plan } from '../plan.ts';
import type { Scene } from '../scene.ts';

const now = { afterMs: 0 };

/** The ways in which a session goes, one for each caller in turn. */
const losses: readonly Fault[] = [
  { kind: 'drop', when: now },
  { kind: 'close', code: 1011, when: now },
  { kind: 'close', code: 1012, when: now },
  { kind: 'close', code: 1001, when: now },
];

/** Nothing comes and nothing is answered: noticed only by a ping or a reply that does not come. */
const stall: Fault = { kind: 'stall', when: now };
const mute: Fault = { ...stall, answersPings: true };

/** Strikes each call once, at a moment of its own between two times after its answer. */
async function strikeEach(
  scene: Scene,
  [from, until]: readonly [number, number],
  faultFor: (call: DrillCall, index: number) => Fault,
): Promise<void> {
  const struck = new Map<DrillCall, number>();
  const isDue = (call: DrillCall): boolean => {
    const { joinedAt } = call.party;
    if (joinedAt === null) return false;
    if (!struck.has(call)) struck.set(call, joinedAt + scene.between(from, until));
    return Date.now() >= (struck.get(call) ?? 0);
  };
  const left = new Set<number>();
  const strike = (): boolean => {
    for (const [index, call] of scene.calls.entries()) {
      if (left.has(index) || !isDue(call)) continue;
      if (scene.strikeModel(call, faultFor(call, index)) || call.handle.hasEnded) left.add(index);
    }
    return (
      scene.calls.length > 0 && scene.calls.every((call, index) => left.has(index) || call.handle.hasEnded)
    );
  };
  await scene.until(500);
  await scene.when(strike, 60_000);
}

/** The pings are 2 s apart and each must be answered before the next; a stall is noticed then, or by a missing reply. */
const stallNoticedMs = 6_500;
const replacedMs = 400;

export const modelDrop: Plan = {
  name: 'model-drop',
  underEachPolicy: false,
  instances: ['one'],
  staggerMs: 3_000,
  gapLimitMs: replacedMs + 350,
  act: (scene) => strikeEach(scene, [2_500, 12_000], (_, index) => losses[index % losses.length] ?? stall),
};

export const modelStall: Plan = {
  name: 'model-drop stall',
  underEachPolicy: false,
  instances: ['one'],
  staggerMs: 3_000,
  gapLimitMs: stallNoticedMs,
  act: (scene) => strikeEach(scene, [2_500, 12_000], () => stall),
};

/** Such a session is asked after 5 s without a word, and has 4 s to answer. */
const muteNoticedMs = 10_500;

export const modelMute: Plan = {
  ...modelStall,
  name: 'model-drop mute',
  gapLimitMs: muteNoticedMs,
  act: (scene) => strikeEach(scene, [2_500, 12_000], () => mute),
};

const sessionMaximumMs = 12_000;

/** How long a session may take to close. */
const closingMs = 1_500;

/** At most one session is billed twice at a time. */
async function countSessions(scene: Scene): Promise<void> {
  const tooManySince = new Map<DrillCall, number>();
  const greedy = new Set<string>();
  const look = (call: DrillCall): void => {
    if (scene.sessionsOf(call).length <= 2) tooManySince.delete(call);
    else if (!tooManySince.has(call)) tooManySince.set(call, Date.now());
    if (Date.now() - (tooManySince.get(call) ?? Date.now()) > closingMs) greedy.add(call.handle.sid);
  };
  const isOver = (): boolean => {
    for (const call of scene.calls) look(call);
    return scene.calls.length > 0 && scene.calls.every(({ handle }) => handle.hasEnded);
  };
  await scene.until(500);
  await scene.when(isOver, 90_000);
  if (greedy.size > 0) scene.complaints.push(`at most two sessions at a time: ${[...greedy].join(', ')}`);
}

function neverRolledOver(results: readonly CallEvidence[]): string[] {
  const stayed = results.filter(({ entries }) => {
    const opened = entries.filter(({ type }) => type === 'model.opened').length;
    return opened < 2;
  });
  const capped = results.filter(({ entries }) =>
    entries.some((entry) => entry.type === 'model.closed' && entry.code === 1001),
  );
  const names = (calls: readonly CallEvidence[]): string => calls.map(({ callId }) => callId).join(', ');
  return [
    ...(stayed.length > 0 ? [`a second session takes over: ${names(stayed)}`] : []),
    ...(capped.length > 0 ? [`the cap is never reached: ${names(capped)}`] : []),
  ];
}

export const modelCap: Plan = {
  name: 'model-cap',
  underEachPolicy: false,
  instances: ['one'],
  sessionMaximumMs,
  environment: { ROLL_OVER_MS: '7000' },
  staggerMs: 3_000,
  untouchedGapMs: 200,
  act: countSessions,
  check: neverRolledOver,
};

/** By which the service refuses for good, one for each connection in turn. */
const refusals: readonly Fault[] = [
  { kind: 'refuseUpgrade', status: 401 },
  { kind: 'refuseInBand', reason: 'model_not_found' },
  { kind: 'refuseInBand', reason: 'insufficient_quota' },
  { kind: 'refuseInBand', reason: 'invalid_api_key' },
];

/** The first sessions are served, all after them are refused. */
function refusing(): { plan: FaultPlan; begin(): void } {
  let isRefusing = false;
  return {
    plan: (connection) => (isRefusing ? [refusals[connection % refusals.length] ?? stall] : []),
    begin: () => {
      isRefusing = true;
    },
  };
}

function apologies(results: readonly CallEvidence[]): string[] {
  const wrong = results.filter(
    ({ events }) => events.filter(({ event }) => event === 'announced').length !== 1,
  );
  return wrong.length > 0
    ? [`the caller hears why in one sentence: ${wrong.map(({ callId }) => callId).join(', ')}`]
    : [];
}

/** Half of the calls are refused from the start, half in the middle. */
function refusedCalls(): Pick<Plan, 'underEachPolicy' | 'instances' | 'modelFaults' | 'staggerMs' | 'act'> {
  const refusal = refusing();
  return {
    underEachPolicy: false,
    instances: ['one'],
    modelFaults: refusal.plan,
    staggerMs: 12_000,
    act: async (scene) => {
      await scene.until(6_000);
      refusal.begin();
      for (const call of [...scene.calls]) scene.strikeModel(call, { kind: 'drop', when: now });
    },
  };
}

export const modelRefused = (): Plan => ({
  ...refusedCalls(),
  name: 'model-refused',
  mayEndWith: () => ['model.refused'],
  check: apologies,
});

const helperNumber = '+15550123';

/** Whoever was configured is dialled once for each of them, and talks to the caller. */
function wronglyDialled(results: readonly CallEvidence[]): string[] {
  const wrong = results.filter(({ events }) => {
    const dialled = events.filter((event) => event.event === 'dialEnded');
    return dialled.length !== 1 || dialled[0]?.number !== helperNumber || dialled[0].status !== 'completed';
  });
  return wrong.length > 0
    ? [`the caller is put through once: ${wrong.map(({ callId }) => callId).join(', ')}`]
    : [];
}

export const modelRefusedTransfer = (): Plan => ({
  ...refusedCalls(),
  name: 'model-refused transfer',
  environment: { FALLBACK_TRANSFER_TO: helperNumber },
  mayEndWith: () => ['call.transferred'],
  check: (results) => [...apologies(results), ...wronglyDialled(results)],
});
