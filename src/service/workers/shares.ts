/**
 * Owns: which worker gets the next connection: the one with the fewest live calls and connections under way.
 * Does not own: the connections (`entrance.ts`), what a worker counts (`worker-load.ts`).
 *
 * Not in turn: a call makes several connections in a fixed rhythm (webhook, stream, action, status), and with two workers
 * every first one would meet the same worker.
 *
 * Invariants:
 * E1. A connection counts from the moment it is handed over: as itself until the worker has told that it came, from then
 *     on in what the worker tells.
 * E2. A worker that has left a connection untaken for `untakenLimitMs` stands still: it gets none while another worker is
 *     there.
 */

export const untakenLimitMs = 500;

interface Share {
  load: number;
  /** Numbers of the last connection that was handed to it, and of the last one that it told to have come. */
  handed: number;
  taken: number;
  /** When the oldest of those in between was handed over. */
  untakenSince: number | null;
  /** Counts up over all workers: when it last got a connection. */
  turn: number;
}

export class Shares<Worker> {
  readonly #shares = new Map<Worker, Share>();
  readonly #monotonic: () => number;
  #turn = 0;

  /** @param monotonic milliseconds */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  get size(): number {
    return this.#shares.size;
  }

  add(worker: Worker): void {
    this.#shares.set(worker, { load: 0, handed: 0, taken: 0, untakenSince: null, turn: 0 });
  }

  remove(worker: Worker): void {
    this.#shares.delete(worker);
  }

  /** What the worker told: E1. */
  note(worker: Worker, load: number, taken: number): void {
    const share = this.#shares.get(worker);
    if (!share) return;
    if (taken > share.taken) share.untakenSince = taken < share.handed ? this.#monotonic() : null;
    Object.assign(share, { load, taken });
  }

  /** Null without a worker. @returns the worker, and the connection's number among those that it was handed */
  hand(): { worker: Worker; number: number } | null {
    const [first, ...others] = this.#candidates();
    if (!first) return null;
    const [worker, share] = others.reduce((best, next) => (isBefore(next[1], best[1]) ? next : best), first);
    this.#turn += 1;
    share.turn = this.#turn;
    share.handed += 1;
    share.untakenSince ??= this.#monotonic();
    return { worker, number: share.handed };
  }

  #candidates(): [Worker, Share][] {
    const all = [...this.#shares];
    const awake = all.filter(([, share]) => !this.#standsStill(share));
    return awake.length > 0 ? awake : all;
  }

  /** E2. */
  #standsStill({ untakenSince }: Share): boolean {
    return untakenSince !== null && this.#monotonic() - untakenSince > untakenLimitMs;
  }
}

const weightOf = ({ load, handed, taken }: Share): number => load + handed - taken;

/** Of two with the same weight the one that has waited longer. */
const isBefore = (one: Share, other: Share): boolean =>
  weightOf(one) < weightOf(other) || (weightOf(one) === weightOf(other) && one.turn < other.turn);
