/**
 * Owns: the upgrade of a request to a media stream: path, handshake, and the limits of its WebSocket.
 * Does not own: what the stream then says (`media-stream.ts`), signatures (`signature.ts`).
 *
 * Invariants:
 * R1. Without a valid signature there is no handshake, but for an operator's own browser, which the admin server let in.
 * R4. A process that is cut off admits no stream: 503, which has a balancer try another one, and Twilio ask what to do next.
 * I9. A message has at most `mostMessageBytes`; a larger one ends its stream with 1009 (RFC 6455 section 7.4.1).
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Socket, SocketHandlers } from '../../runtime/ports/socket.ts';
import { routes } from './addresses.ts';
import { closingLimitMs, MediaStream, type StreamSurroundings } from './media-stream.ts';

export const mostMessageBytes = 1_024 * 1_024;

/** Any instance's streams are taken: a balancer may bring one that another instance answered. */
export const carrierMediaPath = new RegExp(`^${routes.media}[^/?#]{1,300}$`);

export interface MediaUpgradeOptions extends StreamSurroundings {
  path: RegExp;
  isLetIn(request: IncomingMessage): boolean;
  /** Puts an open WebSocket behind the port; called in the same turn in which it opened. */
  wrapSocket: (webSocket: WebSocket, handlers: SocketHandlers, connection: Duplex) => Socket;
}

export class MediaUpgrades {
  readonly #options: MediaUpgradeOptions;
  readonly #server: WebSocketServer;
  #open = 0;

  constructor(options: MediaUpgradeOptions) {
    this.#options = options;
    // `closeTimeout` is not in the published types.
    const limits = { maxPayload: mostMessageBytes, closeTimeout: closingLimitMs };
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      ...limits,
    });
  }

  /** Streams whose socket is open. */
  get size(): number {
    return this.#open;
  }

  /** Takes an `upgrade` event of Node's http server. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path, isLetIn, tally, desk } = this.#options;
    if (!path.test(request.url ?? '')) {
      tally.count('upgrade.elsewhere');
      refuse(socket, '404 Not Found');
    } else if (!isLetIn(request)) {
      tally.count('upgrade.unsigned');
      refuse(socket, '403 Forbidden');
    } else if (desk.isCutOff()) {
      tally.count('upgrade.cutOff');
      refuse(socket, '503 Service Unavailable');
    } else {
      this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#attach(webSocket, socket));
    }
  }

  #attach(webSocket: WebSocket, connection: Duplex): void {
    const { wrapSocket, desk, clock, tally } = this.#options;
    this.#open += 1;
    const handlers: SocketHandlers = {
      onMessage: (data) => stream.receive(data),
      onPong: () => stream.onPong(),
      onRead: () => stream.onRead(),
      onClose: (closure) => {
        this.#open -= 1;
        stream.onClosed(closure);
      },
    };
    const socket = wrapSocket(webSocket, handlers, connection);
    const stream = new MediaStream(socket, { desk, clock, tally });
  }
}

function refuse(socket: Duplex, status: string): void {
  // The far side may be gone by now, which is no matter of ours.
  socket.on('error', () => undefined);
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
