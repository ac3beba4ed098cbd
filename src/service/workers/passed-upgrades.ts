/**
 * Owns: media upgrades that a worker passes on to the sibling that their path names, and those that come to it so.
 * Does not own: the primary's part (`upgrade-passes.ts`), the upgrade itself (`src/adapters/twilio/media-upgrades.ts`).
 *
 * Invariants:
 * E3. An upgrade is served by one worker, and only once no other process reads its socket. Its far side sends nothing
 *     before it is answered (RFC 6455 section 4.1), so no byte is lost meanwhile.
 */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionTaker } from '../../adapters/http/handed-connections.ts';
import { instanceIn } from '../../adapters/twilio/addresses.ts';
import type { ToPrimary, UpgradeRequest } from './messages.ts';

interface Passed {
  socket: Socket;
  serve(): void;
}

interface Arrived {
  request: UpgradeRequest;
  socket: Socket;
}

const ignore = (): void => undefined;

export class PassedUpgrades {
  readonly #tell: (message: ToPrimary, socket?: Socket) => void;
  readonly #passed = new Map<number, Passed>();
  readonly #arrived = new Map<number, Arrived>();
  #siblings: ReadonlySet<string> = new Set();
  #lastKey = 0;

  constructor(tell: (message: ToPrimary, socket?: Socket) => void) {
    this.#tell = tell;
  }

  isSibling(instance: string): boolean {
    return this.#siblings.has(instance);
  }

  /** @param instances those of the siblings alone */
  noteSiblings(instances: readonly string[]): void {
    this.#siblings = new Set(instances);
  }

  /** @param serve does it here, where the sibling is gone @returns whether the upgrade is passed on */
  pass(request: IncomingMessage, socket: Duplex, head: Buffer, serve: () => void): boolean {
    const instance = instanceIn(request.url ?? '');
    if (instance === null || !this.isSibling(instance) || !(socket instanceof Socket)) return false;
    this.#lastKey += 1;
    const key = this.#lastKey;
    this.#passed.set(key, { socket, serve });
    // Its far side may go away now, which is no matter of ours.
    socket.on('error', ignore);
    this.#tell({ type: 'passUpgrade', key, instance, request: headOf(request, head) }, socket);
    return true;
  }

  /** What became of one that was passed on. */
  settle(key: number, moved: boolean): void {
    const passed = this.#passed.get(key);
    this.#passed.delete(key);
    passed?.socket.off('error', ignore);
    if (moved) {
      passed?.socket.destroy();
      this.#tell({ type: 'releaseUpgrade', key });
    } else passed?.serve();
  }

  /** The primary is gone: each upgrade stays with the worker that it came to. */
  settleAll(): void {
    for (const { socket } of this.#arrived.values()) socket.destroy();
    this.#arrived.clear();
    for (const key of [...this.#passed.keys()]) this.settle(key, false);
  }

  /** A sibling's comes. */
  arrive(key: number, request: UpgradeRequest, socket: Socket | undefined): void {
    if (socket) {
      socket.on('error', ignore);
      this.#arrived.set(key, { request, socket });
    }
    this.#tell({ type: 'upgradeTaken', key });
  }

  /** E3: nobody else reads it. */
  release(key: number, taker: ConnectionTaker | null): void {
    const arrived = this.#arrived.get(key);
    this.#arrived.delete(key);
    if (!arrived) return;
    const { request, socket } = arrived;
    socket.off('error', ignore);
    if (taker) taker.upgrade(requestOf(request, socket), socket, Buffer.from(request.rest));
    else socket.destroy();
  }
}

const headOf = ({ method = 'GET', url = '', headers }: IncomingMessage, head: Buffer): UpgradeRequest => ({
  method,
  url,
  headers: { ...headers },
  rest: head,
});

function requestOf({ method, url, headers }: UpgradeRequest, socket: Socket): IncomingMessage {
  const request = new IncomingMessage(socket);
  return Object.assign(request, { method, url, headers, httpVersion: '1.1' });
}
