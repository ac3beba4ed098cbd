/**
 * Owns: which share of the last windows of live calls had an issue of ours.
 * Does not own: what an issue is (`media-meter.ts`).
 */

interface Round {
  windows: number;
  withIssue: number;
}

/** Of 5 s each: no longer, for what is over keeps new calls away. */
const roundsKept = 3;

/** Those of ten calls: a few with a bad network are no trouble of the process. */
const fewestWindows = 30;

export class RecentIssues {
  readonly #rounds: Round[] = [];
  #current: Round = { windows: 0, withIssue: 0 };

  note(hasIssue: boolean): void {
    this.#current.windows += 1;
    if (hasIssue) this.#current.withIssue += 1;
  }

  /** Every call's window has passed. */
  roll(): void {
    this.#rounds.push(this.#current);
    if (this.#rounds.length > roundsKept) this.#rounds.shift();
    this.#current = { windows: 0, withIssue: 0 };
  }

  /** Of the rounds that are over; null where there were too few windows. */
  get share(): number | null {
    const sum = (count: keyof Round) => this.#rounds.reduce((total, round) => total + round[count], 0);
    const windows = sum('windows');
    return windows < fewestWindows ? null : sum('withIssue') / windows;
  }
}
