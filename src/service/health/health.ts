/**
 * Owns: the health of a running process: its dependencies watched in the background, whether it is healthy, ready, and
 * takes new calls.
 * Does not own: the phases of its start and its end (`src/machines/service.ts`), how the report is served.
 *
 * Invariants:
 * H6. Ready says nothing of dependencies (`admission.ts`).
 * H7. A dependency that goes down or comes back is logged once.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Journal } from '../../runtime/ports/journal.ts';
import type { Model } from '../../runtime/ports/model.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { stallMs } from '../stall.ts';
import { type DeclineCause, Door } from './admission.ts';
import { type Budgets, noBudgets } from './budgets.ts';
import { type Capacity, unlimited } from './capacity.ts';
import {
  Dependency,
  type DependencyName,
  type DependencyState,
  dependencyNames,
  LookFailed,
} from './dependency.ts';
import type { Looks } from './looks.ts';
import { measureBeats } from './measured-beats.ts';
import { firstLookWithinMs, paces, watched } from './paces.ts';
import { watchSessions } from './watched-model.ts';
import { Watcher } from './watcher.ts';

export interface HealthOptions {
  clock: Clock;
  /** 0 (included) to 1 (excluded). */
  random: () => number;
  logger: Logger;
  /** Why the process itself takes no new calls; null while it runs. */
  notReady(): 'starting' | 'draining' | null;
  /** How long the oldest entry of any call here has waited for the journal, milliseconds. */
  journalStalledMs(): number;
  /** How far this host's clock is from the journal's, milliseconds. */
  clockSkewMs(): number;
  /** Without a limit unless told. */
  capacity?: Capacity;
  /** None unless told. */
  budgets?: Budgets;
  fallback: { number: string | null; url: string | null };
  /** See `DoorOptions`. Never unless told. */
  mayHaveCompany?(): boolean;
  onDeclined(cause: DeclineCause): void;
  /** The balancer was asked to try another process with a new call. */
  onPassedOn?(cause: DeclineCause): void;
}

/** For gauges. */
export interface DependencySample {
  name: DependencyName;
  isUp: boolean;
  /** Of the last look; null before the first. */
  latencyMs: number | null;
}

type Watched = Exclude<DependencyName, 'journal'>;

export class Health {
  readonly #options: HealthOptions;
  readonly #dependencies: Record<DependencyName, Dependency>;
  readonly #watchers = new Map<Watched, Watcher>();
  readonly admission: Door;
  readonly capacity: Capacity;
  readonly budgets: Budgets;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.capacity = options.capacity ?? unlimited;
    this.budgets = options.budgets ?? noBudgets(options.clock);
    this.#dependencies = Object.fromEntries(
      dependencyNames.map((name) => [name, this.#createDependency(name)]),
    ) as Record<DependencyName, Dependency>;
    const { clock, fallback } = options;
    this.admission = new Door({
      clock,
      refusal: () => this.refusal,
      fallbackNumber: fallback.number,
      hasFallbackUrl: fallback.url !== null,
      mayHaveCompany: () => options.mayHaveCompany?.() ?? false,
      onDeclined: (callId, cause, error) => this.#noteDeclined(callId, cause, error),
      onPassedOn: (_, cause) => options.onPassedOn?.(cause),
    });
  }

  /** The same journal; what its beats show of it is noted. */
  watchJournal(journal: Journal): Journal {
    const { journal: dependency } = this.#dependencies;
    const { clock } = this.#options;
    return measureBeats(journal, clock, {
      answered: (tookMs) => {
        const stalledMs = this.journalStalledMs;
        const isDegraded = stalledMs >= stallMs;
        const detail = isDegraded
          ? `it takes our beat, and an entry has waited for ${Math.round(stalledMs)} ms`
          : 'it takes our beat';
        dependency.succeed({ detail, isDegraded }, { at: clock.now(), tookMs });
      },
      refused: (error, tookMs) => dependency.fail(error, 'counts', { at: clock.now(), tookMs }),
      stalled: () => {
        const error = new LookFailed('journal.stalled', `it has not taken our beat for ${stallMs} ms`);
        dependency.fail(error, 'certain', { at: clock.now(), tookMs: stallMs });
      },
    });
  }

