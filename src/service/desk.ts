/**
 * Owns: the desk behind the carrier's webhooks and streams: which call is meant, whether it is taken, who owns it,
 * and what the carrier is told to do next.
 * Does not own: signatures and TwiML (`src/adapters/twilio`), the decision itself (`src/machines/instruction.ts`).
 *
 * Invariants:
 * D1. An answer is a pure function of a read-only fold: it needs no ownership, and every instance gives the same.
 * D2. Only a created call and a stream with a valid, unspent token make this process an owner.
 * D3. No model session is opened for a stream whose token is refused.
 * D4. Whatever is down, a call that is known is answered as its log says: only a new one is declined.
 * D5. A process that is cut off from the journal says nothing of a call: what it has of it may be out of date.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { current } from '../machines/charts/table.ts';
import type { Settings } from '../machines/settings.ts';
import type {
  Answer,
  CarrierDesk,
  IncomingCall,
  LineListener,
  RequestedStream,
  StreamStart,
} from '../runtime/ports/carrier.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { FixCallError, GiveUpError, HoldfastError, RetryError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import { referTo, type Signal } from '../runtime/ports/signal.ts';
import type { Registry } from '../runtime/registry.ts';
import type { CallState } from '../runtime/step.ts';
import { readStreamToken } from '../runtime/stream-token.ts';
import type { Claims } from './claims.ts';
import { type Admission, type DeclineCause, openWhile } from './health/admission.ts';
import type { Instructions } from './instructions.ts';
import type { LiveCalls } from './live-calls.ts';
import { unlessStalled } from './stall.ts';
import type { Steering } from './steering.ts';

/**
 * Streams in a row that no process admitted and that are none of a call's tries: each came to a process that could not, and
 * says nothing against the next. Bounded, for where the carrier reaches no process at all it looks the same.
 */
export const mostSpared = 3;

const putOff: Answer = { do: 'decline', againAfterMs: 1_000 };

export interface DeskOptions {
  registry: Registry;
  claims: Claims;
  live: LiveCalls;
  journal: Journal;
  clock: Clock;
  /** Shared by all instances: any of them may check a token that another one minted. */
  tokenKey: string;
  instructions: Instructions;
  settings: Settings;
  /** Whether new calls are taken now. */
  takesCalls(): boolean;
  /** This process lets go of its calls now, and no other one is there to take them. */
  partsAlone(): boolean;
  /** The call was told to wait: whoever claims it has it. */
  letGo(callId: string): void;
  /** See `CarrierDesk`. */
  isCutOff(): boolean;
  steering: Steering;
  /** A caller who is declined waits there, and comes back. */
  hasFallbackDocument: boolean;
}

type Connect = Extract<Answer, { do: 'connect' }>;

/** A call that has no log yet. */
interface Beginning {
  state: Promise<CallState>;
  /** Something was put into its inbox meanwhile. */
  reported: boolean;
}

