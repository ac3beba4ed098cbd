/**
 * Owns: how loud a call is while somebody watches it and it is live here.
 * Does not own: measuring (`src/media/level-meter.ts`): the bridge counts a few samples of each frame as it is, for its
 * quality figures.
 *
 * Invariants:
 * S1. While nobody watches nothing is done, and nothing at all for a frame. While nothing changes nothing is told.
 * I4. After the last one stopped no timer is left.
 */
import type { QualityFigures } from '../../media/quality.ts';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import type { SoundView, Stop } from '../../runtime/ports/operator.ts';

export const soundEveryMs = 200;

/** What the bridge's levels are taken over: `LevelMeter`. */
const windowMs = 100;

export type SoundFigures = Pick<QualityFigures, 'callerFrames' | 'callerLevel' | 'agentLevel'>;

export interface SoundWatchOptions {
  clock: Clock;
  /** Null where the call has no open line here: it is told as silent. */
  figuresOf(callId: string): SoundFigures | null;
}

type Listener = (sound: SoundView) => void;

interface Heard {
  listeners: Set<Listener>;
  timer: TimerHandle;
  frames: number;
  newest: SoundView | null;
}

/** Finer steps are not seen. */
const rounded = (level: number): number => Math.round(level * 200) / 200;

export class Sounds {
  readonly #options: SoundWatchOptions;
  readonly #heard = new Map<string, Heard>();

  constructor(options: SoundWatchOptions) {
    this.#options = options;
  }

  watch(callId: string, listener: Listener): Stop {
    const present = this.#heard.get(callId);
    const heard = present ?? {
      listeners: new Set<Listener>(),
      timer: this.#again(callId),
      frames: 0,
      newest: null,
    };
    heard.listeners.add(listener);
    this.#heard.set(callId, heard);
    if (heard.newest) listener(heard.newest);
    return () => {
      heard.listeners.delete(listener);
      if (heard.listeners.size === 0) this.#forget(callId, heard);
    };
  }

  stop(): void {
    for (const [callId, heard] of [...this.#heard]) this.#forget(callId, heard);
  }

  #forget(callId: string, heard: Heard): void {
    this.#options.clock.clearTimeout(heard.timer);
    if (this.#heard.get(callId) === heard) this.#heard.delete(callId);
  }

  #again(callId: string): TimerHandle {
    return this.#options.clock.setTimeout(() => this.#listen(callId), soundEveryMs);
  }

  #listen(callId: string): void {
    const heard = this.#heard.get(callId);
    if (!heard) return;
    heard.timer = this.#again(callId);
    const { caller, agent } = this.#levelsOf(callId, heard);
    if (heard.newest?.caller === caller && heard.newest.agent === agent) return;
    heard.newest = { at: this.#options.clock.now(), windowMs, caller, agent };
    for (const listener of [...heard.listeners]) listener(heard.newest);
  }

  /** A line that is not there, or brings nothing, is silent, whatever its last frame was. */
  #levelsOf(callId: string, heard: Heard): Pick<SoundView, 'caller' | 'agent'> {
    const figures = this.#options.figuresOf(callId);
    if (!figures) return { caller: 0, agent: 0 };
    const { callerFrames, callerLevel, agentLevel } = figures;
    const isSilent = callerFrames === heard.frames;
    heard.frames = callerFrames;
    return { caller: isSilent ? 0 : rounded(callerLevel), agent: rounded(agentLevel) };
  }
}
