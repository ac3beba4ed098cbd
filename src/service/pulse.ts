/**
 * Owns: how often a process beats, and what a silence means after how long: one set of numbers for each kind of journal.
 * Does not own: the beats (`presence.ts`), the verdict on another process (`liveness.ts`).
 *
 * On SQLite every beat is a write to the disk of the one host whose system tells at once that a process is gone: beats
 * are rare there. On PostgreSQL a beat is one small row, and nothing else tells that another host is gone.
 */

export interface Pulse {
  beatEveryMs: number;
  /** After so long without a beat an instance has missed one: it is dead where the engine says that its session is closed. */
  missedAfterMs: number;
  /** After so long without a beat an instance is silent, whatever the engine says. */
  silentAfterMs: number;
  /**
   * From the notice until the calls are adopted. Those whose streams broke are asked for again meanwhile (Twilio brings
   * a new stream within 0.8 s), and an instance that was only slow, or had to replace its connection to the journal
   * (1.5 s), beats again.
   */
  graceMs: number;
  /** A call that its first heir has not adopted for so long is the next one's, and so on. */
  turnMs: number;
  /** For so long the own beats must have been answered in time before the silence of others means anything. */
  steadyMs: number;
}

/** For a journal in a file or in memory. */
export const localPulse: Pulse = {
  beatEveryMs: 1_000,
  missedAfterMs: 2_500,
  silentAfterMs: 5_000,
  graceMs: 0,
  turnMs: 2_000,
  steadyMs: 2_500,
};

/** For a journal that several hosts share. */
export const sharedPulse: Pulse = {
  beatEveryMs: 200,
  missedAfterMs: 450,
  silentAfterMs: 700,
  graceMs: 1_400,
  turnMs: 1_000,
  steadyMs: 2_500,
};

export const pulseFor = (journalUrl: string): Pulse =>
  /^postgres(ql)?:/.test(journalUrl) ? sharedPulse : localPulse;
