/**
 * Owns: what is good, bearable and bad of what is measured: the thresholds on the panels and of the alerts.
 * Does not own: where a threshold is drawn (`boards/`), which of them wake somebody (`rules/`).
 *
 * Sources: people leave 0.2 to 0.3 s between turns and find more than 0.8 s awkward, 1.5 s broken; ITU-T G.114 and G.109;
 * Twilio Voice Insights tags loss from 5 % on; a frame of audio is 20 ms.
 */

/** Lower is better. Below `good` all is well; from `warn` on it is felt; from `page` on somebody is woken. */
export interface Target {
  good: number;
  warn: number;
  page: number;
}

/** Seconds. */
export const latencyTargets = {
  voiceToVoiceMedian: { good: 0.8, warn: 1.2, page: 1.5 },
  voiceToVoiceTail: { good: 1.5, warn: 2.5, page: 3 },
  modelFirstAudioMedian: { good: 0.5, warn: 0.8, page: 1.2 },
  endOfTurnMedian: { good: 0.5, warn: 0.7, page: 1 },
  greeting: { good: 1, warn: 1.5, page: 3 },
  bargeIn: { good: 0.05, warn: 0.1, page: 0.2 },
  modelConnectTail: { good: 0.7, warn: 1.5, page: 3 },
  loopDelayTail: { good: 0.02, warn: 0.05, page: 0.1 },
  recoveryTail: { good: 1.5, warn: 2.5, page: 6 },
  journalStall: { good: 0.5, warn: 2, page: 5 },
} as const satisfies Record<string, Target>;

/** Shares of the time of open lines. */
export const mediaTargets = {
  gaps: { good: 0.001, warn: 0.01, page: 0.05 },
  underruns: { good: 0.001, warn: 0.01, page: 0.05 },
  deadAir: { good: 0.005, warn: 0.02, page: 0.05 },
} as const satisfies Record<string, Target>;

/** Shares of all of them. */
export const failureTargets = {
  replies: { good: 0.005, warn: 0.02, page: 0.05 },
  tools: { good: 0.01, warn: 0.05, page: 0.1 },
} as const satisfies Record<string, Target>;

/** Mean opinion score: satisfied, some dissatisfied, many dissatisfied (ITU-T G.109). Higher is better. */
export const opinionScores = { good: 4, warn: 3.6, page: 3.1 } as const;

/** Of what the instances may carry together. With more in use, losing one of a few leaves too little room. */
export const capacityUsed = { good: 0.7, warn: 0.85, page: 1 } as const satisfies Target;

/** Of a budget. Beyond it for some seconds, a process takes no new call. */
export const budgetUsed = { good: 0.6, warn: 0.8, page: 1 } as const satisfies Target;

/** The goals of the service, as ratios. */
export const goals = {
  /** Callers who are served to the end. */
  callCompletion: 0.999,
  /** Windows of 5 s in which audio suffers. */
  mediaIssue: 0.01,
} as const;

/** What a model session lives at most. */
export const sessionMaximumSeconds = 3_600;
