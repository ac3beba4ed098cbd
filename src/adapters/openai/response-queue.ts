/**
 * Owns: when a reply may be asked for, and the requests that wait until then.
 * Does not own: what the reply brings (`replies.ts`), why it is asked for (the call chart).
 *
 * The far side creates replies as well, when the caller has spoken: a request may meet one that we do not know of yet.
 * It is then refused, and asked again once that reply is over. Whose a reply is, its `metadata` says: the far side
 * repeats there what the request carried, and has nothing to repeat in a reply of its own.
 *
 * Source: OpenAI Realtime, client events, `response.create` and `response.cancel`; `response.metadata`; error
 * `conversation_already_has_active_response`.
 *
 * Invariants:
 * L4. `response.create` is sent only while no reply is known to be active and no other request is unanswered.
 * Q1. A request is sent again only when every sending of it was refused, or when it is asked for again after nobody
 *     answered it in time.
 * Q2. At most `waitingReplies` requests wait; equal ones wait once.
 * Q3. After a reply or a request that was refused for want of rate nothing is sent for a while (`rate-pauses.ts`); such a
 *     request is sent again then.
 * Q4. A cancellation names its reply. Without an id it would reach whatever is active when it arrives, which may be the
 *     far side's own answer to the caller. The reply to a request that was cancelled is cancelled when it begins.
 * Q5. A request that stands in for what the far side owes by itself is not sent once a reply has begun, nor sent again
 *     because it met one: the caller would be answered twice.
 */
import type { RealtimeClientEvent, ResponseCreateEvent } from 'openai/resources/realtime/realtime';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import type { OpenAiLimits } from './limits.ts';
import type { CountOddity } from './oddity.ts';

export interface ReplyRequest {
  /** Null: by the session's own. */
  instructions: string | null;
  /** Whether the reply may call tools. */
  tools: boolean;
  /** For a reply that the far side should have begun by itself. */
  standsIn: boolean;
}

const isSame = (one: ReplyRequest, other: ReplyRequest): boolean =>
  one.instructions === other.instructions && one.tools === other.tools && one.standsIn === other.standsIn;

/** A request that was sent: it may be running, refused or lost. */
interface Sent {
  request: ReplyRequest;
  /** Sendings that were not refused. */
  eventIds: Set<string>;
  /** Nobody wants its reply any more. */
  cancelled: boolean;
  /** Nobody answered in time. */
  lost: boolean;
}

export interface QueueNeeds {
  clock: Clock;
  limits: OpenAiLimits;
  count: CountOddity;
  send(event: RealtimeClientEvent): void;
}

export class ResponseQueue {
  readonly #needs: QueueNeeds;
  #isOpen = false;
  #waiting: ReplyRequest[] = [];
  #sent: Sent | null = null;
  /** Requests after which a reply came and went. It may have been another's: then their refusal is still on its way. */
  #earlier: Sent[] = [];
  #activeReplyId: string | null = null;
  /** The active reply is being cancelled: by us, or by the far side because the caller speaks. */
  #isCancelling = false;
  /** A request met a reply that we do not know: wait for its end. */
  #isBlocked = false;
  #sendings = 0;
  #timer: TimerHandle;
  /** Too much was asked for: runs until the next request may be sent. Null without such a pause. */
  #pause: { timer: TimerHandle } | null = null;

  constructor(needs: QueueNeeds) {
    this.#needs = needs;
  }

  /** From now on requests are sent. */
  open(): void {
    this.#isOpen = true;
    this.#sendNext();
  }

  /** Forgets everything; nothing is sent any more. */
  stop(): void {
    this.#isOpen = false;
    this.#waiting = [];
    this.#stopWaiting();
    this.#endPause();
  }

