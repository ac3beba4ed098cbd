/**
 * Owns: one session of the offline Realtime service as a client meets it: messages in, events out, its end.
 * Does not own: sockets, who may connect (`connection/admission.ts`), faults of the connection
 * (`connection/fault-injector.ts`).
 *
 * Invariants:
 * E1. No message, whatever its bytes, throws: it is carried out or answered with an `error` event.
 * E2. A refused event changes nothing.
 * E3. After `stop` no timer of the session is left.
 *
 * Bound: `mostKeptEvents` received events are kept for inspection, without appends.
 *
 * Source: OpenAI Realtime, WebSocket.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { Socket } from '../../../runtime/ports/socket.ts';
import type { Random } from '../../random.ts';
import { AudioRecord } from '../audio/audio-record.ts';
import type { SegmentCache } from '../audio/segment-cache.ts';
import type { Brain } from '../brain.ts';
import { livePace, type Pace } from '../pace.ts';
import {
  type ClientEvent,
  type ClientEventOf,
  type ClientEventType,
  readClientEvent,
  readPlainAppend,
} from '../protocol/client-events.ts';
import { identifyWith } from '../protocol/identifiers.ts';
import { Outbox, type ServerEventType } from '../protocol/outbox.ts';
import { notAnEvent, type ProtocolError, sessionExpired } from '../protocol/protocol-errors.ts';
import type { ModelResponse } from '../response/response.ts';
import { automaticRequest, readRequest } from '../response/response-request.ts';
import { Responses } from '../response/responses.ts';
import { CallerTurns } from './caller-turns.ts';
import { Conversation, type ConversationItem } from './conversation.ts';
import { ItemCommands } from './item-commands.ts';
import type { SessionContext, SessionFaults } from './session-context.ts';
import { initialSettings, type SessionSettings, updateSettings } from './session-settings.ts';
import { UsageMeter } from './usage.ts';

const mostKeptEvents = 10_000;

/** What a client sends beside audio. */
export type Command = Exclude<ClientEvent, { type: 'input_audio_buffer.append' }>;

export interface SessionOptions {
  clock: Clock;
  random: Random;
  socket: Socket;
  brain: Brain;
  model: string;
  sounds: SegmentCache;
  faults: SessionFaults;
  pace?: Partial<Pace> | undefined;
  /** After which the session ends, milliseconds. The service's own is 60 minutes. */
  maximumMs: number;
  /** Newest bytes of appended audio that are kept for inspection and for `conversation.item.retrieve`. */
  recordedAudioBytes: number;
  onSent(type: ServerEventType): void;
  onReceived(type: ClientEventType): void;
}

export class RealtimeSession {
  readonly #options: SessionOptions;
  readonly #context: SessionContext;
  readonly #responses: Responses;
  readonly #turns: CallerTurns;
  readonly #items: ItemCommands;
  readonly #record: AudioRecord;
  readonly #received: Command[] = [];
  #settings: SessionSettings;
  #appends = 0;
  #isStopped = false;
  #expiry: TimerHandle;

