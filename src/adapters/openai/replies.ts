/**
 * Owns: what is known of the replies of a session: their audio, transcripts and ends.
 * Does not own: playing them (`src/media`), the tool calls in them (`tool-calls.ts`), asking for them
 * (`response-queue.ts`).
 *
 * Audio comes about five times as fast as it is played: an item is remembered when its reply is long over, because the
 * caller may interrupt it only then.
 *
 * Source: OpenAI Realtime, server events, `response.*`. One reply may hold several items whose events are mixed.
 *
 * Invariants:
 * R1. An item's end is told once, before its reply's end; a reply's end once, before `reply.finished`.
 * R2. An item with audio is transcribed when its transcript is complete, or at the end with what came so far; before that
 *     as far as it has come, at most every `transcriptEveryMs`: another process may have to go on with it.
 * R3. At most `openReplies` replies and `replyItems` items are known.
 * R4. Where more of a reply is written and nothing of it has come that sounds, it is told every `extendedEveryMs`, at most
 *     `extensions` times.
 */

import type { Clock } from '../../runtime/ports/clock.ts';
import type { ModelListener } from '../../runtime/ports/model.ts';
import { referTo } from '../../runtime/ports/signal.ts';
import type { OpenAiLimits } from './limits.ts';
import type { CountOddity } from './oddity.ts';
import { causeOfError, plainName } from './refusals.ts';
import type { FinishedResponse, ServerEventOf } from './server-events.ts';
import type { AudioItem } from './truncation.ts';
import { usageOf } from './usage.ts';

interface ReplyItem extends AudioItem {
  replyId: string;
  /** What came of the transcript. */
  transcript: string;
  /** Its end was signalled. */
  transcribed: boolean;
  /** When it was last signalled, on the monotonic clock. */
  signalledAt: number;
}

/** A reply that is not over. */
export interface OpenReply {
  readonly replyId: string;
  voiced: boolean;
  /** When its start, its last sound or, without one, its last writing was noticed, on the monotonic clock. */
  noticedAt: number;
  /** How often it was told since that more of it is written. */
  extensions: number;
  /** Tool calls that somebody runs. */
  passedCalls: number;
  /** Tool calls that the adapter answered. */
  answeredCalls: number;
}

export class Replies {
  readonly #clock: Clock;
  readonly #listener: ModelListener;
  readonly #limits: OpenAiLimits;
  readonly #count: CountOddity;
  readonly #open = new Map<string, OpenReply>();
  readonly #items = new Map<string, ReplyItem>();

  constructor(clock: Clock, listener: ModelListener, limits: OpenAiLimits, count: CountOddity) {
    this.#clock = clock;
    this.#listener = listener;
    this.#limits = limits;
    this.#count = count;
  }

  /** `replyId`: one that is not known. */
  start(replyId: string): void {
    const noticedAt = this.#clock.monotonic();
    const counts = { extensions: 0, passedCalls: 0, answeredCalls: 0 };
    this.#open.set(replyId, { replyId, voiced: false, noticedAt, ...counts });
    this.#forgetOldest(this.#open, this.#limits.openReplies);
    this.#listener.onSignal({ entry: { type: 'reply.started', replyId } });
  }

  /** Undefined for a reply that is over, unknown or outside the conversation. */
  find(replyId: string): OpenReply | undefined {
    return this.#open.get(replyId);
  }

  item(itemId: string): AudioItem | undefined {
    return this.#items.get(itemId);
  }

  takeAudio({ response_id, item_id, delta }: ServerEventOf<'response.output_audio.delta'>): void {
    const reply = this.#open.get(response_id);
    const item = this.#itemOf(response_id, item_id);
    const audio = Buffer.from(delta, 'base64');
    if (!reply || !item || item.ended || audio.length === 0) return;
    reply.voiced = true;
    reply.noticedAt = this.#clock.monotonic();
    reply.extensions = 0;
    item.audioBytes += audio.length;
    this.#listener.onReplyAudio(response_id, item_id, audio);
  }

  endItem({ response_id, item_id }: ServerEventOf<'response.output_audio.done'>): void {
    const item = this.#itemOf(response_id, item_id);
    if (item) this.#endItem(item);
  }