  /** Nothing is sent for so long. */
  pause(pauseMs: number): void {
    if (!this.#isOpen) return;
    this.#endPause();
    const timer = this.#needs.clock.setTimeout(() => {
      this.#pause = null;
      this.#sendNext();
    }, pauseMs);
    this.#pause = { timer };
  }

  ask(request: ReplyRequest): void {
    if (this.#isUnanswered() && this.#hasSent(request)) return;
    if (!this.#waitsFor(request)) this.#wait([...this.#waiting, request]);
    this.#sendNext();
  }

  /** Cancels the active reply, or the one that was only just asked for once it begins; forgets waiting requests. */
  cancel(): void {
    this.#waiting = [];
    for (const sent of this.#allSent()) sent.cancelled = true;
    if (this.#activeReplyId !== null) this.#cancelActive(this.#activeReplyId);
  }

  /** The caller began to speak: the far side cancels the active reply by itself. */
  noteCallerSpeaking(): void {
    if (this.#activeReplyId !== null) this.#isCancelling = true;
  }

  /**
   * @param requestId what the reply says of the request that it answers; null for the far side's own
   * @returns whether it is wanted: false for the reply to a request that was cancelled, which is cancelled with this (Q4)
   */
  noteStarted(replyId: string, requestId: string | null): boolean {
    this.#activeReplyId = replyId;
    this.#isCancelling = false;
    this.#isBlocked = false;
    this.#stopWaiting();
    const isWanted = !this.#allSent().some((sent) => sent.cancelled && sent.eventIds.has(requestId ?? ''));
    if (isWanted) this.#waiting = this.#waiting.filter(({ standsIn }) => !standsIn);
    else this.#cancelActive(replyId);
    return isWanted;
  }

  noteFinished(replyId: string): void {
    this.#isBlocked = false;
    if (replyId === this.#activeReplyId) {
      this.#activeReplyId = null;
      this.#setAside();
    }
    this.#sendNext();
  }

  /** The far side refused a request because a reply is active. `eventId` null: it does not say which request. */
  noteActiveElsewhere(eventId: string | null): void {
    const sent = this.#withdraw(eventId);
    if (!sent) return;
    this.#isBlocked = this.#activeReplyId === null;
    if (!sent.request.standsIn) this.#waitAgain(sent);
  }

  /** The far side refused a request because too much was asked for: call after `pause`. */
  noteTooMuch(eventId: string): void {
    const sent = this.#withdraw(eventId);
    if (sent) this.#waitAgain(sent);
  }

  /** The far side refused a request for another reason: whoever asked will ask again. */
  noteRefused(eventId: string): void {
    if (this.#withdraw(eventId)) this.#sendNext();
  }

  #waitAgain({ request, cancelled }: Sent): void {
    if (!cancelled && !this.#waitsFor(request)) this.#wait([request, ...this.#waiting]);
  }

  /** The request, once no sending of it is left that could still be answered. */
  #withdraw(eventId: string | null): Sent | null {
    const refused = eventId ?? this.#sent?.eventIds.values().next().value;
    if (refused === undefined) return null;
    const sent = this.#allSent().find((one) => one.eventIds.delete(refused));
    if (!sent || sent.eventIds.size > 0) return null;
    this.#earlier = this.#earlier.filter((one) => one !== sent);
    if (sent === this.#sent) {
      this.#sent = null;
      this.#stopWaiting();
    }
    return sent;
  }

  #allSent(): Sent[] {
    return this.#sent ? [this.#sent, ...this.#earlier] : this.#earlier;
  }

  #cancelActive(replyId: string): void {
    if (!this.#isCancelling && this.#isOpen) {
      this.#needs.send({ type: 'response.cancel', response_id: replyId });
    }
    this.#isCancelling = true;
  }

  #setAside(): void {
    if (this.#sent) this.#earlier.push(this.#sent);
    this.#sent = null;
    if (this.#earlier.length > this.#needs.limits.waitingReplies) this.#earlier.shift();
  }

  /** It was sent last, and not cancelled since. */
  #hasSent(request: ReplyRequest): boolean {
    return this.#sent !== null && isSame(this.#sent.request, request) && !this.#sent.cancelled;
  }

  #waitsFor(request: ReplyRequest): boolean {
    return this.#waiting.some((one) => isSame(one, request));
  }

  #wait(requests: ReplyRequest[]): void {
    const most = this.#needs.limits.waitingReplies;
    if (requests.length > most) this.#needs.count('bound');
    this.#waiting = requests.slice(-most);
  }

  #isUnanswered(): boolean {
    return this.#sent !== null && !this.#sent.lost && this.#activeReplyId === null;
  }

  #sendNext(): void {
    if (!this.#isOpen || this.#pause || this.#isBlocked) return;
    if (this.#activeReplyId !== null || this.#isUnanswered()) return;
    const request = this.#waiting.shift();
    if (request === undefined) return;
    const eventId = `reply_${++this.#sendings}`;
    this.#noteSent(request, eventId);
    this.#needs.send(creationOf(request, eventId));
  }

  #noteSent(request: ReplyRequest, eventId: string): void {
    if (!this.#hasSent(request)) this.#setAside();
    const eventIds = this.#sent?.eventIds ?? new Set<string>();
    this.#sent = { request, eventIds: eventIds.add(eventId), cancelled: false, lost: false };
    this.#timer = this.#needs.clock.setTimeout(
      () => this.#giveUpWaiting(),
      this.#needs.limits.replyUnansweredMs,
    );
  }

  #giveUpWaiting(): void {
    if (this.#sent) this.#sent.lost = true;
    this.#sendNext();
  }

  #endPause(): void {
    if (this.#pause) this.#needs.clock.clearTimeout(this.#pause.timer);
    this.#pause = null;
  }

  #stopWaiting(): void {
    this.#needs.clock.clearTimeout(this.#timer);
  }
}

/** What the request says of the session's settings holds for its reply alone. */
function creationOf({ instructions, tools }: ReplyRequest, eventId: string): RealtimeClientEvent {
  const response: NonNullable<ResponseCreateEvent['response']> = { metadata: { request: eventId } };
  if (instructions !== null) response.instructions = instructions;
  if (!tools) response.tool_choice = 'none';
  return { type: 'response.create', event_id: eventId, response };
}
