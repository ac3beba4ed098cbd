/**
 * Owns: one connection that was accepted: its session, its faults and its end; what a test may look at.
 * Does not own: the transport (`server.ts`, `memory-connection.ts`), the protocol (`session/session.ts`).
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Socket, SocketClosure, SocketHandlers } from '../../runtime/ports/socket.ts';
import { FaultInjector } from './connection/fault-injector.ts';
import type { Fault } from './faults.ts';
import type { ModelResponse } from './response/response.ts';
import type { ConversationItem } from './session/conversation.ts';
import { type Command, RealtimeSession, type SessionOptions } from './session/session.ts';
import type { SessionSettings } from './session/session-settings.ts';

/** The far end of a transport as the offline service sees it. */
export interface Line {
  socket: Socket;
  /** Stops answering pings. */
  stall(): void;
}

export type TwinSessionOptions = Omit<
  SessionOptions,
  'socket' | 'faults' | 'onSent' | 'onReceived' | 'clock'
> & { clock: Clock };

export class TwinSession {
  /** The number of the connection since the start of the twin, from 0. */
  readonly connection: number;
  readonly #line: Line;
  readonly #injector: FaultInjector;
  readonly #session: RealtimeSession;
  #isDeaf = false;
  #closure: SocketClosure | null = null;

  constructor(connection: number, options: TwinSessionOptions, line: Line, faults: readonly Fault[]) {
    this.connection = connection;
    this.#line = line;
    this.#injector = new FaultInjector(options.clock, line.socket, {
      stall: (answersPings) => this.#stall(answersPings),
      expire: (announced) => this.#session.expire(announced),
    });
    this.#session = new RealtimeSession({
      ...options,
      socket: this.#injector.socket,
      faults: this.#injector,
      onSent: (type) => this.#injector.noteSent(type),
      onReceived: (type) => this.#injector.noteReceived(type),
    });
    for (const fault of faults) this.#injector.inject(fault);
  }

  /** What the transport calls. */
  readonly handlers: SocketHandlers = {
    onMessage: (data) => {
      if (!this.#isDeaf) this.#session.receive(data);
    },
    onClose: (closure) => this.#end(closure),
  };

  start(isSideband: boolean): void {
    this.#session.start(isSideband);
  }

  /** Makes something go wrong from now on. */
  inject(fault: Fault): void {
    this.#injector.inject(fault);
  }

  /** Drops the connection. */
  terminate(): void {
    this.#line.socket.terminate();
  }

  /** How the connection ended, or null while it is open. */
  get closure(): SocketClosure | null {
    return this.#closure;
  }

  get id(): string {
    return this.settings.id;
  }

  get settings(): SessionSettings {
    return this.#session.settings;
  }

  /** The client's events, appends left out, oldest first. */
  get received(): readonly Command[] {
    return this.#session.received;
  }

  /** How many `input_audio_buffer.append` were received. */
  get appends(): number {
    return this.#session.appends;
  }

  /** All bytes of audio ever appended, in the session's input format. */
  get appendedBytes(): number {
    return this.#session.audio.appendedBytes;
  }

  /** A copy of the appended audio, as far as it is kept: the newest of it. */
  appendedAudio(): Uint8Array {
    return this.#session.audio.read();
  }

  get responses(): readonly ModelResponse[] {
    return this.#session.responses;
  }

  get items(): readonly ConversationItem[] {
    return this.#session.items;
  }

  #stall(answersPings: boolean): void {
    this.#isDeaf = true;
    if (!answersPings) this.#line.stall();
  }

  #end(closure: SocketClosure): void {
    this.#closure = closure;
    this.#session.stop();
    this.#injector.stop();
  }
}
