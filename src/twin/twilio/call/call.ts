/**
 * Owns: one call from its first ring to its end: status, line, the run of its TwiML, updates, what is known afterwards.
 * Does not own: verbs (`twiml/`), streams (`call-streams.ts`), how outgoing calls come about (`outgoing.ts`).
 *
 * Invariants:
 * Z1. A call ends once, with one reason, and has let go of its timers then; sockets may close a little later.
 * Z2. At most one run of TwiML is under way; an update or the end interrupts it.
 *
 * Source: Twilio, Call resource.
 */

import { bytesPerMs } from '../../../media/mulaw.ts';
import type { TimerHandle } from '../../../runtime/ports/clock.ts';
import type { Party } from '../../caller/party.ts';
import { ScriptedCaller } from '../../caller/scripted-caller.ts';
import type { CallFaults } from '../faults.ts';
import type { NoticeCode } from '../notices.ts';
import {
  DocumentLoader,
  type LoaderDesk,
  type NextDocument,
  type WebhookAddress,
} from '../twiml/document-loader.ts';
import { runTwiml } from '../twiml/run.ts';
import { waitFor } from '../twiml/stage.ts';
import { Postman } from '../webhooks/postman.ts';
import { StatusCallbacks, type StatusSubscription } from '../webhooks/status-callbacks.ts';
import type { AudioStretch } from './audio-track.ts';
import { CallAccount } from './call-account.ts';
import type { CallCore } from './call-core.ts';
import type { CallEndReason, CallEvent, CallListener, CallStatus } from './call-events.ts';
import type { CallEnding, CallHandle } from './call-handle.ts';
import type { CallPlan, DialPlan } from './call-order.ts';
import { type CallRecord, isTerminal, standardParameters } from './call-record.ts';
import { CallStage, type StagedCall } from './call-stage.ts';
import { CallStreams, type StreamedCall } from './call-streams.ts';
import { type LineStream, PhoneLine } from './phone-line.ts';
import { makeStereoWav } from './wav.ts';

export interface CallSetup {
  record: CallRecord;
  plan: CallPlan;
  fallback: WebhookAddress | null;
  subscription: StatusSubscription | null;
  timeLimitMs: number;
}

const defaultDial: DialPlan = { outcome: 'answered', talkMs: 10_000 };

export class TwinCall implements CallHandle, StagedCall, StreamedCall {
  readonly record: CallRecord;
  readonly plan: CallPlan;
  readonly faults: CallFaults;
  readonly streams: CallStreams;
  readonly postman: Postman;
  readonly #core: CallCore;
  readonly #account: CallAccount;
  readonly #callbacks: StatusCallbacks;
  readonly #loader: DocumentLoader;
  readonly #party: Party;
  readonly #timeLimitMs: number;
  readonly #dials: DialPlan[];
  readonly #ending = Promise.withResolvers<CallEnding>();
  #fallback: WebhookAddress | null;
  #line: PhoneLine | null = null;
  #interruption = new AbortController();
  #update: NextDocument | null = null;
  #limitTimer: TimerHandle;

  constructor(core: CallCore, { record, plan, fallback, subscription, timeLimitMs }: CallSetup) {
    const { ports, settings, webhooks } = core;
    this.#core = core;
    this.record = record;
    this.plan = plan;
    this.faults = plan.faults ?? {};
    this.#fallback = fallback;
    this.#timeLimitMs = timeLimitMs;
    this.#dials = [...(plan.dials ?? [])];
    this.#party = this.#makeParty();
    this.#account = new CallAccount(() => ports.clock.now());
    this.postman = new Postman(ports.clock, webhooks, this.faults.callbacks ?? {}, this.#account);
    this.#callbacks = new StatusCallbacks(this.postman, subscription);
    this.#loader = new DocumentLoader(webhooks, this.#makeLoaderDesk(), this.faults.duplicateWebhooks);
    this.streams = new CallStreams(ports, settings, this);
  }

  get sid(): string {
    return this.record.sid;
  }

  get status(): CallStatus {
    return this.record.status;
  }

  get hasEnded(): boolean {
    return isTerminal(this.record.status);
  }

  get ended(): Promise<CallEnding> {
    return this.#ending.promise;
  }

  get events(): CallHandle['events'] {
    return this.#account.events;
  }

  get webhooks(): CallHandle['webhooks'] {
    return this.#account.webhooks;
  }

  get notices(): CallHandle['notices'] {
    return this.#account.notices;
  }

  onEvent(listener: CallListener): () => void {
    return this.#account.listen(listener);
  }

  heard(): AudioStretch[] {
    return this.#line?.heard.stretches() ?? [];
  }

  said(): AudioStretch[] {
    return this.#line?.said.stretches() ?? [];
  }

  recording(): Buffer {
    const line = this.#line;
    if (line === null) return makeStereoWav(Buffer.alloc(0), Buffer.alloc(0));
    const { startedAt, durationMs } = line;
    return makeStereoWav(line.said.render(startedAt, durationMs), line.heard.render(startedAt, durationMs));
  }

  /** Runs TwiML from here on until the call ends. */
  start(first: NextDocument): void {
    void this.#run(first);
  }

  /** Goes on with other TwiML. The call must be in progress. */
  update(next: NextDocument, fallback: WebhookAddress | null): void {
    this.#update = next;
    if (fallback !== null) this.#fallback = fallback;
    this.#interruption.abort();
  }

  answer(): void {
    if (this.record.answeredAt !== null || this.hasEnded) return;
    const { clock } = this.#core.ports;
    this.record.answeredAt = clock.now();
    this.#limitTimer = clock.setTimeout(() => this.end('timeLimit'), this.#timeLimitMs);
    this.#line = new PhoneLine(
      clock,
      this.#core.ticker,
      this.#party,
      { press: (digit) => this.press(digit), hangUp: () => this.hangUp() },
      this.#core.settings.recordingLimitMs * bytesPerMs,
      this.#core.settings.frameMs,
    );
    if (this.record.status !== 'in-progress') this.setStatus('in-progress');
  }

