/**
 * A call as it could have been, told fact by fact: the real chart folds it, and timers elapse where they are due. What
 * a page is shown of it comes from the real projection.
 */

import { chartNumber } from '../../../src/machines/call/context.ts';
import type { Draft, DraftOf, Entry } from '../../../src/machines/entries.ts';
import { entryFormat } from '../../../src/machines/entries.ts';
import { settingsSchema } from '../../../src/machines/settings.ts';
import type { CallRow, Payload, StoredEntry } from '../../../src/runtime/ports/journal.ts';
import { type CallState, step } from '../../../src/runtime/step.ts';
import { CallProjection } from '../../../src/service/console/call-projection.ts';

type Words = Record<string, string>;

export class ToldCall {
  readonly callId: string;
  readonly startedAt: number;
  readonly projection: CallProjection;
  #state: CallState | null = null;
  #at: number;
  #listeners = new Set<() => void>();
  #replies = 0;
  #items = 0;

  constructor(callId: string, startedAt: number, from = '+441632960001', instance = 'london-1') {
    this.callId = callId;
    this.startedAt = startedAt;
    this.#at = startedAt;
    const row: CallRow = {
      callId,
      carrierCallId: callId,
      direction: 'incoming',
      owner: null,
      startedAt,
      endedAt: null,
      endReason: null,
      lastSeq: 0,
      state: null,
    };
    this.projection = new CallProjection(row, () => true);
    const created: DraftOf<'call.created'> = {
      type: 'call.created',
      format: entryFormat,
      chart: chartNumber,
      agent: 'a2f0c1',
      direction: 'incoming',
      carrierCallId: callId,
      from: { bytes: from.length },
      to: { bytes: 13 },
      traceId: 'a'.repeat(32),
      settings: settingsSchema.parse({}),
    };
    this.tell(created, 0, { from, to: '+441632960960' });
    this.tell({ type: 'owner.claimed', instance, why: 'created' }, 2);
    this.tell({ type: 'call.answered', by: 'us' }, 1);
  }

  get at(): number {
    return this.#at;
  }

  get lastSeq(): number {
    return this.#state?.seq ?? 0;
  }

  get generation(): number {
    return this.#state?.snapshot.context.model.newest ?? 1;
  }

