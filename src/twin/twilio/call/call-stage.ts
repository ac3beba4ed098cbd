/**
 * Owns: what verbs may do, for one run of one call's documents.
 * Does not own: the call (`call.ts`), the verbs (`twiml/verbs.ts`).
 */
import type { Clock } from '../../../runtime/ports/clock.ts';
import { makeSid } from '../identifiers.ts';
import type { NoticeCode } from '../notices.ts';
import { policyOf, type StreamPolicy, type TwinDelays } from '../settings.ts';
import type { StreamEnd } from '../stream/media-stream.ts';
import type { WebhookAddress } from '../twiml/document-loader.ts';
import { type DialResult, type Stage, type StreamRequest, waitFor } from '../twiml/stage.ts';
import type { CallCore } from './call-core.ts';
import type { CallEvent } from './call-events.ts';
import type { CallPlan, DialPlan } from './call-order.ts';
import type { CallStreams } from './call-streams.ts';

/** What a stage needs of its call. */
export interface StagedCall {
  readonly streams: CallStreams;
  readonly plan: CallPlan;
  answer(): void;
  setAnnouncing(isAnnouncing: boolean): void;
  nextDial(): DialPlan;
  noteInterrupted(action: WebhookAddress, parameters: Readonly<Record<string, string>>): void;
  note(event: CallEvent): void;
  notice(code: NoticeCode, detail: string): void;
}

const defaultRingMs = 2_000;

export class CallStage implements Stage {
  readonly clock: Clock;
  readonly delays: TwinDelays;
  readonly policy: StreamPolicy;
  readonly signal: AbortSignal;
  readonly #core: CallCore;
  readonly #call: StagedCall;

  constructor(core: CallCore, call: StagedCall, signal: AbortSignal) {
    this.#core = core;
    this.#call = call;
    this.clock = core.ports.clock;
    this.delays = core.settings.delays;
    this.policy = call.plan.policy === undefined ? core.settings.policy : policyOf(call.plan.policy);
    this.signal = signal;
  }

  answer(): void {
    this.#call.answer();
  }

  wait(delayMs: number): Promise<void> {
    return waitFor(this.clock, delayMs, this.signal);
  }

  async announce(text: string, durationMs: number): Promise<void> {
    this.#call.note({ event: 'announced', at: this.clock.now(), text });
    this.#call.setAnnouncing(true);
    await this.wait(durationMs);
    this.#call.setAnnouncing(false);
  }

  stream(request: StreamRequest): Promise<StreamEnd> {
    return this.#call.streams.open(request, this.signal);
  }

  async dial(number: string, timeoutMs: number): Promise<DialResult> {
    const plan = this.#call.nextDial();
    const ringMs = plan.ringMs ?? defaultRingMs;
    await this.wait(Math.min(ringMs, timeoutMs));
    const status =
      ringMs > timeoutMs ? 'no-answer' : plan.outcome === 'answered' ? 'completed' : plan.outcome;
    const answeredAt = this.clock.monotonic();
    if (status === 'completed' && plan.outcome === 'answered') await this.wait(plan.talkMs);
    const durationSeconds = Math.round((this.clock.monotonic() - answeredAt) / 1_000);
    this.#call.note({ event: 'dialEnded', at: this.clock.now(), number, status });
    return { sid: makeSid(this.#core.ports.random, 'CA'), status, durationSeconds };
  }

  noteInterrupted(action: WebhookAddress, parameters: Readonly<Record<string, string>>): void {
    this.#call.noteInterrupted(action, parameters);
  }

  noteVerb(verb: string): void {
    this.#call.note({ event: 'verbStarted', at: this.clock.now(), verb });
  }

  notice(code: NoticeCode, detail: string): void {
    this.#call.notice(code, detail);
  }
}
