/**
 * Owns: the caller of a simulated call: somebody who asks, interrupts, thinks, says it again when asked to, and hangs up
 * when nobody answers.
 * Does not own: the words (`scene.ts`), when the agent counts as speaking (`src/twin/caller/hearing.ts`).
 *
 * Invariants:
 * C1. A line is said whole; again where the agent asks for it, or where it says nothing for a while. Each time it has a
 *     sound of its own.
 * C2. A caller hangs up once the agent has said nothing for a patience after the caller's last word.
 */
import { Hearing } from '../../src/twin/caller/hearing.ts';
import type { CallerEvent, LineControls, Party } from '../../src/twin/caller/party.ts';
import { findClip } from '../../src/twin/caller/speech.ts';
import { type Clip, silenceOf, type VoiceFrame } from '../../src/twin/caller/voice.ts';
import { readSegments } from '../../src/twin/openai/segments.ts';

export interface CallerLine {
  /** From the end of the line before, or from the answer of the call. */
  thinksMs: number;
  /** The caller does not wait for the agent's end: it speaks once it has heard so much of it. */
  interruptsAfterMs: number | null;
  /** The line as it sounds the n-th time, from 0. */
  sound(time: number): Uint8Array;
}

export interface CallerTraits {
  lines: readonly CallerLine[];
  /** The agent must have been quiet for so long before the caller speaks. */
  quietMs: number;
  patienceMs: number;
  /** After the last line was answered, and the agent does not hang up. */
  staysMs: number;
  /** The reply in which the agent asks for the last line again, by its number in the sound. */
  asksAgain: number;
}

/** A caller who would interrupt an agent that then says too little speaks after so long a silence. */
const givesUpWaitingMs = 4_000;

/** A caller who hears nothing says its line again after so long, until its patience is over. */
const saysAgainMs = 12_000;

/** A piece of a frame in which at least one whole stamp lies. */
const stampedBytes = 360;

export class SimulatedCaller implements Party {
  readonly #traits: CallerTraits;
  readonly #listener: (event: CallerEvent) => void;
  readonly #hearing: Hearing;
  /** How often each line was said. */
  readonly #times: number[];
  #controls: LineControls | null = null;
  #frameMs = 20;
  #next = 0;
  #clip: Clip | null = null;
  #saidFrames = 0;
  /** The end of the last line to which the caller has had no answer, or of the one before. */
  #waitingSince = 0;
  #lastWordAt = 0;
  #isRepetition = false;
  #isAskedAgain = false;
  #isGone = false;

  /** @param listener hears what happens on the line as the caller hears it */
  constructor(traits: CallerTraits, listener: (event: CallerEvent) => void) {
    this.#traits = traits;
    this.#listener = listener;
    this.#hearing = new Hearing(listener);
    this.#times = traits.lines.map(() => 0);
  }

  join(at: number, controls: LineControls, frameMs = 20): void {
    this.#controls = controls;
    this.#frameMs = frameMs;
    this.#hearing.tune(frameMs);
    this.#waitingSince = at;
  }

  speak(at: number): VoiceFrame {
    if (this.#clip === null) this.#decide(at - this.#frameMs);
    const frame = this.#clip?.frames[this.#saidFrames];
    if (this.#clip === null || frame === undefined) return silenceOf(this.#frameMs);
    this.#saidFrames += 1;
    if (this.#saidFrames === this.#clip.frames.length) this.#finish(this.#clip, at);
    return frame;
  }

  hear(at: number, frame: Uint8Array | null): void {
    this.#hearing.hear(at, frame);
    if (frame === null || this.#isAskedAgain || this.#next === 0) return;
    const [first] = readSegments(frame.subarray(0, stampedBytes));
    this.#isAskedAgain = first?.reply === this.#traits.asksAgain;
  }

  #decide(at: number): void {
    if (this.#isGone) return;
    if (this.#isToSayAgain(at)) this.#say(this.#next - 1, at);
    else if (this.#isDue(at)) this.#say(this.#next, at);
    else this.#watchPatience(at);
  }

  #isDue(at: number): boolean {
    const line = this.#traits.lines[this.#next];
    if (line === undefined || at - this.#waitingSince < line.thinksMs) return false;
    if (line.interruptsAfterMs === null) return this.#isQuiet(at, this.#traits.quietMs);
    return this.#hearing.spokenMs >= line.interruptsAfterMs || this.#isQuiet(at, givesUpWaitingMs);
  }

  #isToSayAgain(at: number): boolean {
    if (this.#isAskedAgain) return this.#isQuiet(at, this.#traits.quietMs);
    const isUnheard = this.#next > 0 && this.#hearing.spokenMs === 0;
    return isUnheard && !this.#isImpatient(at) && at - this.#lastWordAt >= saysAgainMs;
  }

  /** The agent has said nothing since the caller's word that still waits for an answer. */
  #isImpatient(at: number): boolean {
    return this.#hearing.spokenMs === 0 && at - this.#waitingSince >= this.#traits.patienceMs;
  }

  /** The agent has said something since the caller's last word, and nothing for a while. */
  #isQuiet(at: number, quietMs: number): boolean {
    return this.#hearing.spokenMs > 0 && this.#hearing.silentForMs(at) >= quietMs;
  }

  #say(index: number, at: number): void {
    const line = this.#traits.lines[index];
    if (line === undefined) return;
    this.#next = index + 1;
    this.#isAskedAgain = false;
    const time = this.#times[index] ?? 0;
    // Whoever says it again because nobody answered has waited all along.
    this.#isRepetition = time > 0 && this.#hearing.spokenMs === 0;
    this.#times[index] = time + 1;
    this.#clip = findClip(line.sound(time), this.#frameMs);
    this.#saidFrames = 0;
    this.#listener({ event: 'callerSpoke', at, name: `line ${index}${time > 0 ? ` again (${time})` : ''}` });
  }

  #finish({ name }: Clip, at: number): void {
    this.#clip = null;
    this.#lastWordAt = at;
    if (!this.#isRepetition) this.#waitingSince = at;
    this.#hearing.forget();
    this.#listener({ event: 'callerStopped', at, name });
  }

  #watchPatience(at: number): void {
    const { staysMs, lines } = this.#traits;
    if (this.#isImpatient(at)) this.#hangUp(at, 'patience');
    else if (this.#next === lines.length && this.#isQuiet(at, staysMs)) this.#hangUp(at, 'script');
  }

  #hangUp(at: number, why: 'script' | 'patience'): void {
    this.#isGone = true;
    this.#listener({ event: 'callerHungUp', at, why });
    this.#controls?.hangUp();
  }
}
