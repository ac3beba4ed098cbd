/**
 * Owns: what is known of one thing that the service depends on, as a fold of what every look at it found.
 * Does not own: when it is looked at (`watcher.ts`), how (`looks.ts`), what follows from its state (`health.ts`).
 *
 * Invariants:
 * H1. One failed look is no proof: the state is `down` only after `failuresUntilDown` in a row. A certain one is.
 * H2. Of an error its code is kept, and its sentence where one of ours wrote it: others may name secrets.
 */
import { HoldfastError } from '../../runtime/ports/errors.ts';

export const dependencyNames = [
  'journal',
  'model',
  'carrierApi',
  'webhooks',
  'publicAddress',
  'cluster',
] as const;
export type DependencyName = (typeof dependencyNames)[number];

/**
 * - `unknown`: nobody has looked, or no look could tell.
 * - `degraded`: it answers and not all is well, or a look failed and that may have been chance.
 */
export type DependencyState = 'unknown' | 'up' | 'degraded' | 'down';

/** What a look that had an answer found. */
export interface Finding {
  /** For a person. No secrets, no numbers of callers. */
  detail: string;
  /** It answers, and still not all is well. */
  isDegraded?: boolean;
}

/** - `certain`: no second look is needed. - `inconclusive`: it could not be looked at, which says nothing of it. */
export type Weight = 'counts' | 'certain' | 'inconclusive';

/** When a look ended, and how long it took. */
export interface LookTime {
  /** Milliseconds since the Unix epoch. */
  at: number;
  tookMs: number;
}

/** A look that was answered, and found something wrong. */
export class LookFailed extends Error {
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

export interface LookError {
  code: string;
  sentence: string;
  /** Milliseconds since the Unix epoch. */
  at: number;
}

export interface DependencyOptions {
  name: DependencyName;
  failuresUntilDown: number;
  now: number;
  /** The state is another one now. */
  onChange(dependency: Dependency, before: DependencyState): void;
}

export class Dependency {
  readonly name: DependencyName;
  readonly #options: DependencyOptions;
  #state: DependencyState = 'unknown';
  #since: number;
  #detail = 'no look has found it so far';
  #failures = 0;
  lastError: LookError | null = null;
  /** Of the last look that ended, milliseconds. */
  latencyMs: number | null = null;
  /** Milliseconds since the Unix epoch. */
  lookedAt: number | null = null;

  constructor(options: DependencyOptions) {
    this.name = options.name;
    this.#options = options;
    this.#since = options.now;
  }

  get state(): DependencyState {
    return this.#state;
  }

  /** When it came into its state, milliseconds since the Unix epoch. */
  get since(): number {
    return this.#since;
  }

  /** What the last look that was answered found. */
  get detail(): string {
    return this.#detail;
  }

  /** Looks in a row that failed. */
  get failures(): number {
    return this.#failures;
  }

  get isUp(): boolean {
    return this.#state === 'up' || this.#state === 'degraded';
  }

  succeed({ detail, isDegraded = false }: Finding, time: LookTime): void {
    this.#failures = 0;
    this.#detail = detail;
    this.#note(isDegraded ? 'degraded' : 'up', time);
  }

  fail(error: unknown, weight: Weight, time: LookTime): void {
    this.lastError = { ...errorOf(error), at: time.at };
    if (weight !== 'inconclusive') this.#failures += 1;
    this.#note(this.#stateAfter(weight), time);
  }

  /** Nobody looks at it, for this reason. */
  leaveAlone(reason: string): void {
    this.#detail = reason;
  }

  #stateAfter(weight: Weight): DependencyState {
    const isDown = weight === 'certain' || this.#failures >= this.#options.failuresUntilDown;
    if (weight !== 'inconclusive' && isDown) return 'down';
    return this.#state === 'up' ? 'degraded' : this.#state;
  }

  #note(state: DependencyState, { at, tookMs }: LookTime): void {
    this.lookedAt = at;
    this.latencyMs = tookMs;
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    this.#since = at;
    this.#options.onChange(this, before);
  }
}

function errorOf(error: unknown): { code: string; sentence: string } {
  if (error instanceof HoldfastError || error instanceof LookFailed)
    return { code: error.code, sentence: error.message };
  const code = codeOf(error);
  return { code, sentence: `it failed: ${code}` };
}

/** The system's code where there is one, as ECONNREFUSED, else the error's kind. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const inner = error.cause instanceof Error ? error.cause : error;
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.name;
}
