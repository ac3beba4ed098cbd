/**
 * Owns: the sockets of one simulated process: what passes while it lives, and how they break when it dies.
 * Does not own: when it dies (`process.ts`).
 *
 * Invariants:
 * G1. After the death nothing passes either way; the far sides see 1006.
 */
import type {
  OpeningHandlers,
  OpenSocket,
  Socket,
  SocketHandlers,
  SocketRequest,
} from '../../src/runtime/ports/socket.ts';

export interface SocketHost {
  readonly isAlive: boolean;
  /** False where the process is dead, or dies here. */
  cross(crossing: 'message' | 'send'): boolean;
  /** Runs what comes in now, or once the process is not frozen any more. */
  whenAwake(work: () => void): void;
}

export class GuardedSockets {
  readonly #host: SocketHost;
  readonly #sockets = new Set<Socket>();
  readonly #openings = new Set<() => void>();

  constructor(host: SocketHost) {
    this.#host = host;
  }

  /** Those that are open, or opening. */
  get all(): readonly object[] {
    return [...this.#sockets, ...this.#openings];
  }

  breakAll(): void {
    for (const socket of this.#sockets) socket.terminate();
    for (const giveUp of this.#openings) giveUp();
    this.#openings.clear();
  }

  /** A connection from outside. `accept` gives its socket, `attach` is given what the process may use of it. */
  accept(accept: (handlers: SocketHandlers) => Socket, attach: (socket: Socket) => SocketHandlers): void {
    let handlers: SocketHandlers | null = null;
    const raw = accept(
      this.#inwards(
        {
          onMessage: (data) => handlers?.onMessage(data),
          onPong: () => handlers?.onPong?.(),
          onClose: (closure) => handlers?.onClose(closure),
        },
        () => this.#sockets.delete(raw),
      ),
    );
    this.#sockets.add(raw);
    handlers = attach(this.#outwards(raw));
  }

  /** A connection to outside, by way of `openSocket`. */
  open(openSocket: OpenSocket, request: SocketRequest, handlers: OpeningHandlers): () => void {
    if (!this.#host.cross('send')) return () => undefined;
    let open: Socket | null = null;
    const settled = (): void => void this.#openings.delete(giveUp);
    const giveUp = openSocket(request, {
      ...this.#inwards(handlers, () => open && this.#sockets.delete(open)),
      onOpen: (raw) => {
        settled();
        open = raw;
        this.#sockets.add(raw);
        if (!this.#host.isAlive) raw.terminate();
        this.#host.whenAwake(() => {
          if (this.#host.cross('message')) handlers.onOpen(this.#outwards(raw));
          else raw.terminate();
        });
      },
      onRefused: (refusal) => {
        settled();
        this.#host.whenAwake(() => {
          if (this.#host.cross('message')) handlers.onRefused(refusal);
        });
      },
    });
    this.#openings.add(giveUp);
    return () => {
      settled();
      if (this.#host.isAlive) giveUp();
    };
  }

  #inwards(handlers: SocketHandlers, onGone: () => unknown): SocketHandlers {
    return {
      onMessage: (data) =>
        this.#host.whenAwake(() => {
          if (this.#host.cross('message')) handlers.onMessage(data);
        }),
      onPong: () =>
        this.#host.whenAwake(() => {
          if (this.#host.isAlive) handlers.onPong?.();
        }),
      onClose: (closure) => {
        onGone();
        this.#host.whenAwake(() => {
          if (this.#host.cross('message')) handlers.onClose(closure);
        });
      },
    };
  }

  #outwards(raw: Socket): Socket {
    return {
      send: (text) => {
        if (this.#host.cross('send')) raw.send(text);
      },
      ping: () => {
        if (this.#host.isAlive) raw.ping();
      },
      close: (code, reason) => {
        if (this.#host.cross('send')) raw.close(code, reason);
      },
      terminate: () => {
        if (this.#host.cross('send')) raw.terminate();
      },
      bufferedBytes: () => raw.bufferedBytes(),
    };
  }
}