  /** More of the reply has come, in whatever form. One that is over or unknown is nothing to tell of. */
  noteWritten(replyId: string): void {
    const reply = this.#open.get(replyId);
    const nowMs = this.#clock.monotonic();
    const { extendedEveryMs, extensions } = this.#limits;
    if (!reply || nowMs - reply.noticedAt < extendedEveryMs || reply.extensions >= extensions) return;
    reply.noticedAt = nowMs;
    reply.extensions++;
    this.#listener.onSignal({ entry: { type: 'reply.extended', replyId } });
  }

  takeTranscript(event: ServerEventOf<'response.output_audio_transcript.delta'>): void {
    const item = this.#itemOf(event.response_id, event.item_id);
    if (!item || item.transcribed) return;
    this.noteWritten(item.replyId);
    item.transcript = (item.transcript + event.delta).slice(0, this.#limits.transcriptCharacters);
    const nowMs = this.#clock.monotonic();
    if (item.audioBytes === 0 || nowMs - item.signalledAt < this.#limits.transcriptEveryMs) return;
    item.signalledAt = nowMs;
    this.#signalTranscript(item);
  }

  completeTranscript(event: ServerEventOf<'response.output_audio_transcript.done'>): void {
    const item = this.#itemOf(event.response_id, event.item_id);
    if (!item) return;
    item.transcript = event.transcript;
    this.#transcribe(item);
  }

  /** Tells the end of the reply and of what is left open in it. `toolCalls`: those that will be answered. */
  finish(reply: OpenReply, response: FinishedResponse, toolCalls: number): void {
    const { replyId, voiced } = reply;
    this.#closeItems((item) => item.replyId === replyId);
    this.#open.delete(replyId);
    this.#listener.onReplyEnded(replyId);
    const { status } = response;
    const cause = causeOf(response);
    const usage = usageOf(response.usage);
    this.#listener.onSignal({
      entry: { type: 'reply.finished', replyId, status, cause, voiced, toolCalls, usage },
    });
  }

  /** The session is lost: what came of the transcripts is all that will come. */
  stop(): void {
    for (const item of this.#items.values()) this.#transcribeHeard(item);
    this.#open.clear();
    this.#items.clear();
  }

  #itemOf(replyId: string, itemId: string): ReplyItem | null {
    const known = this.#items.get(itemId);
    if (!this.#open.has(replyId) || (known && known.replyId !== replyId)) {
      this.#count('strayEvent');
      return null;
    }
    if (known) return known;
    const item = {
      itemId,
      replyId,
      audioBytes: 0,
      ended: false,
      transcript: '',
      transcribed: false,
      signalledAt: 0,
    };
    this.#items.set(itemId, item);
    this.#forgetOldest(this.#items, this.#limits.replyItems);
    return item;
  }

  #closeItems(isMeant: (item: ReplyItem) => boolean): void {
    for (const item of [...this.#items.values()].filter(isMeant)) {
      this.#transcribeHeard(item);
      this.#endItem(item);
    }
  }

  #endItem(item: ReplyItem): void {
    if (item.ended || item.audioBytes === 0) return;
    item.ended = true;
    this.#listener.onReplyItemEnded(item.itemId);
  }

  #transcribeHeard(item: ReplyItem): void {
    if (item.audioBytes > 0) this.#transcribe(item);
  }

  #transcribe(item: ReplyItem): void {
    if (!item.transcribed) this.#signalTranscript(item);
    item.transcribed = true;
    item.transcript = '';
  }

  #signalTranscript({ itemId, transcript }: ReplyItem): void {
    if (transcript === '') return;
    this.#listener.onSignal({
      entry: { type: 'reply.transcribed', itemId, transcript: referTo(transcript) },
      payloads: { transcript },
    });
  }

  #forgetOldest(map: Map<string, unknown>, most: number): void {
    const oldest = map.keys().next().value;
    if (map.size <= most || oldest === undefined) return;
    map.delete(oldest);
    this.#count('bound');
  }
}

/** Why a reply did not complete (OpenAI Realtime, `response.status_details`). */
function causeOf({ status, status_details: details }: FinishedResponse): string | null {
  if (status === 'completed') return null;
  if (details?.error) return causeOfError(details.error);
  return details?.reason ? plainName(details.reason) : null;
}
