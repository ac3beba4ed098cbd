/**
 * Owns: two joined sockets in memory, whose messages take time on a clock. They stand in for a WebSocket.
 * Does not own: opening them (`memory-connection.ts`), what they carry.
 *
 * Invariants: K1 and K2 of `src/runtime/ports/socket.ts`; messages of one direction keep their order.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { Socket, SocketClosure, SocketHandlers } from '../../../runtime/ports/socket.ts';

/** How long a closing side waits for the answer of the other; the `ws` package waits as long. */
const closeTimeoutMs = 30_000;

export interface MemorySocketOptions {
  clock: Clock;
  /** From one end to the other. */
  delayMs: number;
  handlers: SocketHandlers;
  /** A larger message closes the socket with 1009. */
  maxMessageBytes: number;
}

/** No character takes more bytes in UTF-8 for one unit of a string. */
const mostBytesPerUnit = 3;

const isLarger = (data: string | Uint8Array, limitBytes: number): boolean =>
  data.length * mostBytesPerUnit > limitBytes && Buffer.byteLength(data) > limitBytes;

export class MemorySocket implements Socket {
  readonly #options: MemorySocketOptions;
  #peer: MemorySocket | null = null;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #isDeaf = false;
  #closeTimer: TimerHandle;

  constructor(options: MemorySocketOptions) {
    this.#options = options;
  }

  static join(one: MemorySocket, other: MemorySocket): void {
    one.#peer = other;
    other.#peer = one;
  }

  send(text: string): void {
    if (this.#state === 'open') this.#transmit((peer) => peer.#deliver(text));
  }

  sendBinary(bytes: Uint8Array): void {
    if (this.#state === 'open') this.#transmit((peer) => peer.#deliver(bytes));
  }

  ping(): void {
    if (this.#state === 'open') this.#transmit((peer) => peer.#answerPing());
  }

  close(code: number, reason = ''): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#transmit((peer) => peer.#takeClose({ code, reason }));
    this.#closeTimer = this.#options.clock.setTimeout(() => this.terminate(), closeTimeoutMs);
  }

  terminate(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const { clock, handlers } = this.#options;
    clock.clearTimeout(this.#closeTimer);
    clock.setTimeout(() => handlers.onClose({ code: 1006, reason: '' }), 0);
    this.#transmit((peer) => peer.#finish({ code: 1006, reason: '' }));
  }

  bufferedBytes(): number {
    return 0;
  }

  /** From now on this end hears nothing and answers nothing, though it is still there. */
  deafen(): void {
    this.#isDeaf = true;
  }

  #transmit(arrive: (peer: MemorySocket) => void): void {
    const { clock, delayMs } = this.#options;
    const peer = this.#peer;
    if (peer !== null) clock.setTimeout(() => arrive(peer), delayMs);
  }

  #deliver(data: string | Uint8Array): void {
    if (this.#state === 'closed' || this.#isDeaf) return;
    if (isLarger(data, this.#options.maxMessageBytes)) this.close(1009, 'Message too big');
    else this.#options.handlers.onMessage(data);
  }

  #answerPing(): void {
    if (this.#state !== 'open' || this.#isDeaf) return;
    this.#transmit((peer) => peer.#takePong());
  }

  #takePong(): void {
    if (this.#state === 'open') this.#options.handlers.onPong?.();
  }

  /** Answers the closing handshake of the peer, or is its answer. */
  #takeClose(closure: SocketClosure): void {
    if (this.#isDeaf || this.#state === 'closed') return;
    if (this.#state === 'open') this.#transmit((peer) => peer.#finish(closure));
    this.#finish(closure);
  }

  #finish(closure: SocketClosure): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#options.clock.clearTimeout(this.#closeTimer);
    this.#options.handlers.onClose(closure);
  }
}
