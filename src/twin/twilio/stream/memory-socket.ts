/**
 * Owns: sockets in memory between the twin and a server in the same process, under whatever clock they are given.
 * Does not own: what is sent.
 *
 * Invariants: K1 and K2 of `src/runtime/ports/socket.ts`; messages arrive in order, `latencyMs` after they were sent.
 */
import type { Clock } from '../../../runtime/ports/clock.ts';
import type {
  OpenSocket,
  Socket,
  SocketClosure,
  SocketHandlers,
  SocketRefusal,
  SocketRequest,
} from '../../../runtime/ports/socket.ts';
import type { FaultSocket } from './fault-socket.ts';

/** Takes or refuses a connection. `accept` gives the server's end and must be called before this returns. */
export type MemoryServer = (
  request: SocketRequest,
  accept: (handlers: SocketHandlers) => Socket,
) => SocketRefusal | undefined;

export function memorySockets(clock: Clock, latencyMs: number, server: MemoryServer): OpenSocket {
  return (request, handlers) => {
    let isGivenUp = false;
    clock.setTimeout(() => {
      if (isGivenUp) return;
      const pair = new SocketPair(clock, latencyMs);
      const refusal = server(request, (serverHandlers) => pair.joinServer(serverHandlers, handlers));
      if (refusal === undefined) handlers.onOpen(pair.client);
      else handlers.onRefused(refusal);
    }, latencyMs);
    return () => {
      isGivenUp = true;
    };
  };
}

type Side = 'client' | 'server';

const otherSide: Readonly<Record<Side, Side>> = { client: 'server', server: 'client' };
const brokenClosure: SocketClosure = { code: 1006, reason: '' };
const closeTimeoutMs = 30_000;

class SocketPair {
  readonly client: FaultSocket;
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #handlers = new Map<Side, SocketHandlers>();
  /** Sides that send nothing more: they began to close, or were told that the other did. */
  readonly #silenced = new Set<Side>();
  /** Sides whose `onClose` was called. */
  readonly #told = new Set<Side>();
  #isFrozen = false;

  constructor(clock: Clock, latencyMs: number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
    this.client = {
      ...this.#makeSocket('client'),
      reset: () => this.#terminate('client'),
      freeze: () => {
        this.#isFrozen = true;
      },
    };
  }

  joinServer(server: SocketHandlers, client: SocketHandlers): Socket {
    this.#handlers.set('server', server);
    this.#handlers.set('client', client);
    return this.#makeSocket('server');
  }

  #makeSocket(side: Side): Socket {
    return {
      send: (text) => this.#deliver(side, text),
      sendBinary: (bytes) => this.#deliver(side, bytes),
      ping: () => this.#ping(side),
      close: (code, reason = '') => this.#close(side, { code, reason }),
      terminate: () => this.#terminate(side),
      bufferedBytes: () => 0,
    };
  }

  #deliver(from: Side, data: string | Uint8Array): void {
    if (this.#silenced.has(from)) return;
    const to = otherSide[from];
    this.#travel(() => {
      if (!this.#told.has(to)) this.#handlers.get(to)?.onMessage(data);
    });
  }

  #ping(from: Side): void {
    if (this.#silenced.has(from)) return;
    const answer = (): void => {
      if (!this.#told.has(from)) this.#handlers.get(from)?.onPong?.();
    };
    this.#travel(() => this.#travel(answer));
  }

  /** The far side is told first; its reply then tells this one, which waits for it no longer than `ws` does. */
  #close(side: Side, closure: SocketClosure): void {
    if (this.#silenced.has(side)) return;
    this.#silenced.add(side);
    this.#travel(
      () => {
        this.#tell(otherSide[side], closure);
        this.#travel(() => this.#tell(side, closure));
      },
      () => this.#clock.setTimeout(() => this.#tell(side, brokenClosure), closeTimeoutMs),
    );
  }

  #terminate(side: Side): void {
    if (this.#told.has(side)) return;
    this.#silenced.add(side);
    this.#travel(() => this.#tell(otherSide[side], brokenClosure));
    this.#clock.setTimeout(() => this.#tell(side, brokenClosure), 0);
  }

  #tell(side: Side, closure: SocketClosure): void {
    if (this.#told.has(side)) return;
    this.#silenced.add(side);
    this.#told.add(side);
    this.#handlers.get(side)?.onClose(closure);
  }

  /** Arrives after the latency, or is lost where the network between is gone by then. */
  #travel(arrive: () => void, lose: () => void = () => undefined): void {
    this.#clock.setTimeout(() => (this.#isFrozen ? lose() : arrive()), this.#latencyMs);
  }
}
