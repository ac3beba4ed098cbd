/**
 * Owns: the public port of all workers together: it takes connections, unread, and hands each to a worker.
 * Does not own: which worker (`shares.ts`), what is said over a connection.
 *
 * Invariants:
 * E4. A connection that a worker has not taken when it ends is handed to another one. Without any it waits for one, for
 *     `waitLimitMs` and among `mostWaiting`: whoever dialled is answered by the next worker, or tries again.
 * I4. After `close` no socket is open here.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import type { Address } from './messages.ts';
import { Shares } from './shares.ts';
import type { LoadReport } from './worker-load.ts';
import type { WorkerProcess } from './worker-process.ts';

export const waitLimitMs = 3_000;
export const mostWaiting = 1_000;

export type EntranceWorker = Pick<WorkerProcess, 'tell'>;

export class Entrance<Worker extends EntranceWorker = WorkerProcess> {
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #shares: Shares<Worker>;
  /** Connections on the way to a worker, by their numbers there. */
  readonly #untaken = new Map<Worker, Map<number, Socket>>();
  readonly #waiting = new Map<Socket, TimerHandle>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#shares = new Shares(() => clock.monotonic());
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => undefined);
      this.#admit(socket);
    });
    // Of a connection that could not be taken; the next one may be.
    this.#server.on('error', () => undefined);
  }

  /** Workers that connections are handed to. */
  get size(): number {
    return this.#shares.size;
  }

  get isListening(): boolean {
    return this.#server.listening;
  }

  /** A worker is here that does not stand still. */
  get isServed(): boolean {
    return this.#shares.isAwake;
  }

  /** All workers are to end: whoever stands still by now does not come back for a caller. */
  beginEnd(): void {
    this.#shares.spareStill();
  }

  /**
   * On Linux another service may listen on the same port, and the system spreads connections over both (`SO_REUSEPORT`).
   *
   * @returns the port, which the system chose where 0 was asked for
   * @throws what Node.js throws, as EADDRINUSE
   */
  listen(address: Address): Promise<number> {
    return new Promise((resolve, reject) => {
      const onListening = (): void => {
        this.#server.off('error', onError);
        const bound = this.#server.address();
        resolve(typeof bound === 'object' && bound ? bound.port : address.port);
      };
      const onError = (error: Error): void => {
        this.#server.off('listening', onListening);
        reject(error);
      };
      this.#server.once('error', onError).once('listening', onListening);
      this.#server.listen({ ...address, reusePort: process.platform === 'linux' });
    });
  }

  /** From now on the worker gets connections. @param report what it told last */
  add(worker: Worker, report: LoadReport): void {
    this.#shares.add(worker, report);
    this.#untaken.set(worker, new Map());
    this.#serveWaiting();
  }

  note(worker: Worker, report: LoadReport): void {
    this.#shares.note(worker, report);
    const untaken = this.#untaken.get(worker);
    for (const [number, socket] of untaken ?? []) {
      if (number > report.taken) break;
      untaken?.delete(number);
      socket.destroy();
    }
    this.#serveWaiting();
  }

  /** The worker gets no connection any more; those on their way it takes. */
  remove(worker: Worker): void {
    this.#shares.remove(worker);
  }

  /** E4: the worker has ended. */
  forget(worker: Worker): void {
    this.remove(worker);
    const untaken = this.#untaken.get(worker);
    this.#untaken.delete(worker);
    for (const socket of untaken?.values() ?? []) this.#admit(socket);
  }

  /** I4. It may listen again. */
  close(): void {
    this.#server.close();
    for (const [socket, timer] of this.#waiting) {
      this.#clock.clearTimeout(timer);
      socket.destroy();
    }
    this.#waiting.clear();
  }

  #admit(socket: Socket): void {
    if (!this.#hand(socket)) this.#keepWaiting(socket);
  }

  #serveWaiting(): void {
    for (const [socket, timer] of [...this.#waiting]) {
      if (!this.#hand(socket)) return;
      this.#clock.clearTimeout(timer);
      this.#waiting.delete(socket);
    }
  }

  /** @returns whether there is a worker for it */
  #hand(socket: Socket): boolean {
    const share = this.#shares.hand();
    if (share === null) return false;
    const { worker, number } = share;
    this.#untaken.get(worker)?.set(number, socket);
    worker.tell({ type: 'connection', number }, socket);
    return true;
  }

  #keepWaiting(socket: Socket): void {
    if (this.#waiting.size >= mostWaiting || !this.#server.listening) {
      socket.destroy();
      return;
    }
    const giveUp = (): void => {
      this.#waiting.delete(socket);
      socket.destroy();
    };
    this.#waiting.set(socket, this.#clock.setTimeout(giveUp, waitLimitMs));
  }
}
