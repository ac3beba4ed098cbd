/**
 * Owns: the desk behind the carrier's webhooks and streams: which call is meant, whether it is taken, who owns it,
 * and what the carrier is told to do next.
 * Does not own: signatures and TwiML (`src/adapters/twilio`), the decision itself (`src/machines/instruction.ts`).
 *
 * Invariants:
 * D1. An answer is a pure function of a read-only fold: it needs no ownership, and every instance gives the same.
 * D2. Only a created call and a stream with a valid, unspent token make this process an owner.
 * D3. No model session is opened for a stream whose token is refused.
 */
import { randomBytes } from 'node:crypto';
import { chartNumber } from '../machines/call/setup.ts';
import { entryFormat } from '../machines/entries.ts';
import { instructionFor } from '../machines/instruction.ts';
import type { Settings } from '../machines/settings.ts';
import type {
  Answer,
  CarrierDesk,
  IncomingCall,
  Line,
  LineListener,
  StreamStart,
} from '../runtime/ports/carrier.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { FixCallError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import { referTo, type Signal } from '../runtime/ports/signal.ts';
import type { Registry } from '../runtime/registry.ts';
import type { CallState } from '../runtime/step.ts';
import { mintStreamToken, readStreamToken } from '../runtime/stream-token.ts';
import type { LiveCalls } from './live-calls.ts';

/** A new call whose first entries are not durable by then is declined: the journal stalls. */
const createLimitMs = 1_000;

/** From the answer to the webhook until the stream must have shown its token. */
const tokenLifeMs = 120_000;

export interface DeskOptions {
  registry: Registry;
  live: LiveCalls;
  journal: Journal;
  clock: Clock;
  /** Shared by all instances: any of them may check a token that another one minted. */
  tokenKey: string;
  settings: Settings;
  /** Whether new calls are taken now. */
  takesCalls(): boolean;
}

export class Desk implements CarrierDesk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  async answerCall(incoming: IncomingCall): Promise<Answer> {
    const callId = incoming.carrierCallId;
    const known = await this.#read(callId);
    if (known) return this.#instruct(known);
    if (!this.#options.takesCalls()) return { do: 'decline' };
    try {
      return this.#instruct(await this.#begin(callId, incoming));
    } catch (error) {
      if (!isKnown(error)) throw error;
      return this.continueCall(callId);
    }
  }

  async continueCall(carrierCallId: string): Promise<Answer> {
    const state = await this.#read(await this.#callIdOf(carrierCallId));
    if (!state) return { do: 'hangUp' };
    const answer = this.#instruct(state);
    if (answer.do === 'connect') this.#noteRequest(answer.callId, answer.attempt);
    return answer;
  }

  async report(carrierCallId: string, signal: Signal, key: string): Promise<void> {
    const row = await this.#options.journal.findByCarrierId(carrierCallId);
    if (row && row.endedAt === null) await this.#options.registry.deliver(row.callId, signal, key);
  }

  async admitStream({ carrierCallId, token, line }: StreamStart): Promise<LineListener | null> {
    const { clock, tokenKey, registry, live } = this.#options;
    const shown = readStreamToken(tokenKey, token, clock.now());
    if (!shown || shown.callId !== (await this.#callIdOf(carrierCallId))) return null;
    const { callId, attempt } = shown;
    if (!mayAdmit(await this.#read(callId), attempt)) return null;
    const parts = await live.prepare(callId);
    const listener = parts.addLine(line);
    const started: Signal = { entry: { type: 'stream.started', streamId: line.streamId, attempt } };
    const call = await registry.claim(callId, { why: 'stream', attempt }, [started], (state) =>
      mayAdmit(state, attempt),
    );
    if (!call) this.#refuseLine(callId, line);
    return call ? listener : null;
  }

  async #begin(callId: string, incoming: IncomingCall): Promise<CallState> {
    const { live, registry, clock, settings } = this.#options;
    const agent = await live.create(callId, { direction: 'incoming', ...incoming });
    const created: Signal = {
      entry: {
        type: 'call.created',
        format: entryFormat,
        chart: chartNumber,
        agent: agent.digest,
        direction: 'incoming',
        carrierCallId: incoming.carrierCallId,
        from: referTo(incoming.from),
        to: referTo(incoming.to),
        traceId: randomBytes(16).toString('hex'),
        settings,
      },
      payloads: { from: incoming.from, to: incoming.to },
    };
    let late = (): void => undefined;
    const limit = new Promise<never>((_, reject) => {
      const timer = clock.setTimeout(() => reject(new Error('the journal stalls')), createLimitMs);
      late = () => clock.clearTimeout(timer);
    });
    try {
      const answered = [{ type: 'call.answered', by: 'us' } as const];
      const call = await Promise.race([registry.create(callId, created, answered), limit]);
      return call.state;
    } catch (error) {
      if (!isKnown(error)) {
        registry.abandon(callId);
        live.release(callId);
      }
      throw error;
    } finally {
      late();
    }
  }

  /** Another stream was quicker with the same token. The parts stay only where the call lives here. */
  #refuseLine(callId: string, line: Line): void {
    const { live, registry } = this.#options;
    if (registry.get(callId)) live.get(callId)?.removeLine(line);
    else live.release(callId);
  }

  /** Incoming calls bear the carrier's id; others are looked up. */
  async #callIdOf(carrierCallId: string): Promise<string> {
    if (this.#options.registry.get(carrierCallId)) return carrierCallId;
    const row = await this.#options.journal.findByCarrierId(carrierCallId);
    return row?.callId ?? carrierCallId;
  }

  #read(callId: string): Promise<CallState | null> {
    return this.#options.registry.read(callId);
  }

  #instruct({ callId, snapshot }: CallState): Answer {
    const instruction = instructionFor(snapshot);
    if (instruction.do !== 'connect') return instruction;
    const expiresAt = this.#options.clock.now() + tokenLifeMs;
    const { attempt } = instruction;
    return {
      ...instruction,
      callId,
      token: mintStreamToken(this.#options.tokenKey, { callId, attempt, expiresAt }),
    };
  }

  /** Kept for the record; the answer does not wait for it. */
  #noteRequest(callId: string, attempt: number): void {
    const signal: Signal = { entry: { type: 'stream.requested', attempt } };
    this.#options.registry
      .deliver(callId, signal, `${callId}:stream.requested:${attempt}`)
      .catch(() => undefined);
  }
}

/** A token is spent by the claim that names its attempt; an ended call takes no stream. */
const mayAdmit = (state: CallState | null, attempt: number): boolean =>
  state !== null &&
  state.snapshot.status === 'active' &&
  !state.snapshot.hasTag('ending') &&
  attempt > state.snapshot.context.stream.attempt;

const isKnown = (error: unknown): boolean => error instanceof FixCallError && error.code === 'call.exists';
