/**
 * Owns: a caller who asks the questions of a drill one after the other, listens to the answers, says again what was
 * not heard, and remembers exactly what was said and heard when.
 * Does not own: the line, judging what was heard (`measure.ts`).
 *
 * Invariants:
 * C1. The next question comes only after the last word of the answer to the one before, and half a second of quiet.
 *     The first one comes without the last word of the greeting when nothing was heard for `unaskedMs`.
 * C2. A question is said again when the agent asks for it, or when nothing was heard for `unaskedMs`.
 * C3. A caller who gets no further for `usualPatienceMs`, or for the plan's, hangs up.
 */
import type { LineControls, Party } from '../../src/twin/caller/party.ts';
import { cutClip, frameMs, silentFrame, type VoiceFrame } from '../../src/twin/caller/voice.ts';
import {
  answersTo,
  framesPerWord,
  lastQuestion,
  renderQuestion,
  replies,
  type Utterance,
  utteranceNumber,
  wordsOf,
} from './conversation.ts';
import { type Stamp, StampReader } from './stamps.ts';

/** 20 ms of the agent's speech, and when they began to sound. */
export interface HeardFrame extends Stamp {
  at: number;
}

/** 20 ms of the caller's speech: which utterance, which frame of it, and when they began. */
export interface SaidFrame {
  at: number;
  utterance: number;
  frame: number;
}

export interface Said extends Utterance {
  why: 'turn' | 'asked' | 'unasked';
  beganAt: number;
  endedAt: number;
}

export interface CallerPlan {
  caller: number;
  /** Milliseconds after the answer at which the caller hangs up, whatever happens. */
  hangUpAfterMs?: number;
  patienceMs?: number;
}

const quietMs = 500;
const unaskedMs = 12_000;
const usualPatienceMs = 40_000;

export class DrillCaller implements Party {
  readonly heard: HeardFrame[] = [];
  readonly saidFrames: SaidFrame[] = [];
  readonly said: Said[] = [];
  /** When the call was answered. */
  joinedAt: number | null = null;
  /** Why the caller hung up; null where somebody else ended the call. */
  hungUp: 'plan' | 'patience' | null = null;
  readonly #plan: CallerPlan;
  readonly #stamps = new StampReader();
  #controls: LineControls | null = null;
  /** The question that waits for its answer; 0 while the greeting is awaited. */
  #question = 0;
  #answered = false;
  #isAskedAgain = false;
  #frames: readonly VoiceFrame[] = [];
  #spoken = 0;
  #lastSoundAt = 0;
  #progressAt = 0;

  constructor(plan: CallerPlan) {
    this.#plan = plan;
  }

  /** The last answer was heard to its end. */
  get isDone(): boolean {
    return this.#question === lastQuestion && this.#answered;
  }

  join(at: number, controls: LineControls): void {
    this.joinedAt = at;
    this.#controls = controls;
    this.#lastSoundAt = at;
    this.#progressAt = at;
  }

  speak(endsAt: number): VoiceFrame {
    const at = endsAt - frameMs;
    if (this.#spoken === this.#frames.length) this.#decide(at);
    const frame = this.#frames[this.#spoken];
    if (frame === undefined || this.hungUp !== null) return silentFrame;
    const utterance = this.said.at(-1);
    if (utterance) {
      this.saidFrames.push({ at, utterance: utteranceNumber(utterance), frame: this.#spoken });
      utterance.endedAt = endsAt;
    }
    this.#spoken += 1;
    this.#lastSoundAt = endsAt;
    return frame;
  }

  hear(at: number, frame: Uint8Array | null): void {
    for (const stamp of this.#stamps.read(frame)) {
      this.heard.push({ at, ...stamp });
      this.#lastSoundAt = at + frameMs;
      if (stamp.segment === wordsOf(stamp.reply) - 1 && stamp.frame === framesPerWord - 1) {
        this.#noteEndOf(stamp.reply);
      }
    }
  }

  #noteEndOf(reply: number): void {
    if (reply === replies.repeat) this.#isAskedAgain = true;
    if (this.#question === 0 ? reply === replies.greeting : answersTo(this.#question).includes(reply)) {
      this.#answered = true;
      this.#progressAt = this.#lastSoundAt;
    }
  }

  #decide(at: number): void {
    const { hangUpAfterMs = Number.POSITIVE_INFINITY, patienceMs = usualPatienceMs } = this.#plan;
    const quiet = at - this.#lastSoundAt;
    if (at - (this.joinedAt ?? at) >= hangUpAfterMs) this.#hangUp('plan');
    else if (at - this.#progressAt >= patienceMs) this.#hangUp('patience');
    else if (quiet < quietMs) return;
    else if (this.#answered) this.#askNext(at);
    else if (this.#isAskedAgain && this.#question > 0) this.#ask('asked', at);
    else if (quiet >= unaskedMs) this.#goOnUnasked(at);
  }

  #askNext(at: number): void {
    if (this.#question === lastQuestion) return;
    this.#question += 1;
    this.#answered = false;
    this.#progressAt = at;
    this.#ask('turn', at);
  }

  /** Nobody waits for ever for the end of a greeting. */
  #goOnUnasked(at: number): void {
    if (this.#question === 0) this.#askNext(at);
    else this.#ask('unasked', at);
  }

  #ask(why: Said['why'], at: number): void {
    const question = this.#question;
    const repetition = this.said.filter((said) => said.question === question).length;
    this.#isAskedAgain = false;
    this.said.push({ question, repetition, why, beganAt: at, endedAt: at });
    this.#frames = cutClip('question', renderQuestion(this.#plan.caller, { question, repetition })).frames;
    this.#spoken = 0;
  }

  #hangUp(why: 'plan' | 'patience'): void {
    if (this.hungUp !== null) return;
    this.hungUp = why;
    this.#controls?.hangUp();
  }
}
