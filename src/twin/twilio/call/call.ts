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
import { makeNotice, type Notice, type NoticeCode } from '../notices.ts';
import { DocumentLoader, type NextDocument, type WebhookAddress } from '../twiml/document-loader.ts';
import { runTwiml } from '../twiml/run.ts';
import { waitFor } from '../twiml/stage.ts';
import { Postman } from '../webhooks/postman.ts';
import { StatusCallbacks, type StatusSubscription } from '../webhooks/status-callbacks.ts';
import type { WebhookRecord } from '../webhooks/webhook-client.ts';
import type { AudioStretch } from './audio-track.ts';
import type { CallCore } from './call-core.ts';
import {
  CallDiary,
  type CallEndReason,
  type CallEvent,
  type CallListener,
  type CallStatus,
} from './call-events.ts';
import type { CallPlan, DialPlan } from './call-order.ts';
import { type CallRecord, isTerminal, standardParameters } from './call-record.ts';
import { CallStage, type StagedCall } from './call-stage.ts';
import { CallStreams } from './call-streams.ts';
import { PhoneLine } from './phone-line.ts';
import { makeStereoWav } from './wav.ts';

export interface CallEnding {
  reason: CallEndReason;
  status: CallStatus;
}

export interface CallSetup {
  record: CallRecord;
  plan: CallPlan;
  fallback: WebhookAddress | null;
  subscription: StatusSubscription | null;
  timeLimitMs: number;
}

const mostKeptRecords = 10_000;
const defaultDial: DialPlan = { outcome: 'answered', talkMs: 10_000 };

export class TwinCall implements StagedCall {
  readonly record: CallRecord;
  readonly plan: CallPlan;
  readonly streams: CallStreams;
  /** Requests about this call and how they were answered, in the order of the answers; the first 10,000. */
  readonly webhooks: WebhookRecord[] = [];
  /** Errors and warnings that Twilio's debugger would show; the first 10,000. */
  readonly notices: Notice[] = [];
  readonly ended: Promise<CallEnding>;
  readonly #core: CallCore;
  readonly #diary = new CallDiary();
  readonly #callbacks: StatusCallbacks;
  readonly #loader: DocumentLoader;
  readonly #party: Party;
  readonly #timeLimitMs: number;
  readonly #dials: DialPlan[];
  #fallback: WebhookAddress | null;
  #resolveEnded: (ending: CallEnding) => void = () => undefined;
  #line: PhoneLine | null = null;
  #interruption = new AbortController();
  #update: NextDocument | null = null;
  #limitTimer: TimerHandle;

  constructor(core: CallCore, { record, plan, fallback, subscription, timeLimitMs }: CallSetup) {
    this.#core = core;
    this.record = record;
    this.plan = plan;
    this.#fallback = fallback;
    this.#timeLimitMs = timeLimitMs;
    this.#dials = [...(plan.dials ?? [])];
    this.#party = this.#makeParty();
    const faults = plan.faults ?? {};
    const desk = {
      onDelivered: (delivered: WebhookRecord) => this.#keep(this.webhooks, delivered),
      onNotice: (code: NoticeCode, detail: string) => this.notice(code, detail),
    };
    const postman = new Postman(core.ports.clock, core.webhooks, faults.callbacks ?? {}, desk);
    this.#callbacks = new StatusCallbacks(postman, subscription);
    this.#loader = new DocumentLoader(
      core.webhooks,
      { ...desk, standardParameters: () => standardParameters(record), fallback: () => this.#fallback },
      faults.duplicateWebhooks,
    );
    this.streams = new CallStreams(
      core.ports,
      core.settings,
      { sid: record.sid, faults, postman },
      {
        connectLine: (stream) => this.#line?.connect(stream),
        note: (event) => this.note(event),
        onNotice: desk.onNotice,
      },
    );
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get sid(): string {
    return this.record.sid;
  }

  get status(): CallStatus {
    return this.record.status;
  }

  /** What happened so far; the first 10,000 events. */
  get events(): readonly CallEvent[] {
    return this.#diary.events;
  }

  get hasEnded(): boolean {
    return isTerminal(this.record.status);
  }

  /** Hears every event from now on. Returns the function that stops it. */
  onEvent(listener: CallListener): () => void {
    return this.#diary.listen(listener);
  }

  /** What the caller heard, G.711 mu-law with the time of each stretch; silence lies between. */
  heard(): AudioStretch[] {
    return this.#line?.heard.stretches() ?? [];
  }

  said(): AudioStretch[] {
    return this.#line?.said.stretches() ?? [];
  }

  /** A WAV file from the answer on: the caller on the left, what it heard on the right. */
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
    this.#resolveEnded({ reason, status });
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

  note(event: CallEvent): void {
    this.#diary.note(event);
  }

  notice(code: NoticeCode, detail: string): void {
    this.#keep(this.notices, makeNotice(this.#core.ports.clock.now(), code, detail));
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

  #keep<Item>(list: Item[], item: Item): void {
    if (list.length < mostKeptRecords) list.push(item);
  }
}

const overhear = (party: Party, onHeard: Party['hear']): Party => ({
  join: (at, controls) => party.join(at, controls),
  speak: (at) => party.speak(at),
  hear: (at, frame) => {
    onHeard(at, frame);
    party.hear(at, frame);
  },
});
