/**
 * Owns: work that needs processes which may die: their death ends its waiting at once, and is what is thrown.
 * Does not own: noticing a death (`measured-process.ts`, `peers.ts`).
 */

/**
 * @param needed each rejects when a process has died that the work cannot do without
 * @param work waits by the signal; what it makes of a death itself is not heard
 * @throws what `needed` or the work throws first
 */
export async function whileAlive<Result>(
  needed: readonly Promise<never>[],
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const waiting = new AbortController();
  try {
    return await Promise.race([work(waiting.signal), ...needed]);
  } finally {
    waiting.abort();
  }
}

/** @param code and `signal`: as an `exit` of a child process tells them */
export const deathOf = (who: string, code: number | null, signal: NodeJS.Signals | null): Error =>
  new Error(`${who} ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`);
