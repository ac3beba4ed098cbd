/**
 * Owns: a caller who follows a script: speaks, interrupts, presses keys, hangs up, loses patience.
 * Does not own: the line and its clock, when the agent counts as speaking (`hearing.ts`).
 *
 * Invariants:
 * C1. Steps happen in order, each once; between them the caller sends silence.
 * C2. A caller who waits for a cue longer than its patience hangs up.
 */
import { Hearing } from './hearing.ts';
import type { CallerEvent, LineControls, Party } from './party.ts';
import { type CallerManners, type CallerScript, type CallerStep, type Cue, cueOf } from './script.ts';
import { findClip } from './speech.ts';
import { type Clip, frameMs as ordinaryFrameMs, silenceOf, type VoiceFrame } from './voice.ts';

const defaultManners: Required<CallerManners> = { quietMs: 700, patienceMs: 60_000 };

export class ScriptedCaller implements Party {
  readonly #steps: CallerStep[];
  readonly #manners: Required<CallerManners>;
  readonly #listener: (event: CallerEvent) => void;
  readonly #hearing: Hearing;
  #controls: LineControls | null = null;
  #frameMs = ordinaryFrameMs;
  #silence = silenceOf(ordinaryFrameMs);
  #clip: Clip | null = null;
  #saidFrames = 0;
  /** When the step before was done. */
  #waitingSince = 0;

  /** @param listener hears what happens on the line as the caller hears it */
  constructor(script: CallerScript, listener: (event: CallerEvent) => void, manners: CallerManners = {}) {
    this.#steps = [...script];
    this.#manners = { ...defaultManners, ...manners };
    this.#listener = listener;
    this.#hearing = new Hearing(listener);
  }

  join(at: number, controls: LineControls, frameMs = ordinaryFrameMs): void {
    this.#waitingSince = at;
    this.#controls = controls;
    this.#frameMs = frameMs;
    this.#silence = silenceOf(frameMs);
    this.#hearing.tune(frameMs);
  }

  speak(at: number): VoiceFrame {
    if (this.#clip === null) this.#takeSteps(at - this.#frameMs);
    const clip = this.#clip;
    const frame = clip?.frames[this.#saidFrames];
    if (clip === null || frame === undefined) return this.#silence;
    this.#saidFrames += 1;
    if (this.#saidFrames === clip.frames.length) this.#finishClip(clip, at);
    return frame;
  }

  hear(at: number, frame: Uint8Array | null): void {
    this.#hearing.hear(at, frame);
  }

  /** Takes every step whose cue has come, up to one that takes time. */
  #takeSteps(at: number): void {
    for (let step = this.#steps[0]; step !== undefined && this.#clip === null; step = this.#steps[0]) {
      const cue = cueOf(step);
      if (!this.#hasCome(cue, at)) {
        this.#watchPatience(cue, at);
        return;
      }
      this.#steps.shift();
      this.#waitingSince = at;
      this.#take(step, at);
    }
  }

  #hasCome(cue: Cue, at: number): boolean {
    if (cue === 'agentSilent') {
      return this.#hearing.spokenMs > 0 && this.#hearing.silentForMs(at) >= this.#manners.quietMs;
    }
    return 'delayMs' in cue
      ? at - this.#waitingSince >= cue.delayMs
      : this.#hearing.spokenMs >= cue.agentSpokeMs;
  }

  #watchPatience(cue: Cue, at: number): void {
    const isForAgent = cue === 'agentSilent' || 'agentSpokeMs' in cue;
    if (isForAgent && at - this.#waitingSince >= this.#manners.patienceMs) this.#hangUp(at, 'patience');
  }

  #take(step: CallerStep, at: number): void {
    if ('say' in step) this.#beginClip(findClip(step.say, this.#frameMs), at);
    else if ('press' in step) this.#press(step.press, at);
    else if ('hangUp' in step) this.#hangUp(at, 'script');
  }

  #beginClip(clip: Clip, at: number): void {
    if (clip.frames.length === 0) return;
    this.#clip = clip;
    this.#saidFrames = 0;
    this.#listener({ event: 'callerSpoke', at, name: clip.name });
  }

  #finishClip(clip: Clip, at: number): void {
    this.#clip = null;
    this.#waitingSince = at;
    this.#hearing.forget();
    this.#listener({ event: 'callerStopped', at, name: clip.name });
  }

  #press(digits: string, at: number): void {
    this.#listener({ event: 'callerPressed', at, digits });
    for (const digit of digits) this.#controls?.press(digit);
  }

  #hangUp(at: number, why: 'script' | 'patience'): void {
    this.#steps.length = 0;
    this.#listener({ event: 'callerHungUp', at, why });
    this.#controls?.hangUp();
  }
}