  /** The same model; what calls' sessions show of it is noted. */
  watchModel(model: Model): Model {
    return watchSessions(model, this.#options.clock, {
      opened: (tookMs) => {
        const detail = `a call’s session was open in ${Math.round(tookMs)} ms`;
        this.#watchers.get('model')?.noteUp({ detail }, tookMs);
      },
      notOpened: () => this.#watchers.get('model')?.hasten(),
    });
  }

  /** Says how to look. Nothing is looked at before it is asked for, or `start`. */
  watch(looks: Looks): void {
    const { clock, random } = this.#options;
    for (const name of Object.keys(paces) as Watched[]) {
      const { [name]: far } = looks;
      const { [name]: dependency } = this.#dependencies;
      if ('nothing' in far) dependency.leaveAlone(far.nothing);
      else this.#watchers.set(name, new Watcher({ dependency, pace: paces[name], far, clock, random }));
    }
  }

  /** Begins to look in the background. */
  start(): void {
    this.budgets.start();
    for (const watcher of this.#watchers.values()) watcher.start(firstLookWithinMs);
  }

  stop(): void {
    this.budgets.stop();
    for (const watcher of this.#watchers.values()) watcher.stop();
  }

  /** Looks now. @returns what was found, or why nothing is looked at @throws as the look does */
  async look(name: Watched): Promise<string> {
    const found = await this.#watchers.get(name)?.look();
    return found?.detail ?? this.#dependencies[name].detail;
  }

  get isReady(): boolean {
    return this.#options.notReady() === null;
  }

  /** Why no new call is taken; null where it is. */
  get refusal(): DeclineCause | null {
    const { journal, model } = this.#dependencies;
    if (!this.isReady) return this.#options.notReady();
    if (journal.state === 'down' || this.journalStalledMs >= stallMs) return 'journal';
    if (model.state === 'down') return 'model';
    if (this.capacity.isFull) return 'full';
    return this.budgets.takesCalls ? null : 'overloaded';
  }

  get journalStalledMs(): number {
    return this.#options.journalStalledMs();
  }

  get clockSkewMs(): number {
    return this.#options.clockSkewMs();
  }

  get isAdmitting(): boolean {
    return this.refusal === null;
  }

  /** Those that were looked at. */
  *dependencies(): Iterable<DependencySample> {
    for (const { name, isUp, state, latencyMs } of this.all()) {
      if (state !== 'unknown') yield { name, isUp, latencyMs };
    }
  }

  all(): readonly Dependency[] {
    return dependencyNames.map((name) => this.#dependencies[name]);
  }

  /** Whether somebody looks at it. */
  isWatched(name: DependencyName): boolean {
    return name === 'journal' || this.#watchers.has(name);
  }

  /** Why the process is not healthy, a sentence for each reason. */
  complaints(): string[] {
    const stalledMs = this.journalStalledMs;
    const stall = `An entry has waited ${Math.round(stalledMs)} ms for the journal.`;
    const wrong = this.all().filter((dependency) => this.#isAmiss(dependency));
    return [...(stalledMs >= stallMs ? [stall] : []), ...wrong.map(complaintOf)];
  }

  #isAmiss({ name, state, isUp }: Dependency): boolean {
    const { asks } = watched[name];
    if (!this.isWatched(name) || asks === 'nothing') return false;
    return asks === 'up' ? !isUp : state === 'down';
  }

  #createDependency(name: DependencyName): Dependency {
    return new Dependency({
      name,
      failuresUntilDown: watched[name].failuresUntilDown,
      now: this.#options.clock.now(),
      onChange: (dependency, before) => this.#logChange(dependency, before),
    });
  }

  /** H7. */
  #logChange({ name, state, lastError, detail }: Dependency, before: DependencyState): void {
    const { logger } = this.#options;
    const fields = { category: 'service', dependency: name };
    if (state === 'down') {
      const { code, sentence } = lastError ?? {};
      logger.warn({ ...fields, code, detail: sentence }, 'a dependency is down');
    } else if (before === 'down') logger.info({ ...fields, detail }, 'a dependency is up again');
  }

  #noteDeclined(callId: string, cause: DeclineCause, error: unknown): void {
    const { logger, onDeclined } = this.#options;
    onDeclined(cause);
    const level = error === null ? 'info' : 'warn';
    logger[level](
      { category: 'call', callId, cause, ...(error === null ? {} : { err: error }) },
      'a new call was declined',
    );
  }
}

function complaintOf({ name, state, lastError }: Dependency): string {
  const why = lastError === null ? '' : `: ${lastError.sentence}`;
  return `${name} is ${state}${why}.`;
}
