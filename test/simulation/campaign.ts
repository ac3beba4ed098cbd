/**
 * Owns: telling one story after the other, and counting how their calls came out.
 * Does not own: when it is enough, what is printed (`scripts/simulate.ts`).
 */
import type { Level } from './level.ts';
import { drawStory, type Mix } from './mix.ts';
import { allViolations, judge, type Verdict } from './verdict.ts';

/** Seeds that are named in the last line; more of them only count. */
const mostNamedSeeds = 20;

export interface CampaignOptions {
  mix: Mix;
  level: Level;
  /** Of the first story; each next one has the next. */
  seed: number;
  /** Asked after each story. */
  isEnough(campaign: Campaign): boolean;
  onFailed(verdict: Verdict, violations: readonly string[]): void;
}

export class Campaign {
  calls = 0;
  /** Calls that were brought to their end in conversation, ended for a true reason, or violated an invariant. */
  completed = 0;
  ended = 0;
  failed = 0;
  readonly failedSeeds: number[] = [];
  /** Of the story that is being told; null before and after. */
  seedAtHand: number | null = null;
  readonly #options: CampaignOptions;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { mix, level, seed, isEnough } = this.#options;
    for (let next = seed; !isEnough(this); next++) {
      this.seedAtHand = next;
      this.#count(await judge(drawStory(mix, next), level));
    }
    this.seedAtHand = null;
  }

  /** As the last line of every run. */
  get summary(): string {
    const seeds = this.failedSeeds.slice(0, mostNamedSeeds).join(', ');
    const more = this.failedSeeds.length > mostNamedSeeds ? ', ...' : '';
    const failed = this.failed === 0 ? 'none failed' : `${this.failed} failed (seeds: ${seeds}${more})`;
    return `${this.calls} simulated calls, ${this.completed} completed in conversation, ${this.ended} ended for a true reason, ${failed}`;
  }

  /** What does not hold of the world fails one call at least; a story that never ended fails all of its own. */
  #count(verdict: Verdict): void {
    const { story, calls } = verdict;
    const good = calls.filter(({ violations }) => violations.length === 0);
    const violations = allViolations(verdict);
    const own = story.calls - good.length;
    const failed = violations.length > 0 ? Math.max(1, own) : 0;
    const spared = failed - own > 0 ? good.slice(1) : good;
    this.calls += story.calls;
    this.failed += failed;
    for (const { end } of spared) {
      if (end?.isConversation) this.completed += 1;
      else this.ended += 1;
    }
    if (failed === 0) return;
    this.failedSeeds.push(story.seed);
    this.#options.onFailed(verdict, violations);
  }
}
