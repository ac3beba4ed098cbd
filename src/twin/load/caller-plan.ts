/**
 * Owns: what the callers of a load run do: how long they stay, when they speak, how their network behaves.
 * Does not own: doing it (`carrier-call.ts`, `caller-turns.ts`).
 */

export interface CallerPlan {
  /** Null: until the run ends. */
  callMs: number | null;
  speechMs: number;
  /** From the end of a reply to the caller's next word, on average. */
  pauseMs: number;
  /** At most, after the greeting: callers who came together do not speak together. */
  firstPauseMs: number;
  /** The caller interrupts each reply after so much of it was played; null: hears it out. */
  bargeInAfterMs: number | null;
  /** Audio in one media message, in frames of 20 ms. */
  framesPerMessage: number;
  /** Frames are kept back for so long and then sent together; 0 sends each when it is due. */
  clumpMs: number;
  /** All callers' frames are due at the same millisecond. */
  inStep: boolean;
  /** One way, between each peer and what is measured. */
  delayMs: number;
  /** At times frames are kept back for up to so long. */
  jitterMs: number;
  /** Every so often the caller's side reads nothing for so long; null: never. */
  deafness: { everyMs: number; forMs: number } | null;
  /** Of audio that the model answers with. */
  replyMs: number;
  deltaMs: number;
}

const talk: CallerPlan = {
  callMs: null,
  speechMs: 2_500,
  pauseMs: 700,
  firstPauseMs: 8_000,
  bargeInAfterMs: null,
  framesPerMessage: 1,
  clumpMs: 0,
  inStep: false,
  delayMs: 0,
  jitterMs: 0,
  deafness: null,
  replyMs: 5_000,
  deltaMs: 250,
};

export const plainScenarios = {
  talk,
  'barge-in': { ...talk, bargeInAfterMs: 1_500, speechMs: 1_500, replyMs: 8_000 },
  burst: { ...talk, inStep: true, clumpMs: 200 },
  churn: { ...talk, callMs: 6_000, speechMs: 1_000, pauseMs: 200, firstPauseMs: 500, replyMs: 1_000 },
  'large-frames': { ...talk, framesPerMessage: 20, deltaMs: 2_000, replyMs: 8_000 },
  'high-latency': { ...talk, delayMs: 150, jitterMs: 200 },
  'slow-reader': { ...talk, deafness: { everyMs: 20_000, forMs: 25_000 }, replyMs: 60_000 },
} as const satisfies Record<string, CallerPlan>;

type PlainScenario = keyof typeof plainScenarios;
export type Scenario = PlainScenario | 'mixed';

const plainNames = Object.keys(plainScenarios) as PlainScenario[];
export const scenarios: readonly Scenario[] = [...plainNames, 'mixed'];

export const isScenario = (name: string): name is Scenario => (scenarios as readonly string[]).includes(name);

/** Whether calls end by their plan and are replaced: then some are always between two. */
export const replacesCalls = (scenario: Scenario): boolean =>
  scenario === 'mixed' || plainScenarios[scenario].callMs !== null;

/** What the n-th caller does. Of a slow reader's run every tenth is one: the others must not notice. */
export function planOf(scenario: Scenario, caller: number): CallerPlan {
  if (scenario === 'mixed') return planOf(plainNames[caller % plainNames.length] ?? 'talk', caller * 10);
  if (scenario === 'slow-reader' && caller % 10 !== 0) return talk;
  return plainScenarios[scenario];
}
