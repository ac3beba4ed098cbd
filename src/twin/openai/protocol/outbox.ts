/**
 * Owns: writing server events: identifier, JSON, socket.
 * Does not own: which events there are to write, faults on their way.
 */
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import type { Socket } from '../../../runtime/ports/socket.ts';
import type { Random } from '../../random.ts';
import { type Identify, randomWord } from './identifiers.ts';
import type { ProtocolError } from './protocol-errors.ts';

export type ServerEventType = RealtimeServerEvent['type'];

/** Texts travel padded to a multiple of this, so that their length does not give them away. */
const obfuscatedLength = 16;

export class Outbox {
  readonly #socket: Socket;
  readonly #identify: Identify;
  readonly #random: Random;
  readonly #onSent: (type: ServerEventType) => void;
  #isOpen = true;

  constructor(socket: Socket, identify: Identify, random: Random, onSent: (type: ServerEventType) => void) {
    this.#socket = socket;
    this.#identify = identify;
    this.#random = random;
    this.#onSent = onSent;
  }

  emit(type: ServerEventType, fields: object): void {
    if (!this.#isOpen) return;
    this.#socket.send(JSON.stringify({ type, event_id: this.#identify('event'), ...fields }));
    this.#onSent(type);
  }

  /** Emits a piece of text with the filler that the service adds to it. */
  emitText(type: ServerEventType, fields: object, delta: string): void {
    const obfuscation = randomWord(this.#random, obfuscatedLength - (delta.length % obfuscatedLength));
    this.emit(type, { ...fields, delta, obfuscation });
  }

  /** Reports an error. `clientEventId`: the identifier that the client gave to the event that caused it. */
  refuse(error: ProtocolError, clientEventId: string | null = null): void {
    this.emit('error', { error: { ...error, event_id: clientEventId } });
  }

  /** Closes the socket; nothing is sent after that. */
  close(code: number, reason: string): void {
    this.stop();
    this.#socket.close(code, reason);
  }

  /** Sends nothing more: the socket is gone. */
  stop(): void {
    this.#isOpen = false;
  }
}
