/** Owns: the health of a process on a virtual clock whose far sides answer as a test says, and its log, read back. */
import type { Json } from '../../../src/runtime/ports/journal.ts';
import { Capacity } from '../../../src/service/health/capacity.ts';
import type { DependencyName, Finding, Weight } from '../../../src/service/health/dependency.ts';
import { Health, type HealthOptions } from '../../../src/service/health/health.ts';
import type { Looks } from '../../../src/service/health/looks.ts';
import type { DependencyLook } from '../../../src/service/health/watcher.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';

/** A far side that is looked at. */
export class FarSide implements DependencyLook {
  /** When it was looked at, by the monotonic clock. */
  readonly looks: number[] = [];
  /** Null never answers. */
  next: (() => Promise<Finding>) | null = async () => ({ detail: 'all is well' });
  weight: Weight = 'counts';
  readonly #clock: VirtualClock;
  readonly #unanswered: PromiseWithResolvers<Finding>[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  look(): Promise<Finding> {
    this.looks.push(this.#clock.monotonic());
    if (this.next) return this.next();
    const answer = Promise.withResolvers<Finding>();
    this.#unanswered.push(answer);
    return answer.promise;
  }

  weigh(): Weight {
    return this.weight;
  }

  fails(error: unknown = new Error('it does not work')): void {
    this.next = async () => {
      throw error;
    };
  }

  works(): void {
    this.next = async () => ({ detail: 'all is well' });
  }

  hangs(): void {
    this.next = null;
  }

  answersAtLast(): void {
    for (const answer of this.#unanswered.splice(0)) answer.resolve({ detail: 'late' });
  }
}

type Looked = Exclude<DependencyName, 'journal'>;

export class WatchedService {
  readonly clock = new VirtualClock();
  readonly logged: string[] = [];
  readonly declined: string[] = [];
  readonly farSides: Record<Looked, FarSide>;
  readonly health: Health;
  notReady: 'starting' | 'draining' | null = null;
  stalledMs = 0;
  isFull = false;
  random = 0;

  constructor(options: Partial<HealthOptions> = {}, looks: Partial<Looks> = {}) {
    const names: readonly Looked[] = ['model', 'carrierApi', 'webhooks', 'publicAddress', 'cluster'];
    this.farSides = Object.fromEntries(names.map((name) => [name, new FarSide(this.clock)])) as Record<
      Looked,
      FarSide
    >;
    const destination = { write: (line: string) => void this.logged.push(line) };
    this.health = new Health({
      clock: this.clock,
      random: () => this.random,
      logger: createLogger({ level: 'info', instance: 'one', secrets: [], destination }),
      notReady: () => this.notReady,
      journalStalledMs: () => this.stalledMs,
      clockSkewMs: () => 0,
      capacity: new Capacity({ limit: 1, liveCalls: () => Number(this.isFull) }),
      fallback: { number: null, url: null },
      onDeclined: (cause) => this.declined.push(cause),
      ...options,
    });
    this.health.watch({ ...this.farSides, ...looks });
  }

  state(name: DependencyName): string {
    return this.dependency(name).state;
  }

  dependency(name: DependencyName) {
    const found = this.health.all().find((dependency) => dependency.name === name);
    if (!found) throw new Error(`nobody knows ${name}`);
    return found;
  }

  /** Level, message and dependency of each line about dependencies. */
  changes(): string[] {
    return this.logged
      .map((line) => JSON.parse(line) as Record<string, Json>)
      .filter((line) => 'dependency' in line)
      .map(({ level, msg, dependency }) => `${level}: ${msg}: ${dependency}`);
  }
}
