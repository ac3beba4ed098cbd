/**
 * Owns: what the carrier's side asks of the rest (the desk), and what the rest asks of it (the line, the control).
 * Does not own: webhooks, TwiML, signatures, messages (`src/adapters/twilio`).
 *
 * Invariants:
 * R1. Nothing reaches the desk that was not signed by the carrier.
 * R2. A line ends in exactly one `stream.closed`, and signals nothing after it.
 */
import type { CarrierStatus } from '../../machines/entry-values.ts';
import type { Apology, Instruction } from '../../machines/instruction.ts';
import type { Signal } from './signal.ts';

export interface IncomingCall {
  carrierCallId: string;
  from: string;
  to: string;
}

/** `spared`: how many in a row before it no process admitted, and that were none of the tries; 0 unless told. */
export interface RequestedStream {
  attempt: number;
  spared?: number;
}

/** What the carrier is to do next. `connect` names our call and carries the token that its stream must show. */
export type Answer =
  | ({ do: 'connect'; callId: string; token: string; pauseMs: number } & RequestedStream)
  /** Dial the number (E.164) for the caller and leave the two alone; `apology` is said first. */
  | { do: 'transfer'; number: string; ringMs: number; apology: Apology | null }
  | Exclude<Instruction, { do: 'connect' | 'transfer' }>
  /** We cannot take the call now: say so, or hand it to the fallback; where it may soon be taken, have it come in again. */
  | { do: 'decline'; againAfterMs?: number };

/** An open media stream towards the caller. */
export interface Line {
  readonly streamId: string;
  /**
   * Who is told of `stream.stopped` and `stream.closed` while the stream is not admitted yet; of what came before, in the
   * next microtask. Once it is admitted, its listener is told of both again.
   */
  whenEndedEarly(listener: (signal: Signal) => void): void;
  /** G.711 mu-law at 8 kHz, any length. */
  sendAudio(audio: Buffer): void;
  sendMark(name: string): void;
  clear(): void;
  bufferedBytes(): number;
  /** Ends the stream; the carrier then asks what to do next. */
  close(): void;
}

export interface LineListener {
  /**
   * `audio`: G.711 mu-law at 8 kHz, 20 ms of it as a rule, in memory that the next frame uses again. `timestampMs`:
   * milliseconds since the stream began, by the carrier's clock.
   */
  onAudio(audio: Uint8Array, timestampMs: number): void;
  /** All audio that was to wait for one another has come: none of it needs to wait any more. Not told of every line. */
  onGathered?(): void;
  onMark(name: string): void;
  /** One of `stream.stopped`, `stream.closed`, `digit.pressed`, `input.refused`. */
  onSignal(signal: Signal): void;
}

export interface StreamStart {
  carrierCallId: string;
  token: string;
  line: Line;
}

/** What webhooks and streams are handed to. */
export interface CarrierDesk {
  /**
   * An incoming call, or the same delivery once more. `mayComeAgain`: it can be put off where somebody may soon take it;
   * it cannot unless told.
   */
  answerCall(call: IncomingCall, mayComeAgain?: boolean): Promise<Answer>;
  /**
   * The carrier asks what to do next with a call that it has. `key` tells one request from another; `left` is the stream
   * that was asked for last, where that is known: it is over, or never came about.
   */
  continueCall(carrierCallId: string, key: string, left?: RequestedStream | null): Promise<Answer>;
  /** `key` tells one delivery from another: the same one again changes nothing. */
  report(carrierCallId: string, signal: Signal, key: string): Promise<void>;
  /** Null refuses the stream: its token is missing, used, expired or another call's. */
  admitStream(start: StreamStart): Promise<LineListener | null>;
  /** No stream can be admitted here now, and another process may be able to. */
  isCutOff(): boolean;
}

/** What we ask of the carrier outside the stream. */
export interface CarrierControl {
  /**
   * Ends the call. A call that is over already counts as ended.
   * @throws GiveUpError `carrier.refused`, RetryError `carrier.unavailable`
   */
  endCall(carrierCallId: string): Promise<void>;
  /**
   * Has the call carry out `answer` at once, whatever it is doing. The carrier ends the call's stream for it.
   * @throws GiveUpError `carrier.refused` (the call is not in progress), RetryError `carrier.unavailable`
   */
  redirectCall(carrierCallId: string, answer: Answer): Promise<void>;
  /** @throws GiveUpError `carrier.refused`, RetryError `carrier.unavailable` */
  fetchStatus(carrierCallId: string): Promise<CarrierStatus>;
}
