/**
 * Owns: one media stream of a call at the carrier, while its socket is open: a frame for every 20 ms, marks, clear; and
 * what of it is measured.
 * Does not own: the call (`carrier-call.ts`), when its caller speaks (`caller-turns.ts`), the beat (`frame-clock.ts`).
 *
 * Source: Twilio, Media Streams, WebSocket messages.
 */
import type { CallerPlan } from './caller-plan.ts';
import { CallerTurns } from './caller-turns.ts';
import type { FlightTimes } from './flight-times.ts';
import type { FrameSocket } from './frame-socket.ts';
import { frameMs, silence, speech } from './frame-stamp.ts';
import type { Measures } from './measures.ts';
import { MediaFrames } from './media-frames.ts';
import { Playout } from './playout.ts';
import type { ReplyEar } from './reply-ear.ts';
import { markMessage } from './stream-messages.ts';

/** Twilio's first frame is not at 0. */
const firstTimestampMs = 100;
const jitterShare = 0.02;

export interface StreamSurroundings {
  plan: CallerPlan;
  owner: number;
  streamSid: string;
  measures: Measures;
  random: () => number;
  flights: FlightTimes;
  ear: ReplyEar;
  /** Something of a reply has come. */
  onSound(nowMs: number): void;
}

interface ServerMessage {
  event: string;
  media?: { payload: string };
  mark?: { name: string };
}

export class CarrierStream {
  readonly #surroundings: StreamSurroundings;
  readonly #socket: FrameSocket;
  readonly #frames: MediaFrames;
  readonly #turns: CallerTurns;
  readonly #playout = new Playout();
  /** `start` was the first. */
  #sequence = 1;
  #chunk = 0;
  #owedFrames = 0;
  #heldUntilMs = 0;
  #deafAtMs: number;
  #isDeaf = false;
  #spokeUntilMs: number | null = null;
  #bargedInAtMs: number | null = null;

  constructor(socket: FrameSocket, surroundings: StreamSurroundings) {
    const { plan, owner, streamSid, random } = surroundings;
    const nowMs = performance.now();
    this.#surroundings = surroundings;
    this.#socket = socket;
    this.#frames = new MediaFrames(streamSid, owner, plan.framesPerMessage);
    this.#turns = new CallerTurns(
      plan,
      {
        onSpeech: (isBargeIn) => this.#noteSpeech(isBargeIn),
        onNoReply: () => surroundings.measures.count('error.noReply'),
      },
      random,
      nowMs,
    );
    this.#deafAtMs =
      plan.deafness === null ? Number.POSITIVE_INFINITY : nowMs + plan.deafness.everyMs * (0.5 + random());
  }

  nextSequence(): number {
    return ++this.#sequence;
  }

  /** 20 ms have gone by. */
  beat(nowMs: number): void {
    const { plan } = this.#surroundings;
    this.#playout.takeDue(nowMs - 2 * plan.delayMs, (name) => this.#echo(name));
    this.#beDeaf(nowMs);
    this.#owedFrames++;
    if (this.#owedFrames * frameMs < plan.clumpMs || nowMs < this.#heldUntilMs) return;
    this.#holdBack(nowMs);
    this.#sendOwed(nowMs);
  }

  take(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    if (message.event === 'media' && message.media) this.#hear(Buffer.from(message.media.payload, 'base64'));
    else if (message.event === 'mark' && message.mark) this.#playout.mark(message.mark.name);
    else if (message.event === 'clear') this.#clear();
    else this.#surroundings.measures.count('error.carrierMessage');
  }

  #sendOwed(nowMs: number): void {
    const { framesPerMessage } = this.#surroundings.plan;
    const speaks = !this.#isDeaf && this.#turns.speaks(nowMs, this.#playout.queuedMs(nowMs));
    const kind = speaks ? speech : silence;
    for (; this.#owedFrames >= framesPerMessage; this.#owedFrames -= framesPerMessage) this.#sendFrame(kind);
  }

  #sendFrame(kind: number): void {
    const { plan, flights, measures } = this.#surroundings;
    const timestampMs = firstTimestampMs + this.#chunk * frameMs * plan.framesPerMessage;
    const number = flights.depart(performance.now());
    this.#socket.sendFrame(this.#frames.write(this.nextSequence(), ++this.#chunk, timestampMs, kind, number));
    measures.count('frames.sent');
  }

  /** Of a network that jitters. */
  #holdBack(nowMs: number): void {
    const { plan, random } = this.#surroundings;
    if (plan.jitterMs > 0 && random() < jitterShare) this.#heldUntilMs = nowMs + random() * plan.jitterMs;
  }

  #beDeaf(nowMs: number): void {
    const { deafness } = this.#surroundings.plan;
    if (deafness === null || nowMs < this.#deafAtMs) return;
    this.#deafAtMs = nowMs + deafness.forMs + deafness.everyMs;
    this.#isDeaf = true;
    this.#socket.pause();
    this.#surroundings.measures.count('line.deaf');
    setTimeout(() => this.#hearAgain(), deafness.forMs).unref();
  }

  #hearAgain(): void {
    this.#isDeaf = false;
    this.#socket.resume();
  }

  #noteSpeech(isBargeIn: boolean): void {
    const nowMs = performance.now();
    this.#bargedInAtMs = isBargeIn ? nowMs : null;
    this.#spokeUntilMs = nowMs + this.#surroundings.plan.speechMs;
  }

  #hear(audio: Buffer): void {
    const { ear, measures, onSound, plan } = this.#surroundings;
    const nowMs = performance.now();
    measures.count('media.received');
    this.#playout.play(audio.length, nowMs);
    this.#noteReply(nowMs);
    this.#turns.replyHeard(nowMs);
    onSound(nowMs);
    // A line that does not read takes its own time.
    if (plan.deafness === null) ear.hear(audio, nowMs);
  }

  #noteReply(nowMs: number): void {
    if (this.#spokeUntilMs === null || nowMs < this.#spokeUntilMs || !this.#turns.isWaiting) return;
    this.#surroundings.measures.record('turn', nowMs - this.#spokeUntilMs);
    this.#spokeUntilMs = null;
  }

  #clear(): void {
    const nowMs = performance.now();
    if (this.#bargedInAtMs !== null) {
      this.#surroundings.measures.record('bargeIn', nowMs - this.#bargedInAtMs);
    }
    this.#bargedInAtMs = null;
    this.#playout.clear(nowMs, (name) => this.#echo(name));
  }

  #echo(name: string): void {
    this.#socket.sendText(markMessage(this.#surroundings.streamSid, this.nextSequence(), name));
  }
}
