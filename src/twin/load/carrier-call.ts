/**
 * Owns: one call at the carrier: webhook, the streams that its TwiML orders, hang-up by either side.
 * Does not own: what goes over a stream (`carrier-stream.ts`).
 *
 * Source: Twilio, Voice webhooks, TwiML `<Connect><Stream>`, Call resource.
 */
import { account, hexadecimal } from './account.ts';
import type { CallerPlan } from './caller-plan.ts';
import { postForm, type StreamOrder, streamOrderOf, upgradeHeaders } from './carrier-http.ts';
import { CarrierStream } from './carrier-stream.ts';
import { FlightTimes } from './flight-times.ts';
import type { Beating, FrameClock } from './frame-clock.ts';
import { type FrameSocket, textOf } from './frame-socket.ts';
import { frameMs } from './frame-stamp.ts';
import { openFrameSocket } from './handshake.ts';
import type { Measures } from './measures.ts';
import { ReplyEar } from './reply-ear.ts';
import { connectedMessage, startMessage, stopMessage } from './stream-messages.ts';

/** What a call shares with all others. */
export interface CallSurroundings {
  /** The application's, for voice webhooks. */
  address: string;
  clock: FrameClock;
  measures: Measures;
  random: () => number;
  upFlights: Map<number, FlightTimes>;
  /** The audio that the model's side has sent, by its owner. */
  downFlights: Map<number, FlightTimes>;
}

const mostStreams = 3;
const keptFrames = 1_024;

export class CarrierCall implements Beating {
  readonly owner: number;
  readonly sid: string;
  readonly plan: CallerPlan;
  readonly ended: Promise<void>;
  readonly #surroundings: CallSurroundings;
  readonly #flights = new FlightTimes(keptFrames);
  readonly #ear: ReplyEar;
  #socket: FrameSocket | null = null;
  #stream: CarrierStream | null = null;
  #streamSid = '';
  #streams = 0;
  #placedAtMs = 0;
  #hasHeardSound = false;
  #endsAtMs = Number.POSITIVE_INFINITY;
  #isOver = false;
  #settle: () => void = () => undefined;

  constructor(owner: number, plan: CallerPlan, surroundings: CallSurroundings) {
    this.owner = owner;
    this.plan = plan;
    this.sid = `CA${hexadecimal(owner, 8)}${hexadecimal(Math.floor(surroundings.random() * 2 ** 48), 24)}`;
    this.#surroundings = surroundings;
    this.#ear = new ReplyEar(surroundings.measures, surroundings.downFlights);
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get isLive(): boolean {
    return this.#socket?.isOpen === true;
  }

  async place(): Promise<void> {
    this.#placedAtMs = performance.now();
    this.#surroundings.upFlights.set(this.owner, this.#flights);
    await this.#ask(`${this.#surroundings.address}/twilio/voice`, 'ringing');
  }

  beat(): void {
    const nowMs = performance.now();
    if (nowMs > this.#endsAtMs) this.hangUp();
    else this.#stream?.beat(nowMs);
  }

  /** The caller hangs up. */
  hangUp(): void {
    if (this.#isOver) return;
    if (this.isLive && this.#stream !== null) {
      this.#count('call.completed');
      this.#socket?.sendText(stopMessage(this.#streamSid, this.sid, this.#stream.nextSequence()));
    }
    this.#end();
  }

  /** The application ended the call by REST. */
  endedByApplication(): void {
    if (this.#isOver) return;
    this.#count('call.endedByApplication');
    this.#end();
  }

  /** The application sent other TwiML by REST. */
  redirect(twiml: string): void {
    const replaced = this.#socket;
    this.#socket = null;
    replaced?.close(1000);
    void this.#follow(twiml).catch((error: Error) => this.#fail(`error.${error.message}`));
  }

  #end(): void {
    this.#isOver = true;
    this.#surroundings.clock.remove(this);
    this.#surroundings.upFlights.delete(this.owner);
    this.#socket?.close(1000);
    const fields = { ...this.#fields('completed'), CallDuration: '1', SequenceNumber: '0' };
    postForm(`${this.#surroundings.address}/twilio/status`, fields)
      .catch((error: Error) => this.#count(`error.status: ${error.message}`))
      .finally(() => this.#settle());
  }

  #fields(status: string): Record<string, string> {
    const from = `+1555${1_000_000 + this.owner}`;
    return {
      AccountSid: account.accountSid,
      ApiVersion: '2010-04-01',
      CallSid: this.sid,
      CallStatus: status,
      Called: account.number,
      Caller: from,
      Direction: 'inbound',
      From: from,
      To: account.number,
    };
  }

  async #ask(address: string, status: string): Promise<void> {
    try {
      await this.#follow(await postForm(address, this.#fields(status)));
    } catch (error) {
      this.#fail(`error.${(error as Error).message}`);
    }
  }

  async #follow(twiml: string): Promise<void> {
    if (this.#isOver) return;
    const order = streamOrderOf(twiml);
    if (order === null) this.#fail(/<Hangup/.test(twiml) ? 'call.declined' : 'error.twiml');
    else if (++this.#streams > mostStreams) this.#fail('error.tooManyStreams');
    else await this.#openStream(order);
  }

  async #openStream(order: StreamOrder): Promise<void> {
    this.#streamSid = `MZ${hexadecimal(this.owner, 16)}${hexadecimal(this.#streams, 16)}`;
    const socket: FrameSocket = await openFrameSocket(order.url, upgradeHeaders(order.url), {
      onMessage: (message) => this.#stream?.take(textOf(message)),
      onClosed: (code) => this.#streamClosed(socket, code, order),
    });
    if (this.#isOver) socket.terminate();
    else this.#begin(socket, order);
  }

  #begin(socket: FrameSocket, { parameters }: StreamOrder): void {
    const { clock, measures, random } = this.#surroundings;
    const { plan, owner } = this;
    this.#socket = socket;
    this.#stream = new CarrierStream(socket, {
      ...{ plan, owner, measures, random, streamSid: this.#streamSid },
      flights: this.#flights,
      ear: this.#ear,
      onSound: (nowMs) => this.#noteSound(nowMs),
    });
    if (plan.callMs !== null) this.#endsAtMs = performance.now() + plan.callMs * (0.5 + random());
    socket.sendText(connectedMessage);
    socket.sendText(startMessage(this.#streamSid, this.sid, parameters));
    clock.add(this, plan.inStep ? 0 : Math.floor(random() * frameMs));
  }

  #noteSound(nowMs: number): void {
    if (!this.#hasHeardSound) this.#surroundings.measures.record('firstSound', nowMs - this.#placedAtMs);
    this.#hasHeardSound = true;
  }

  #streamClosed(socket: FrameSocket, code: number, { action }: StreamOrder): void {
    if (this.#isOver || socket !== this.#socket) return;
    this.#surroundings.clock.remove(this);
    this.#count(`stream.closed ${code}`);
    if (action === null) this.#fail('error.streamLost');
    else void this.#ask(action, 'in-progress');
  }

  /** Nothing more can come of the call. */
  #fail(kind: string): void {
    if (this.#isOver) return;
    this.#count(kind);
    this.#end();
  }

  #count(name: string): void {
    this.#surroundings.measures.count(name);
  }
}
