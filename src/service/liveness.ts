/**
 * Owns: the verdict on the other instances: which are there, which are not, and since when.
 * Does not own: what follows (`adoption.ts`), this process's own beats (`presence.ts`).
 *
 * Where an instance cannot be asked, nobody can tell one that is frozen from one that is cut off from the journal alone
 * and whose callers hear nothing of that. Both have so long to beat again that a trouble of the network is over.
 *
 * Invariants:
 * N1. An instance is given up only where its process on this host is gone, or where it does not beat and does not say
 *     either that calls live there. One that does is cut off from the journal alone: its calls go on.
 * N4. Silence of others means nothing before this process's own beats have been answered in time for `steadyMs`, and its
 *     own session was open all that time: a journal that is away silences everybody, one that has failed over has
 *     forgotten every session.
 */
import type { Clock } from '../runtime/ports/clock.ts';
import type { InstanceRow } from '../runtime/ports/journal.ts';
import type { Pulse } from './pulse.ts';

export interface LivenessOptions {
  instance: string;
  /** As rows name it: another process of the same one has an id that `isProcessAlive` knows. */
  host: string;
  pulse: Pulse;
  clock: Clock;
  isProcessAlive(pid: number): boolean;
  /** Asks a silent instance itself whether calls live there. Resolves soon, and never throws. */
  hasCalls(row: InstanceRow): Promise<boolean>;
}

/** `unknown`: it does not beat, and this process is in no position to say why. */
type Verdict = 'there' | 'gone' | 'unknown';

export interface View {
  /** This process among them. */
  there: readonly InstanceRow[];
  /** Instances that are given up, and the moment from which their calls may be adopted, on the monotonic clock. */
  gone: ReadonlyMap<string, number>;
  /** When the look was over, on the monotonic clock. */
  at: number;
}

export class Liveness {
  readonly #options: LivenessOptions;
  /** When each instance that is not there was found so first, on the monotonic clock. */
  readonly #goneSince = new Map<string, number>();
  #lastAskedAt: number | null = null;
  #steadySince: number | null = null;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /**
   * The journal took a beat of this process. @returns whether it came so late after the one before, or first of all, that
   * others may have given this process up
   */
  noteBeat(askedAt: number, answeredAt: number): boolean {
    const isLate =
      this.#lastAskedAt === null || answeredAt - this.#lastAskedAt > this.#options.pulse.missedAfterMs;
    if (isLate || this.#steadySince === null) this.#steadySince = answeredAt;
    this.#lastAskedAt = askedAt;
    return isLate;
  }

  /** A beat failed, or this process's own session is closed. */
  noteOutage(): void {
    this.#steadySince = null;
  }

  /**
   * Sees nobody where it took so long that what it began with is out of date: this process was frozen meanwhile.
   *
   * @param rowless owners of calls that have no row
   */
  async look(rows: readonly InstanceRow[], rowless: Iterable<string>): Promise<View> {
    const { clock, instance, pulse } = this.#options;
    const begunAt = clock.monotonic();
    if (rows.some((row) => row.instance === instance && row.isConnected === false)) this.noteOutage();
    const verdicts = await Promise.all(rows.map((row) => this.#judge(row)));
    const at = clock.monotonic();
    if (at - begunAt > 2 * pulse.silentAfterMs) return { there: [], gone: new Map(), at };
    const gone = new Map<string, number>();
    const missing = rows.filter((_, index) => verdicts[index] === 'gone').map((row) => row.instance);
    for (const each of [...missing, ...rowless]) gone.set(each, this.#adoptableAt(each));
    for (const known of this.#goneSince.keys()) if (!gone.has(known)) this.#goneSince.delete(known);
    return { there: rows.filter((_, index) => verdicts[index] === 'there'), gone, at };
  }

  #adoptableAt(instance: string): number {
    const { clock, pulse } = this.#options;
    const since = this.#goneSince.get(instance) ?? clock.monotonic();
    this.#goneSince.set(instance, since);
    return since + pulse.graceMs;
  }

  async #judge(row: InstanceRow): Promise<Verdict> {
    const { instance, host: ourHost, isProcessAlive, hasCalls, pulse } = this.#options;
    if (row.instance === instance) return 'there';
    if (row.host === ourHost && !isProcessAlive(row.pid)) return 'gone';
    if (isBeating(row, pulse)) return 'there';
    if (!this.#isSteady) return 'unknown';
    return (await hasCalls(row)) ? 'there' : 'gone';
  }

  get #isSteady(): boolean {
    const { clock, pulse } = this.#options;
    return this.#steadySince !== null && clock.monotonic() - this.#steadySince >= pulse.steadyMs;
  }
}

/** A session that is closed is believed of an instance that has missed a beat: one may have lost it and gone on. */
export function isBeating({ beatAgeMs, isConnected }: InstanceRow, pulse: Pulse): boolean {
  return beatAgeMs <= (isConnected === false ? pulse.missedAfterMs : pulse.silentAfterMs);
}
