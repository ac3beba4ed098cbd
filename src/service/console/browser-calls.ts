/**
 * Owns: calls from an operator's browser. The page plays the carrier: it asks what to do, opens media streams, and tells
 * when the person at it has gone. Here is what it talks to, and what the call asks of it in turn.
 * Does not own: who may call (`src/adapters/http`), the media stream (`src/adapters/twilio`), the call itself.
 *
 * Such a call is one like all others: the same desk, chart, log and recovery. Only its carrier is another one.
 *
 * Invariants:
 * I4. Of a call that is over, or whose page is gone for `absenceLimitMs`, nothing is left here.
 * I10. A stream from a browser can only be one of a call from a browser.
 */
import { randomUUID } from 'node:crypto';
import type { CarrierStatus } from '../../machines/entry-values.ts';
import type {
  Answer,
  CarrierControl,
  CarrierDesk,
  Line,
  LineListener,
  StreamStart,
} from '../../runtime/ports/carrier.ts';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { FixCallError, RetryError } from '../../runtime/ports/errors.ts';
import type { BrowserInstruction, Operator } from '../../runtime/ports/operator.ts';
import { isBrowserCall, mintCallId } from './browser-call-id.ts';

/** A page that neither streams nor asks for so long has been closed. */
export const absenceLimitMs = 10_000;

/** What the page is told where the carrier would dial, say sorry or be busy. */
const reasons = {
  declined: 'New calls are not taken now: the health page says why.',
  apologised: 'The agent cannot be reached, and the caller hears an apology.',
  ended: 'The call is over.',
} as const;

interface Presence {
  status: CarrierStatus;
  line: Line | null;
  /** What the call wants carried out at once: the page asks for it next. */
  told: Answer | null;
  absence: TimerHandle;
}

export interface BrowserCallsOptions {
  desk: CarrierDesk;
  clock: Clock;
  /** What the agent takes for the number that was called. */
  calledNumber: string;
}

export class BrowserCalls implements CarrierControl {
  readonly #options: BrowserCallsOptions;
  readonly #present = new Map<string, Presence>();

  constructor(options: BrowserCallsOptions) {
    this.#options = options;
  }

  /** Pages that are on a call here. */
  get size(): number {
    return this.#present.size;
  }

  /** @throws as `CarrierDesk.answerCall` */
  async begin({ name }: Operator): Promise<BrowserInstruction> {
    const carrierCallId = mintCallId();
    // Twilio's form of a caller who has no number (Voice, TwiML Client).
    const from = `client:${name.replace(/[^\w.-]/g, '_').slice(0, 60)}`;
    const { desk, calledNumber: to } = this.#options;
    return this.#instruct(carrierCallId, await desk.answerCall({ carrierCallId, from, to }));
  }

  /** @throws FixCallError `call.unknown`; RetryError `journal.unavailable` */
  async continue(callId: string): Promise<BrowserInstruction> {
    this.#refuseOthers(callId);
    const answer = this.#takeTold(callId) ?? (await this.#options.desk.continueCall(callId, randomUUID()));
    if (answer.do !== 'transfer' || answer.apology !== null) return this.#instruct(callId, answer);
    // Nobody can be dialled from here: the call goes on as after a number that does not answer.
    const failed = { entry: { type: 'transfer.finished', outcome: 'failed' } } as const;
    await this.#options.desk.report(callId, failed, `${callId}:dialled:${randomUUID()}`);
    return this.#instruct(callId, { do: 'wait', pauseMs: 500 });
  }

  /** The person at the page hung up, or is gone. @throws as `continue` */
  async leave(callId: string): Promise<void> {
    this.#refuseOthers(callId);
    this.#end(callId);
    const completed = {
      entry: { type: 'carrier.reported', status: 'completed', source: 'callback' },
    } as const;
    await this.#options.desk.report(callId, completed, `${callId}:left`);
  }

  /** The desk for streams from browsers. */
  get desk(): CarrierDesk {
    const { desk } = this.#options;
    return {
      answerCall: (call) => desk.answerCall(call),
      continueCall: (carrierCallId, key) => desk.continueCall(carrierCallId, key),
      report: (carrierCallId, signal, key) => desk.report(carrierCallId, signal, key),
      admitStream: (start) => this.#admit(start),
      // A browser comes back to the process that it has its page from, whatever that one is told.
      isCutOff: () => false,
    };
  }

