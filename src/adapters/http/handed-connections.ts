/**
 * Owns: the connections of a server that listens nowhere itself: another process takes them and hands them over.
 * Does not own: who gets which connection, how they come here (`ConnectionSource`).
 *
 * Invariants:
 * S1. Once no more connections come, those that are open are served to their end.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionTaker {
  connection(socket: Socket): void;
  /** One that another process has read the request of. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

export interface ConnectionSource {
  /** Resolves with the port once connections come. @throws as `listen` of Node.js */
  open(address: { host: string; port: number }, taker: ConnectionTaker): Promise<number>;
  /** Resolves when no connection comes any more. */
  close(): Promise<void>;
}

export class HandedConnections {
  readonly #server: Server;
  readonly #source: ConnectionSource;
  readonly #open = new Set<Socket>();
  #ended = Promise.withResolvers<void>();
  #closing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(server: Server, source: ConnectionSource) {
    this.#server = server;
    this.#source = source;
  }

  /** Also after `close`. @throws as `listen` of Node.js */
  async open(address: { host: string; port: number }): Promise<number> {
    await this.#closing;
    if (this.#isClosed) this.#ended = Promise.withResolvers();
    this.#isClosed = false;
    // With this the server begins to watch how long requests take, as it does where it listens itself.
    this.#server.emit('listening');
    return this.#source.open(address, {
      connection: (socket) => {
        this.#keep(socket);
        this.#server.emit('connection', socket);
      },
      upgrade: (request, socket, head) => {
        this.#keep(socket);
        this.#server.emit('upgrade', request, socket, head);
      },
    });
  }

  /** Resolves when the last socket is closed, upgraded ones included. */
  async close(): Promise<void> {
    const { promise: ended } = this.#ended;
    this.#closing = this.#source.close();
    await this.#closing;
    this.#isClosed = true;
    this.#server.close();
    this.#noteEnd();
    await ended;
  }

  /** As the sockets of a server that listens itself. */
  #keep(socket: Socket): void {
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#noteEnd();
    });
  }

  #noteEnd(): void {
    if (this.#isClosed && this.#open.size === 0) this.#ended.resolve();
  }
}
