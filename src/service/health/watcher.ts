/**
 * Owns: when one dependency is looked at, and that a look ends.
 * Does not own: what a look does (`looks.ts`), what is made of its outcome (`dependency.ts`).
 *
 * Invariants:
 * H3. One look at a time: whoever asks during one shares it, and none begins while an older one hangs.
 * H4. A look has an outcome within `limitMs`, whatever the far side does.
 * H5. After `stop` nothing begins, nothing is noted, and no timer is left: a look that hangs holds up nobody.
 */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { type Dependency, type Finding, LookFailed, type Weight } from './dependency.ts';
import { type Pace, spread } from './paces.ts';

export interface DependencyLook {
  /** @throws whatever is wrong with the dependency */
  look(signal: AbortSignal): Promise<Finding>;
  /** What a failed look says of the dependency. */
  weigh(error: unknown): Weight;
}

export interface WatcherOptions {
  dependency: Dependency;
  pace: Pace;
  far: DependencyLook;
  clock: Clock;
  /** 0 (included) to 1 (excluded). */
  random: () => number;
}

export class Watcher {
  readonly #options: WatcherOptions;
  /** Of the look that somebody waits for. */
  #outcome: Promise<Finding> | null = null;
  /** The far side has not answered the last look, though it may have had its outcome. */
  #isUnanswered = false;
  readonly #stopping = new AbortController();
  #timer: TimerHandle;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** When the next look begins. */
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** The first look comes within `withinMs`, where none has come before. */
  start(withinMs: number): void {
    if (this.#dueMs === Number.POSITIVE_INFINITY) this.#arm(withinMs * this.#options.random());
  }

  /** Looks now. @throws as the look does; LookFailed `look.late` */
  look(): Promise<Finding> {
    this.#outcome ??= this.#lookOnce().finally(() => {
      this.#outcome = null;
    });
    return this.#outcome;
  }

  /** What was seen elsewhere counts as a look. */
  noteUp(finding: Finding, tookMs: number): void {
    if (this.#isStopped) return;
    this.#options.dependency.succeed(finding, { at: this.#options.clock.now(), tookMs });
    this.#rest();
  }

  /** Something was seen elsewhere that a look should explain: it comes now, or `leastMs` after the last one. */
  hasten(): void {
    const { clock, pace } = this.#options;
    const nowMs = clock.monotonic();
    const dueMs = Math.max(nowMs, this.#lookedMs + pace.leastMs);
    if (dueMs < this.#dueMs) this.#arm(dueMs - nowMs);
  }

  stop(): void {
    this.#stopping.abort();
    this.#options.clock.clearTimeout(this.#timer);
  }

  async #lookOnce(): Promise<Finding> {
    const { clock, dependency, far } = this.#options;
    const startedMs = clock.monotonic();
    this.#lookedMs = startedMs;
    const time = () => ({ at: clock.now(), tookMs: clock.monotonic() - startedMs });
    try {
      const finding = await this.#askInTime();
      dependency.succeed(finding, time());
      return finding;
    } catch (error) {
      if (!this.#isStopped) dependency.fail(error, far.weigh(error), time());
      throw error;
    } finally {
      this.#rest();
    }
  }

  /** H4. */
  async #askInTime(): Promise<Finding> {
    const { clock, pace } = this.#options;
    if (this.#isStopped) throw stopped();
    if (this.#isUnanswered) throw new LookFailed('look.late', 'an earlier look has still not been answered');
    const limit = Promise.withResolvers<never>();
    const timer = clock.setTimeout(() => limit.reject(late(pace.limitMs)), pace.limitMs);
    const stop = () => limit.reject(stopped());
    const { signal } = this.#stopping;
    signal.addEventListener('abort', stop);
    try {
      return await Promise.race([this.#ask(), limit.promise]);
    } finally {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  async #ask(): Promise<Finding> {
    this.#isUnanswered = true;
    try {
      return await this.#options.far.look(this.#stopping.signal);
    } finally {
      this.#isUnanswered = false;
    }
  }

  /** Until the next look is due. */
  #rest(): void {
    const { dependency, pace, random } = this.#options;
    this.#arm(spread(dependency.failures === 0 ? pace.everyMs : pace.retryMs, random));
  }

  #arm(delayMs: number): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    if (this.#isStopped) return;
    this.#dueMs = clock.monotonic() + delayMs;
    this.#timer = clock.setTimeout(() => void this.look().catch(() => undefined), delayMs);
  }
}

const stopped = (): LookFailed => new LookFailed('look.stopped', 'the service stops');
const late = (limitMs: number): LookFailed =>
  new LookFailed('look.late', `nothing came within ${limitMs} ms`);