  press(digit: string): void {
    this.streams.sendDigit(digit);
  }

  hangUp(): void {
    this.end('callerHungUp', this.record.answeredAt === null ? 'no-answer' : 'completed');
  }

  end(reason: CallEndReason, status: CallStatus = 'completed'): void {
    if (this.hasEnded) return;
    const { clock } = this.#core.ports;
    this.#line?.close();
    clock.clearTimeout(this.#limitTimer);
    this.record.endedAt = clock.now();
    this.record.status = status;
    this.#interruption.abort();
    this.setStatus(status);
    this.note({ event: 'callEnded', at: clock.now(), reason, status });
    this.#ending.resolve({ reason, status });
  }

  setStatus(status: CallStatus): void {
    const at = this.#core.ports.clock.now();
    this.record.status = status;
    this.record.updatedAt = at;
    this.note({ event: 'statusChanged', at, status });
    this.#callbacks.report(this.record, at);
  }

  /** Resolves after the delay, or as soon as the call ends or is updated. */
  wait(delayMs: number): Promise<void> {
    return waitFor(this.#core.ports.clock, delayMs, this.#interruption.signal);
  }

  setAnnouncing(isAnnouncing: boolean): void {
    this.#line?.announce(isAnnouncing);
  }

  /** The last plan serves all that come after it. */
  nextDial(): DialPlan {
    const plan = this.#dials[0] ?? defaultDial;
    if (this.#dials.length > 1) this.#dials.shift();
    return plan;
  }

  noteInterrupted(action: WebhookAddress, parameters: Readonly<Record<string, string>>): void {
    const { settings } = this.#core;
    const isWanted = this.hasEnded ? settings.requestsActionAfterHangUp : settings.requestsInterruptedAction;
    if (isWanted) void this.#loader.notify(action, parameters);
  }

  connectLine(stream: LineStream | null): void {
    this.#line?.connect(stream);
  }

  note(event: CallEvent): void {
    this.#account.note(event);
  }

  notice(code: NoticeCode, detail: string): void {
    this.#account.notice(code, detail);
  }

  /** Ends the call where it goes on, and lets go of sockets that were left half-open. */
  dispose(): void {
    this.end('twinClosed');
    this.streams.dispose();
  }

  async #run(first: NextDocument): Promise<void> {
    for (
      let next: NextDocument | null = first;
      next !== null && !this.hasEnded;
      next = await this.#takeUpdate()
    ) {
      this.#interruption = new AbortController();
      const end = await runTwiml(
        next,
        this.#loader,
        new CallStage(this.#core, this, this.#interruption.signal),
      );
      if (end !== null) this.end(end.reason, this.record.answeredAt === null ? end.status : undefined);
    }
  }

  /** The update that interrupted the run, once Twilio would have come to it; the newest, where there are several. */
  async #takeUpdate(): Promise<NextDocument | null> {
    let next: NextDocument | null = null;
    while (this.#update !== null && !this.hasEnded) {
      next = this.#update;
      this.#update = null;
      this.#interruption = new AbortController();
      await this.wait(this.#core.settings.delays.updateMs);
    }
    return this.hasEnded ? null : next;
  }

  #makeParty(): Party {
    const { script = [], manners, onHeard } = this.plan;
    const party =
      'speak' in script ? script : new ScriptedCaller(script, (event) => this.note(event), manners);
    return onHeard === undefined ? party : overhear(party, onHeard);
  }

  #makeLoaderDesk(): LoaderDesk {
    return {
      standardParameters: () => standardParameters(this.record),
      fallback: () => this.#fallback,
      noteDelivery: (delivered) => this.#account.noteDelivery(delivered),
      notice: (code, detail) => this.notice(code, detail),
    };
  }
}

const overhear = (party: Party, onHeard: Party['hear']): Party => ({
  join: (at, controls, frameMs) => party.join(at, controls, frameMs),
  speak: (at) => party.speak(at),
  hear: (at, frame) => {
    onHeard(at, frame);
    party.hear(at, frame);
  },
});
