/**
 * Owns: what this process adds to a piece of audio between its arrival and its sending, each way: how long it waits for
 * the event loop, and how long it takes in the bridge. Of samples of the pieces.
 * Does not own: choosing the samples (`src/service/frame-sampler.ts`), a frame that is held on purpose for the next one.
 *
 * The kernel does not tell when a piece came. It has waited as long as the timer that was due in the same turn.
 */
import { DelayWindow } from './delay-window.ts';

export type AudioDirection = 'caller' | 'agent';

/** Fewer pieces make no percentile: the calls of a process that has few are watched by the event loop's. */
const fewest = 100;

/** Five frames: more than a caller's side makes up for. */
const lateMs = 100;
const lateShare = 0.05;

export class AudioDelays {
  readonly #waitMs: () => number;
  readonly #windows = { caller: new DelayWindow(fewest), agent: new DelayWindow(fewest) };
  #p99Ms: number | null = null;
  #areLate = false;

  /** @param waitMs how long a piece that is taken now has waited for the event loop */
  constructor(waitMs: () => number) {
    this.#waitMs = waitMs;
  }

  /** 99th percentile of the worse direction; null where too few pieces came. */
  get p99Ms(): number | null {
    return this.#p99Ms;
  }

  /** One piece in twenty comes too late to be made up for. */
  get areLate(): boolean {
    return this.#areLate;
  }

  /** @param ms in the bridge */
  note(direction: AudioDirection, ms: number): void {
    this.#windows[direction].note(this.#waitMs() + ms);
  }

  /** A second is over. */
  roll(): void {
    this.#windows.caller.roll();
    this.#windows.agent.roll();
    this.#p99Ms = this.#worse(0.99);
    this.#areLate = (this.#worse(1 - lateShare) ?? 0) > lateMs;
  }

  #worse(share: number): number | null {
    const { caller, agent } = this.#windows;
    const told = [caller.percentile(share), agent.percentile(share)].filter((ms) => ms !== null);
    return told.length === 0 ? null : Math.max(...told);
  }
}