  async endCall(carrierCallId: string): Promise<void> {
    const line = this.#present.get(carrierCallId)?.line;
    this.#end(carrierCallId);
    line?.close();
  }

  /** The page asks what to do once its stream is closed. */
  async redirectCall(carrierCallId: string, answer: Answer): Promise<void> {
    const presence = this.#find(carrierCallId);
    presence.told = answer;
    presence.line?.close();
  }

  async fetchStatus(carrierCallId: string): Promise<CarrierStatus> {
    return this.#find(carrierCallId).status;
  }

  close(): void {
    for (const { absence } of this.#present.values()) this.#options.clock.clearTimeout(absence);
    this.#present.clear();
  }

  /** A page whose process died may still come here. @throws RetryError `carrier.unavailable` */
  #find(carrierCallId: string): Presence {
    const found = this.#present.get(carrierCallId);
    if (found) return found;
    throw new RetryError('carrier.unavailable', 'the page of the call has not been heard of here');
  }

  #takeTold(callId: string): Answer | null {
    const presence = this.#present.get(callId);
    const told = presence?.told ?? null;
    if (presence) presence.told = null;
    return told;
  }

  #refuseOthers(callId: string): void {
    if (!isBrowserCall(callId))
      throw new FixCallError('call.unknown', `${callId} is no call from a browser.`);
  }

  async #admit(start: StreamStart): Promise<LineListener | null> {
    const { carrierCallId, line } = start;
    if (!isBrowserCall(carrierCallId)) return null;
    const listener = await this.#options.desk.admitStream(start);
    if (listener === null) return null;
    const presence = this.#meet(carrierCallId);
    this.#options.clock.clearTimeout(presence.absence);
    presence.line = line;
    return {
      onAudio: (audio, timestampMs) => listener.onAudio(audio, timestampMs),
      onGathered: () => listener.onGathered?.(),
      onMark: (name) => listener.onMark(name),
      onSignal: (signal) => {
        if (signal.entry.type === 'stream.closed') this.#loseLine(carrierCallId, line);
        listener.onSignal(signal);
      },
    };
  }

  #loseLine(carrierCallId: string, line: Line): void {
    const presence = this.#present.get(carrierCallId);
    if (presence?.line !== line) return;
    presence.line = null;
    this.#expect(carrierCallId, presence);
  }

  #instruct(callId: string, answer: Answer): BrowserInstruction {
    if (answer.do === 'connect') {
      const { attempt, token, pauseMs: afterMs } = answer;
      this.#expect(callId, this.#meet(callId));
      return { do: 'connect', callId, attempt, token, afterMs };
    }
    if (answer.do === 'wait') {
      this.#expect(callId, this.#meet(callId));
      return { do: 'wait', callId, afterMs: answer.pauseMs };
    }
    this.#leaveBehind(callId);
    return { do: 'end', callId, because: reasonFor(answer) };
  }

  /** Told to hang up, the carrier reports that the call is over. */
  #leaveBehind(callId: string): void {
    void this.leave(callId).catch(() => undefined);
  }

  #meet(callId: string): Presence {
    const present = this.#present.get(callId);
    if (present) return present;
    const presence: Presence = { status: 'in-progress', line: null, told: null, absence: undefined };
    this.#present.set(callId, presence);
    return presence;
  }

  #expect(callId: string, presence: Presence): void {
    const { clock } = this.#options;
    clock.clearTimeout(presence.absence);
    if (presence.line !== null) return;
    presence.absence = clock.setTimeout(() => this.#leaveBehind(callId), absenceLimitMs);
  }

  #end(callId: string): void {
    const presence = this.#present.get(callId);
    if (!presence) return;
    this.#options.clock.clearTimeout(presence.absence);
    this.#present.delete(callId);
  }
}

function reasonFor(answer: Answer): string {
  if (answer.do === 'decline') return reasons.declined;
  if (answer.do === 'apologise') return reasons.apologised;
  if (answer.do === 'transfer') return `${reasons.apologised} A caller would be put through.`;
  return reasons.ended;
}