export class Desk implements CarrierDesk {
  readonly #options: DeskOptions;
  readonly #beginnings = new Map<string, Beginning>();
  #admission: Admission;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#admission = openWhile(options.takesCalls);
  }

  /** Whoever watches what calls depend on is there only after the desk: from now on it decides over new calls. */
  admitBy(admission: Admission): void {
    this.#admission = admission;
  }

  /** Calls that are taken and have no parts here yet. */
  get beginning(): number {
    return [...this.#beginnings.keys()].filter((callId) => !this.#options.live.get(callId)).length;
  }

  /**
   * Declines a call that cannot be begun: the journal did not answer within about a second, or its agent fails.
   *
   * @throws what is neither of the two, as GiveUpError `journal.future`
   */
  async answerCall(incoming: IncomingCall, mayComeAgain = false): Promise<Answer> {
    const callId = incoming.carrierCallId;
    try {
      return await this.#answer(callId, incoming, mayComeAgain);
    } catch (error) {
      const cause = causeOf(error);
      if (cause === null) throw error;
      const answer = this.#decline(callId, cause, error);
      this.#letDeclinedEnd(callId, cause, answer);
      return answer;
    }
  }

  isCutOff(): boolean {
    return this.#options.isCutOff();
  }

  /**
   * An answer that came too late would find nobody, and is not to count as one of the call's tries.
   *
   * @throws FixCallError `call.unknown`; RetryError `journal.unavailable`
   */
  async continueCall(
    carrierCallId: string,
    key: string,
    left: RequestedStream | null = null,
  ): Promise<Answer> {
    const { clock, registry } = this.#options;
    if (this.isCutOff()) throw this.#sendElsewhere(carrierCallId);
    const callId = await unlessStalled(clock, this.#callIdOf(carrierCallId));
    await this.#verify(callId);
    const state = await unlessStalled(clock, registry.read(callId));
    if (!state) throw unknown(carrierCallId);
    const answer = await this.#instruct(state);
    if (answer.do === 'connect') return this.#requestStream(answer, key, left);
    if (answer.do === 'wait' && this.#options.partsAlone()) this.#options.letGo(callId);
    return answer;
  }

  /** @throws FixCallError `call.unknown`; RetryError `journal.unavailable` */
  async report(carrierCallId: string, signal: Signal, key: string): Promise<void> {
    const { journal, registry } = this.#options;
    const beginning = this.#beginnings.get(carrierCallId);
    const row = await journal.findByCarrierId(carrierCallId);
    if (!row && !beginning) throw unknown(carrierCallId);
    if (row && row.endedAt !== null) return;
    if (beginning) beginning.reported = true;
    await registry.deliver(row?.callId ?? carrierCallId, signal, key);
  }

  async admitStream({ carrierCallId, token, line }: StreamStart): Promise<LineListener | null> {
    const { clock, tokenKey, claims } = this.#options;
    const shown = readStreamToken(tokenKey, token, clock.now());
    if (!shown || shown.callId !== (await this.#callIdOf(carrierCallId))) return null;
    const { callId, attempt } = shown;
    const state = await this.#readForStream(callId, attempt);
    if (!mayAdmit(state, attempt)) return null;
    if (await this.#options.steering.sendsAway(state)) {
      await this.#noteMisdirected(callId, attempt, randomUUID());
      return null;
    }
    const parts = await claims.claim(callId, {
      claim: { why: 'stream', attempt },
      signals: [{ entry: { type: 'stream.started', streamId: line.streamId, attempt } }],
      line,
      mayClaim: (state) => mayAdmit(state, attempt),
    });
    return parts?.admit(line) ?? null;
  }

  async #answer(callId: string, incoming: IncomingCall, mayComeAgain: boolean): Promise<Answer> {
    const known = await unlessStalled(this.#options.clock, this.#read(callId));
    if (known) return this.#instruct(known);
    const refusal = this.#admission.refusal();
    if (refusal !== null && mayComeAgain && this.#admission.putsOff(refusal)) return putOff;
    if (refusal !== null) return this.#decline(callId, refusal, null);
    return this.#instruct(await this.#beginOnce(callId, incoming));
  }

  #decline(callId: string, cause: DeclineCause, error: unknown): Answer {
    const number = this.#admission.decline(callId, cause, error);
    if (number === null) return { do: 'decline' };
    const apology = cause === 'model' || cause === 'agent' ? 'agentUnavailable' : 'trouble';
    return { do: 'transfer', number, ringMs: this.#options.settings.ringMs, apology };
  }

  /** The same webhook delivered twice at once begins one call. */
  #beginOnce(callId: string, incoming: IncomingCall): Promise<CallState> {
    const present = this.#beginnings.get(callId);
    if (present) return present.state;
    const state = this.#begin(callId, incoming).finally(() => this.#beginnings.delete(callId));
    this.#beginnings.set(callId, { state, reported: false });
    return state;
  }

  async #begin(callId: string, incoming: IncomingCall): Promise<CallState> {
    const { live, registry } = this.#options;
    const agent = await live.create(callId, { direction: 'incoming', ...incoming });
    const state = await this.#create(callId, this.#created(incoming, agent.digest));
    // What was put into the inbox before the call had a log was told to nobody.
    if (this.#beginnings.get(callId)?.reported) registry.watchInbox();
    return state;
  }

  async #create(callId: string, created: Signal): Promise<CallState> {
    const { registry, clock } = this.#options;
    try {
      const answered = { type: 'call.answered', by: 'us' } as const;
      return (await unlessStalled(clock, registry.create(callId, created, [answered]))).state;
    } catch (error) {
      const known = isKnown(error) ? await this.#read(callId) : null;
      if (known) return known;
      if (causeOf(error) === null) this.#abandon(callId);
      throw error;
    }
  }

  /**
   * What was begun of a call may be stored after all. Its caller has been told to go, or talks to somebody else: it ends
   * with that, and nobody comes back to it. From the fallback document, though, the caller comes back.
   */
  #letDeclinedEnd(callId: string, cause: DeclineCause, answer: Answer): void {
    const call = this.#options.registry.get(callId);
    const comesBack = answer.do === 'decline' && this.#options.hasFallbackDocument;
    if (comesBack || !call) this.#abandon(callId);
    else call.signal({ entry: { type: 'call.declined', cause } });
  }

  #abandon(callId: string): void {
    this.#options.registry.abandon(callId);
    this.#options.live.release(callId);
  }

  #created({ carrierCallId, from, to }: IncomingCall, agent: string): Signal {
    return {
      entry: {
        type: 'call.created',
        format: current.format,
        chart: current.number,
        agent,
        direction: 'incoming',
        carrierCallId,
        from: referTo(from),
        to: referTo(to),
        traceId: randomBytes(16).toString('hex'),
        settings: this.#options.settings,
      },
      payloads: { from, to },
    };
  }

  /** Incoming calls bear the carrier's id; others are looked up. */
  async #callIdOf(carrierCallId: string): Promise<string> {
    if (this.#options.registry.get(carrierCallId)) return carrierCallId;
    const row = await this.#options.journal.findByCarrierId(carrierCallId);
    return row?.callId ?? carrierCallId;
  }

  async #read(callId: string): Promise<CallState | null> {
    await this.#verify(callId);
    return this.#options.registry.read(callId);
  }

  /** What lives here may be out of date: the same answer everywhere is one from the log (D1), if it can be had. */
  async #verify(callId: string): Promise<void> {
    const { registry, clock } = this.#options;
    await unlessStalled(clock, registry.verify(callId)).catch(() => undefined);
  }

  /** Null for a call of a newer version: its stream is closed unclaimed, so that another instance may get the next. */
  async #readForStream(callId: string, attempt: number): Promise<CallState | null> {
    try {
      return await this.#read(callId);
    } catch (error) {
      if (!isFuture(error)) throw error;
      await this.#noteMisdirected(callId, attempt, randomUUID());
      return null;
    }
  }

  /** No fault of the line: whoever owns the call does not count it as one. */
  #noteMisdirected(callId: string, attempt: number, key: string): Promise<void> {
    const signal: Signal = { entry: { type: 'stream.misdirected', attempt } };
    return this.#options.registry.deliver(callId, signal, `${callId}:misdirected:${key}`);
  }

  #instruct(state: CallState): Promise<Answer> {
    return this.#options.instructions.answerFor(state);
  }

  /** The carrier asks, so the caller is there: what lives here goes on waiting for a stream, and no try is spent. */
  #sendElsewhere(callId: string): RetryError {
    const call = this.#options.registry.get(callId);
    if (call?.state.snapshot.hasTag('recovering')) {
      const attempt = call.state.snapshot.context.stream.attempt + 1;
      // In this order: there may be no try yet that could be taken back.
      const types = ['stream.requested', 'stream.misdirected'] as const;
      call.signalAll(types.map((type) => ({ entry: { type, attempt } })));
    }
    return new RetryError('journal.unavailable', 'the journal does not answer this process');
  }

  /** Whoever owns the call counts the tries; the answer does not wait for that. */
  #requestStream(answer: Connect, key: string, left: RequestedStream | null): Connect {
    const { callId, attempt } = answer;
    // The attempt is the same again: no process has admitted the stream that it was asked for before.
    const isVain = left?.attempt === attempt;
    const spared = isVain ? (left.spared ?? 0) : 0;
    const isSpared = isVain && spared < mostSpared;
    void this.#noteRequest(callId, attempt, key, isSpared).catch(() => undefined);
    return isVain ? { ...answer, spared: isSpared ? spared + 1 : spared } : answer;
  }

  async #noteRequest(callId: string, attempt: number, key: string, isSpared: boolean): Promise<void> {
    const signal: Signal = { entry: { type: 'stream.requested', attempt } };
    if (isSpared) await this.#noteMisdirected(callId, attempt, key);
    await this.#options.registry.deliver(callId, signal, `${callId}:stream.requested:${key}`);
  }
}

/** A token is spent by the claim that names its attempt; an ended call takes no stream. */
export const mayAdmit = (state: CallState | null, attempt: number): state is CallState =>
  state !== null &&
  state.snapshot.status === 'active' &&
  !state.snapshot.hasTag('ending') &&
  attempt > state.snapshot.context.stream.attempt;

/** Null for what says nothing against a new call. */
function causeOf(error: unknown): DeclineCause | null {
  if (!(error instanceof HoldfastError)) return null;
  if (error.code === 'journal.unavailable') return 'journal';
  return error.code === 'agent.invalid' ? 'agent' : null;
}

const unknown = (carrierCallId: string): FixCallError =>
  new FixCallError('call.unknown', `there is no call ${carrierCallId}`);

const isFuture = (error: unknown): boolean => error instanceof GiveUpError && error.code === 'journal.future';

const isKnown = (error: unknown): boolean => error instanceof FixCallError && error.code === 'call.exists';