  onTold(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `afterMs` later, with what fell due on the way. */
  tell(draft: Draft, afterMs: number, words: Words = {}): this {
    this.wait(afterMs);
    this.#take(draft, this.#at, words);
    for (const listener of this.#listeners) listener();
    return this;
  }

  wait(ms: number): this {
    const until = this.#at + ms;
    for (let timer = this.#due(until); timer; timer = this.#due(until)) {
      this.#take({ type: 'timer.elapsed', timer: timer[0] }, Math.max(this.#at, timer[1]), {});
    }
    this.#at = until;
    return this;
  }

  #due(until: number): [string, number] | undefined {
    return [...(this.#state?.due ?? [])].filter(([, at]) => at <= until).sort((a, b) => a[1] - b[1])[0];
  }

  #take(draft: Draft, at: number, words: Words): void {
    const entry = { ...draft, seq: this.lastSeq + 1, at } as Entry;
    [this.#state] = step(this.callId, this.#state, entry);
    this.#at = at;
    const payloads: Payload[] = Object.entries(words).map(([name, content]) => ({
      seq: entry.seq,
      name,
      content,
    }));
    const state = JSON.parse(JSON.stringify(this.#state.snapshot.value));
    const stored = { callId: this.callId, entries: [entry as unknown as StoredEntry], state };
    this.projection.apply(stored, new Map([[entry.seq, payloads]]));
  }

  // What happens in most calls.

  connect(attempt = 1): this {
    this.tell({ type: 'stream.requested', attempt }, 120);
    this.tell({ type: 'stream.started', streamId: `MZ${attempt}`, attempt }, 380);
    return this;
  }

  /** Once the chart has asked for a session: after a loss that takes the backoff. */
  open(): this {
    this.wait(1_200);
    const { generation } = this;
    const expiresAt = this.#at + 3_600_000;
    return this.tell({ type: 'model.opened', generation, sessionId: `sess_${generation}`, expiresAt }, 240);
  }

  /** The agent speaks for `ms`; heard whole, or cut after a share of it. */
  agent(text: string, ms: number, heard = 1, thinksMs = 420): this {
    const replyId = `resp_${++this.#replies}`;
    const itemId = `item_a${++this.#items}`;
    this.tell({ type: 'reply.started', replyId }, 180);
    this.tell({ type: 'reply.voiced', replyId, itemId }, thinksMs);
    const reference = { bytes: Buffer.byteLength(text) };
    this.tell({ type: 'reply.transcribed', itemId, transcript: reference }, 200, { transcript: text });
    const usage = {
      inputTextTokens: 310,
      inputAudioTokens: 90,
      inputCachedTokens: 128,
      outputTextTokens: 24,
      outputAudioTokens: 80,
    };
    const finished = {
      type: 'reply.finished',
      replyId,
      status: 'completed',
      cause: null,
      voiced: true,
      toolCalls: 0,
      usage,
    } as const;
    this.tell(finished, 150);
    const seconds = Math.floor((ms * heard) / 1_000);
    for (let second = 1; second <= seconds; second++) {
      this.tell({ type: 'reply.progressed', itemId, receivedMs: ms, playedMs: second * 1_000 }, 1_000);
    }
    if (heard === 1) return this.tell({ type: 'reply.played', replyId }, ms - seconds * 1_000);
    const cut = { itemId, receivedMs: ms, playedMs: Math.round(ms * heard) };
    this.tell({ type: 'caller.startedSpeaking', itemId: `item_c${this.#items + 1}` }, 60);
    return this.tell({ type: 'reply.interrupted', items: [cut] }, 1);
  }

  caller(text: string, ms = 1_800, startsItself = true): this {
    const itemId = `item_c${++this.#items}`;
    if (startsItself) this.tell({ type: 'caller.startedSpeaking', itemId }, 900);
    this.tell({ type: 'caller.stoppedSpeaking', itemId, silenceMs: 500 }, ms + 500);
    return this.tell({ type: 'caller.transcribed', itemId, transcript: { bytes: text.length } }, 130, {
      transcript: text,
    });
  }

  tool(
    name: string,
    args: string,
    ms: number,
    outcome: DraftOf<'tool.finished'>['outcome'],
    result: string,
  ): this {
    const toolCallId = `call_${this.lastSeq}`;
    const replyId = `resp_${++this.#replies}`;
    this.tell({ type: 'reply.started', replyId }, 200);
    this.tell(
      {
        type: 'tool.requested',
        toolCallId,
        replyId,
        name,
        effect: 'once',
        arguments: { bytes: args.length },
      },
      300,
      { arguments: args },
    );
    const finished = {
      type: 'reply.finished',
      replyId,
      status: 'completed',
      cause: null,
      voiced: false,
      toolCalls: 1,
      usage: null,
    } as const;
    this.tell(finished, 20);
    return this.tell({ type: 'tool.finished', toolCallId, outcome, result: { bytes: result.length } }, ms, {
      result,
    });
  }

  loseModel(code: number, cause: string): this {
    const { generation } = this;
    return this.tell(
      { type: 'model.closed', generation, code, cause, reaction: 'retry', retryAfterMs: null, jitter: 0.4 },
      700,
    );
  }

  hungUp(): this {
    this.tell({ type: 'stream.stopped', streamId: 'MZ1' }, 800);
    this.tell({ type: 'carrier.reported', status: 'completed', source: 'callback' }, 200);
    return this.end('caller.hungUp');
  }

  end(reason: string): this {
    return this.tell({ type: 'call.ended', reason }, 10);
  }
}
