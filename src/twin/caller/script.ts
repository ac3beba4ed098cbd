/**
 * Owns: the words in which a test or a demo says what a caller does.
 * Does not own: doing it (`scripted-caller.ts`).
 */

/** When a step happens. */
export type Cue =
  /** The agent has said something since the caller's last line, and has been quiet for a moment. */
  | 'agentSilent'
  /** So long after the step before. */
  | { delayMs: number }
  /** The agent has made so much sound since the caller's last line: for interrupting it. */
  | { agentSpokeMs: number };

export type CallerStep =
  /** `say`: the name of a line, or G.711 mu-law. Default cue: `agentSilent`. */
  | { say: string | Uint8Array; after?: Cue }
  /** Keys, one after the other. Default cue: at once. */
  | { press: string; after?: Cue }
  /** Milliseconds in which the caller does nothing. */
  | { wait: number }
  /** Default cue: `agentSilent`. */
  | { hangUp: true; when?: Cue };

/** After its last step a caller stays on the line, silent, until the other side ends the call. */
export type CallerScript = readonly CallerStep[];

export interface CallerManners {
  /** How long the agent must be quiet for `agentSilent`. Default 700 ms. */
  quietMs?: number;
  /** How long a caller waits for a cue before hanging up. Default 60 s. */
  patienceMs?: number;
}

const afterSilence: Cue = 'agentSilent';

export function cueOf(step: CallerStep): Cue {
  if ('wait' in step) return { delayMs: step.wait };
  if ('press' in step) return step.after ?? { delayMs: 0 };
  return ('say' in step ? step.after : step.when) ?? afterSilence;
}
