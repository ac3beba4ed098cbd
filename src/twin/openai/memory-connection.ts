/**
 * Owns: the offline Realtime service reached in memory, on whatever clock: for tests and simulations that hold days
 * of calls in seconds.
 * Does not own: the service (`offline-service.ts`), the joined sockets (`connection/memory-socket.ts`).
 */
import type { TimerHandle } from '../../runtime/ports/clock.ts';
import type {
  OpeningHandlers,
  OpenSocket,
  SocketHandlers,
  SocketRefusal,
  SocketRequest,
} from '../../runtime/ports/socket.ts';
import { refusalBody } from './connection/admission.ts';
import { MemorySocket } from './connection/memory-socket.ts';
import {
  type Attempt,
  largestMessageBytes,
  OfflineService,
  type OfflineServiceOptions,
  type Reception,
} from './offline-service.ts';
import type { TwinSession } from './twin-session.ts';

export interface InMemoryOptions extends OfflineServiceOptions {
  /** From one end to the other, milliseconds. Default 0: at once, but never within the same call. */
  delayMs?: number;
}

export interface InMemoryTwin {
  openSocket: OpenSocket;
  readonly sessions: readonly TwinSession[];
  readonly attempts: readonly Attempt[];
  /** Drops all connections. */
  close(): void;
}

/** Begins an offline Realtime service that is reached through `openSocket`. */
export function connectInMemory(options: InMemoryOptions): InMemoryTwin {
  const service = new OfflineService(options);
  return {
    openSocket: (request, handlers) => {
      const opening = new Opening(service, options.delayMs ?? 0, request, handlers);
      return () => opening.giveUp();
    },
    get sessions() {
      return service.sessions;
    },
    get attempts() {
      return service.attempts;
    },
    close: () => service.close(),
  };
}

/** A connection from the request until it is open, refused or given up. */
class Opening {
  readonly #service: OfflineService;
  readonly #delayMs: number;
  readonly #request: SocketRequest;
  readonly #handlers: OpeningHandlers;
  readonly #timeout: TimerHandle;
  #step: TimerHandle;
  #client: MemorySocket | null = null;
  #isSettled = false;
  #isOpen = false;

  constructor(service: OfflineService, delayMs: number, request: SocketRequest, handlers: OpeningHandlers) {
    this.#service = service;
    this.#delayMs = delayMs;
    this.#request = request;
    this.#handlers = handlers;
    this.#timeout = service.clock.setTimeout(() => this.#expire(), request.handshakeTimeoutMs);
    this.#wait(delayMs, () => this.#arrive());
  }

  /** Nothing is called after this. */
  giveUp(): void {
    if (this.#settle()) this.#client?.terminate();
  }

  /** True the first time. */
  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#service.clock.clearTimeout(this.#timeout);
    this.#service.clock.clearTimeout(this.#step);
    return true;
  }

  #wait(delayMs: number, then: () => void): void {
    this.#step = this.#service.clock.setTimeout(then, delayMs);
  }

  #expire(): void {
    const client = this.#client;
    this.#refuse({
      kind: 'timeout',
      status: null,
      retryAfterMs: null,
      detail: 'The handshake has timed out.',
    });
    client?.terminate();
  }

  #refuse(refusal: SocketRefusal): void {
    if (this.#settle()) this.#handlers.onRefused(refusal);
  }

  #arrive(): void {
    const headers = Object.entries(this.#request.headers).map(([name, value]) => [name.toLowerCase(), value]);
    const reception = this.#service.receive({
      url: this.#request.url,
      headers: Object.fromEntries(headers),
    });
    this.#wait(reception.delayMs, () => this.#answer(reception));
  }

  #answer(reception: Reception): void {
    const { admission } = reception;
    if (admission.kind !== 'refused') {
      this.#join(reception);
      return;
    }
    const { status, retryAfterSeconds } = admission;
    const retryAfterMs = retryAfterSeconds === null ? null : retryAfterSeconds * 1_000;
    this.#wait(this.#delayMs, () =>
      this.#refuse({ kind: 'http', status, retryAfterMs, detail: refusalBody(status) }),
    );
  }

  #join(reception: Reception): void {
    const { clock } = this.#service;
    const pair = { clock, delayMs: this.#delayMs };
    const client = new MemorySocket({
      ...pair,
      handlers: this.#clientHandlers(),
      maxMessageBytes: this.#request.maxMessageBytes,
    });
    let served: SocketHandlers | null = null;
    const server = new MemorySocket({
      ...pair,
      handlers: {
        onMessage: (data) => served?.onMessage(data),
        onClose: (closure) => served?.onClose(closure),
      },
      maxMessageBytes: largestMessageBytes,
    });
    MemorySocket.join(client, server);
    this.#client = client;
    this.#wait(this.#delayMs, () => this.#open(client));
    served = this.#service.open({ socket: server, stall: () => server.deafen() }, reception);
  }

  #open(client: MemorySocket): void {
    if (!this.#settle()) return;
    this.#isOpen = true;
    this.#handlers.onOpen(client);
  }

  /** A connection that never opened is closed without a word to the client. */
  #clientHandlers(): SocketHandlers {
    const handlers = this.#handlers;
    return {
      onMessage: (data) => handlers.onMessage(data),
      onClose: (closure) => {
        if (this.#isOpen) handlers.onClose(closure);
      },
      onPong: () => handlers.onPong?.(),
    };
  }
}
