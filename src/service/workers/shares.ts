/**
 * Owns: which worker gets the next connection: of those that take new calls the one with the fewest conversations and
 * connections under way.
 * Does not own: the connections (`entrance.ts`), what a worker counts (`worker-load.ts`).
 *
 * Not in turn: a call makes several connections in a fixed rhythm (webhook, stream, action, status), and with two workers
 * every first one would meet the same worker.
 *
 * Invariants:
 * E1. A connection counts from the moment it is handed over: as itself until the worker has told that it came, from then
 *     on in what the worker tells.
 * E2. A worker that has left a connection untaken for `untakenLimitMs`, or has told nothing for `silentLimitMs`, stands
 *     still: it gets none while another worker is there, and none at all once `spareStill` was called. What it was handed
 *     nobody can take back: whoever reads a connection reads it alone.
 * E7. A worker that takes no new calls gets no connection while one that does is there and awake: its load falls as its
 *     calls end, so by the load alone it would draw every new caller, and turn each away. Where none takes any, the load
 *     decides, and that worker says to the caller why. What belongs to a live call any worker can serve.
 */
import type { LoadReport } from './worker-load.ts';

export const untakenLimitMs = 500;

/** Several looks of a worker (`worker-load.ts`): one that is only late is none that stands still. */
export const silentLimitMs = 1_000;

interface Share {
  load: number;
  takesCalls: boolean;
  /** Numbers of the last connection that was handed to it, and of the last one that it told to have come. */
  handed: number;
  taken: number;
  /** When the oldest of those in between was handed over. */
  untakenSince: number | null;
  /** When it told something last. */
  heardAt: number;
  /** Counts up over all workers: when it last got a connection. */
  turn: number;
}

export class Shares<Worker> {
  readonly #shares = new Map<Worker, Share>();
  readonly #monotonic: () => number;
  #turn = 0;
  #sparesStill = false;

  /** @param monotonic milliseconds */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  get size(): number {
    return this.#shares.size;
  }

  /** @param report what the worker told last */
  add(worker: Worker, { load, refusal }: Pick<LoadReport, 'load' | 'refusal'>): void {
    const takesCalls = refusal === null;
    const heardAt = this.#monotonic();
    this.#shares.set(worker, {
      load,
      takesCalls,
      handed: 0,
      taken: 0,
      untakenSince: null,
      heardAt,
      turn: 0,
    });
  }

  remove(worker: Worker): void {
    this.#shares.delete(worker);
  }

  /** From now on a connection goes to nobody rather than to a worker that stands still. */
  spareStill(): void {
    this.#sparesStill = true;
  }

  /** What the worker told: E1. */
  note(worker: Worker, { load, taken, refusal }: Omit<LoadReport, 'calls'>): void {
    const share = this.#shares.get(worker);
    if (!share) return;
    const heardAt = this.#monotonic();
    if (taken > share.taken) share.untakenSince = taken < share.handed ? heardAt : null;
    Object.assign(share, { load, taken, takesCalls: refusal === null, heardAt });
  }

  /** Whether a worker is there that does not stand still. */
  get isAwake(): boolean {
    return [...this.#shares.values()].some((share) => !this.#standsStill(share));
  }

  /** Null without a worker that may get it. @returns the worker, and the connection's number among those that it was handed */
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
    const open = awake.filter(([, { takesCalls }]) => takesCalls);
    return [open, awake, this.#sparesStill ? [] : all].find(({ length }) => length > 0) ?? [];
  }

  /** E2. */
  #standsStill({ untakenSince, heardAt }: Share): boolean {
    const nowMs = this.#monotonic();
    const isStuck = untakenSince !== null && nowMs - untakenSince > untakenLimitMs;
    return isStuck || nowMs - heardAt > silentLimitMs;
  }
}

const weightOf = ({ load, handed, taken }: Share): number => load + handed - taken;

/** Of two with the same weight the one that has waited longer. */
const isBefore = (one: Share, other: Share): boolean =>
  weightOf(one) < weightOf(other) || (weightOf(one) === weightOf(other) && one.turn < other.turn);
