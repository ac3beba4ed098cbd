/**
 * Owns: the instances of a simulated fleet as machines: each on a host of its own, and what strikes them; when each was
 * away, and what the journal's engine knows of their sessions.
 * Does not own: the calls (`fleet.ts`).
 */
import type { SimulatedProcess } from '../process.ts';
import type { World } from '../world.ts';

/** Whoever runs the fleet starts a new instance so long after one has died. */
const replaceAfterMs = 10_000;

/** The journal answers the last instance again so long after the first. */
export const lastReconnectMs = 2_200;
/** And each takes its session up again so long after that. */
const sessionMs = 150;

/** After it is back an instance may still be found by what it had not done. */
const slackMs = 250;

const longestExitMs = 30_000;
const lookEveryMs = 100;

interface Absence {
  fromMs: number;
  untilMs: number;
}

export class Machines {
  readonly #world: World;
  /** By the monotonic clock. */
  readonly #absences = new Map<SimulatedProcess, Absence[]>();
  readonly #sessionlessUntil = new Map<string, number>();
  readonly #leaving = new Set<SimulatedProcess>();
  readonly #vanished = new Set<string>();
  #started = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async start(): Promise<SimulatedProcess> {
    this.#started += 1;
    const name = `holdfast-${this.#started}`;
    return await this.#world.clock.during(this.#world.startProcess(name, `host-${this.#started}`));
  }

  /** Those that new calls are shared out among. */
  get working(): SimulatedProcess[] {
    return this.#world.living.filter(
      (process) =>
        process.isListening && !process.isFrozen && !this.#leaving.has(process) && !this.#isAway(process),
    );
  }

  /** @returns the one of those that work which has the most calls */
  busiest(): SimulatedProcess {
    const [first, ...others] = this.working;
    if (first === undefined) throw new Error('no instance works');
    return others.reduce((most, other) => (sizeOf(other) > sizeOf(most) ? other : most), first);
  }

  /** Whether it was in no state to hold calls at the moment, on the monotonic clock. */
  wasAway(process: SimulatedProcess, atMs: number): boolean {
    if (process.diedAt !== null && process.diedAt <= atMs) return true;
    const absences = this.#absences.get(process) ?? [];
    return absences.some(({ fromMs, untilMs }) => fromMs <= atMs && atMs <= untilMs + slackMs);
  }

  /** As the engine knows it: a host that vanished without a word, or stands still, has its session all the same. */
  isConnected(instance: string): boolean {
    if (this.#vanished.has(instance)) return true;
    const isAlive = this.#world.living.some((process) => process.instance === instance);
    return isAlive && (this.#sessionlessUntil.get(instance) ?? 0) <= this.#now;
  }

  kill(process: SimulatedProcess): void {
    process.kill();
    this.#replace();
  }

  vanish(process: SimulatedProcess): void {
    this.#vanished.add(process.instance);
    process.kill(60_000);
    this.#replace();
  }

  freeze(process: SimulatedProcess, forMs: number): void {
    this.#noteAbsence(process, forMs);
    process.freeze();
    this.#world.clock.setTimeout(() => process.thaw(), forMs);
  }

  cutOff(process: SimulatedProcess, forMs: number): void {
    this.#noteAbsence(process, forMs);
    this.#stall(process, forMs);
  }

  /** Every session ends with it, and is taken up again as each instance finds the way back. */
  outage(forMs: number): void {
    const { living } = this.#world;
    for (const [index, process] of living.entries()) {
      const awayMs = forMs + Math.round((lastReconnectMs * index) / Math.max(1, living.length - 1));
      this.#stall(process, awayMs);
      this.#sessionlessUntil.set(process.instance, this.#now + awayMs + sessionMs);
    }
  }

  /** One after the other; each new one is there before an old one leaves. */
  async restart(drainMs: number, onLeaving: (old: SimulatedProcess) => void): Promise<void> {
    for (const old of this.working) {
      await this.start();
      onLeaving(old);
      this.#leaving.add(old);
      old.drain(drainMs);
      for (let waitedMs = 0; old.isAlive && waitedMs < longestExitMs; waitedMs += lookEveryMs)
        await this.wait(lookEveryMs);
    }
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#world.clock.setTimeout(resolve, delayMs));
  }

  get #now(): number {
    return this.#world.clock.monotonic();
  }

  #isAway(process: SimulatedProcess): boolean {
    return this.wasAway(process, this.#now);
  }

  #noteAbsence(process: SimulatedProcess, forMs: number): void {
    const absences = this.#absences.get(process) ?? [];
    this.#absences.set(process, [...absences, { fromMs: this.#now, untilMs: this.#now + forMs }]);
  }

  #stall(process: SimulatedProcess, forMs: number): void {
    const from = this.#now;
    process.journalHandle.addFault({ trouble: 'stall', from, until: from + forMs, delayMs: 0 });
  }

  #replace(): void {
    this.#world.clock.setTimeout(() => void this.start(), replaceAfterMs);
  }
}

const sizeOf = ({ assembly }: SimulatedProcess): number => assembly.registry.size;
