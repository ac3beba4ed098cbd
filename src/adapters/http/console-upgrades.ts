/**
 * Owns: the upgrade of a page's request to a media stream: who may, and from where.
 * Does not own: the handshake and the stream (`onMediaUpgrade`).
 *
 * Invariants:
 * C4 of `own-origin.ts`: a WebSocket is not held to the same origin by browsers.
 * I4. After `closeAll` no socket that was upgraded here is open.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AdminAccess } from './admin-access.ts';
import { isOwnOrigin } from './own-origin.ts';

export type OnMediaUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export const mediaPath = '/api/browser-calls/media';

export interface ConsoleUpgradesOptions {
  access: AdminAccess;
  onMediaUpgrade: OnMediaUpgrade;
  onRefused(verdict: 'unauthorized' | 'forbidden'): void;
}

export class ConsoleUpgrades {
  readonly #options: ConsoleUpgradesOptions;
  readonly #open = new Set<Duplex>();

  constructor(options: ConsoleUpgradesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes an `upgrade` event of Node's http server. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { access, onMediaUpgrade, onRefused } = this.#options;
    const judged = access.judge(request.headers);
    const verdict = judged === 'admitted' && !isOwnOrigin(request.headers) ? 'forbidden' : judged;
    if (verdict !== 'admitted') {
      onRefused(verdict);
      refuse(socket, verdict === 'unauthorized' ? '401 Unauthorized' : '403 Forbidden');
    } else if (request.url?.split('?')[0] === mediaPath) {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      onMediaUpgrade(request, socket, head);
    } else {
      refuse(socket, '404 Not Found');
    }
  }

  closeAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => undefined);
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
