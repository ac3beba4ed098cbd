/** Owns: the sentences that a terminal shows of a start and an end. */

export const welcomeText = (allPassed: boolean): string =>
  allPassed ? 'Ready for calls.' : 'Running. What is not well yet is tried again in the background.';

export const notStartedText = 'Not started.';
export const stoppedText = 'Stopped.';

export const drainText = (signal: string, withinMs: number): string =>
  withinMs === 0
    ? `${signal}: stopping.`
    : `${signal}: no new calls are taken. Live ones move to another process, or go on here for ${withinMs / 1_000} s at ` +
      'most. Once more stops at once.';

export const stopText = (signal: string): string => `${signal}: stopping at once.`;