  constructor(options: SessionOptions) {
    const { clock, random, socket, brain, sounds, faults } = options;
    const identify = identifyWith(random);
    const expiresAt = Math.floor((clock.now() + options.maximumMs) / 1_000);
    this.#options = options;
    this.#settings = initialSettings(identify('sess'), options.model, expiresAt);
    this.#context = {
      clock,
      random,
      identify,
      brain,
      sounds,
      faults,
      outbox: new Outbox(socket, identify, random, options.onSent),
      pace: { ...livePace, ...options.pace },
      conversation: new Conversation(identify('conv')),
      usage: new UsageMeter(),
      settings: () => this.#settings,
    };
    this.#record = new AudioRecord(options.recordedAudioBytes);
    this.#responses = new Responses(this.#context, (response) => this.#noteResponse(response));
    this.#turns = new CallerTurns(this.#context, this.#responses, this.#record);
    this.#items = new ItemCommands(this.#context, this.#responses);
  }

  get settings(): SessionSettings {
    return this.#settings;
  }

  /** The client's events as they were read, appends left out, oldest first. */
  get received(): readonly Command[] {
    return this.#received;
  }

  /** How often audio was appended. */
  get appends(): number {
    return this.#appends;
  }

  get audio(): AudioRecord {
    return this.#record;
  }

  get responses(): readonly ModelResponse[] {
    return this.#responses.all;
  }

  get items(): readonly ConversationItem[] {
    return this.#context.conversation.entries.map(({ item }) => item);
  }

  /** Begins the session. A sideband connection to a call is not greeted with `session.created`. */
  start(isSideband: boolean): void {
    if (!isSideband) this.#context.outbox.emit('session.created', { session: this.#settings });
    this.#expiry = this.#context.clock.setTimeout(() => this.expire(true), this.#options.maximumMs);
  }

  /** Takes a message of the client. */
  receive(message: string | Uint8Array): void {
    if (this.#isStopped) return;
    const audio = typeof message === 'string' ? readPlainAppend(message) : null;
    if (audio !== null) this.#append(audio);
    else this.#read(message);
  }

  /** Ends the session as its maximum does; `announced`: with the error event before the close. */
  expire(announced: boolean): void {
    const minutes = Math.round(this.#options.maximumMs / 60_000);
    const error = sessionExpired(minutes);
    if (announced) this.#context.outbox.refuse(error);
    this.#context.outbox.close(1001, error.message);
    this.stop();
  }

  /** Lets go of all timers and hears nothing more: the connection is gone. */
  stop(): void {
    this.#isStopped = true;
    this.#context.outbox.stop();
    this.#context.clock.clearTimeout(this.#expiry);
    this.#responses.stop();
    this.#turns.stop();
  }

  #read(message: string | Uint8Array): void {
    const result =
      typeof message === 'string' ? readClientEvent(message) : { error: notAnEvent(), eventId: null };
    if ('error' in result) {
      this.#context.outbox.refuse(result.error, result.eventId);
    } else if (result.event.type === 'input_audio_buffer.append') {
      this.#append(Buffer.from(result.event.audio, 'base64'));
    } else {
      this.#keep(result.event);
      const error = this.#carryOut(result.event);
      if (error !== null) this.#context.outbox.refuse(error, result.event.event_id ?? null);
      this.#options.onReceived(result.event.type);
    }
  }

  #append(audio: Uint8Array): void {
    this.#appends += 1;
    this.#turns.append(audio);
    this.#options.onReceived('input_audio_buffer.append');
  }

  #keep(event: Command): void {
    this.#received.push(event);
    if (this.#received.length > mostKeptEvents) this.#received.shift();
  }

  #carryOut(event: Command): ProtocolError | null {
    switch (event.type) {
      case 'session.update':
        return this.#update(event);
      case 'input_audio_buffer.commit':
        return this.#turns.commit();
      case 'input_audio_buffer.clear':
        this.#turns.clear();
        return null;
      case 'conversation.item.create':
        return this.#items.create(event);
      case 'conversation.item.retrieve':
        return this.#items.retrieve(event);
      case 'conversation.item.delete':
        return this.#items.delete(event);
      case 'conversation.item.truncate':
        return this.#items.truncate(event);
      case 'response.create':
        return this.#respond(event);
      case 'response.cancel':
        return this.#responses.cancel(event.response_id ?? null);
    }
  }

  #update({ session }: ClientEventOf<'session.update'>): ProtocolError | null {
    const result = updateSettings(this.#settings, session, this.#responses.hasSpoken);
    if ('error' in result) return result.error;
    this.#settings = result.settings;
    this.#turns.configure();
    this.#context.outbox.emit('session.updated', { session: this.#settings });
    return null;
  }

  #respond({ response }: ClientEventOf<'response.create'>): ProtocolError | null {
    if (!response) return this.#responses.create(automaticRequest(this.#settings, 'request'));
    const { conversation, identify } = this.#context;
    const result = readRequest(response, this.#settings, conversation, this.#responses.hasSpoken, identify);
    return 'error' in result ? result.error : this.#responses.create(result.request);
  }

  #noteResponse(response: ModelResponse): void {
    this.#items.addHeld();
    this.#turns.noteResponse(response);
  }
}
