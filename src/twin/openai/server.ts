/**
 * Owns: the offline Realtime service on a port: HTTP upgrade, refusals by status, WebSockets.
 * Does not own: the service (`offline-service.ts`).
 *
 * Listens on 127.0.0.1 unless told otherwise. Nothing is printed and no key is kept.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../platform/clock.ts';
import { wrapWebSocket } from '../../platform/websocket.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { SocketHandlers } from '../../runtime/ports/socket.ts';
import { realtimePath, realtimeProtocol, refusalBody } from './connection/admission.ts';
import {
  type Attempt,
  largestMessageBytes,
  OfflineService,
  type OfflineServiceOptions,
  type Reception,
} from './offline-service.ts';
import type { TwinSession } from './twin-session.ts';

export interface OpenAiTwinOptions extends Omit<OfflineServiceOptions, 'clock'> {
  /** Default: a free one. */
  port?: number;
  /** Default: 127.0.0.1. */
  host?: string;
  /** Default: the machine's own. */
  clock?: Clock;
}

export interface OpenAiTwin {
  /** `ws://HOST:PORT/v1/realtime` */
  readonly url: string;
  readonly port: number;
  readonly sessions: readonly TwinSession[];
  readonly attempts: readonly Attempt[];
  /** Drops all connections and stops listening. */
  close(): Promise<void>;
}

/** Starts the offline Realtime service. Rejects where the port is taken. */
export async function startOpenAiTwin(options: OpenAiTwinOptions): Promise<OpenAiTwin> {
  const { port = 0, host = '127.0.0.1', clock = systemClock, ...rest } = options;
  const service = new OfflineService({ ...rest, clock });
  const webSockets = new WebSocketServer({
    noServer: true,
    autoPong: false,
    maxPayload: largestMessageBytes,
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has(realtimeProtocol) ? realtimeProtocol : false),
  });
  const server = createServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'application/json' }).end(refusalBody(426));
  });
  const openStreams = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    openStreams.add(stream);
    stream.on('close', () => openStreams.delete(stream));
    // A client that goes away while it is answered is no concern of anybody.
    stream.on('error', () => undefined);
    answerUpgrade(service, webSockets, request, stream, head);
  });
  const address = await listen(server, port, host);
  return {
    url: `ws://${host}:${address.port}${realtimePath}`,
    port: address.port,
    get sessions() {
      return service.sessions;
    },
    get attempts() {
      return service.attempts;
    },
    close: () => {
      service.close();
      for (const stream of openStreams) stream.destroy();
      return closeServer(server);
    },
  };
}

function answerUpgrade(
  service: OfflineService,
  webSockets: WebSocketServer,
  request: IncomingMessage,
  stream: Duplex,
  head: Buffer,
): void {
  const reception = service.receive({ url: request.url ?? '/', headers: request.headers });
  const answer = (): void => {
    const { admission } = reception;
    if (stream.destroyed) return;
    if (admission.kind === 'refused') {
      writeRefusal(stream, admission.status, admission.retryAfterSeconds);
    } else {
      webSockets.handleUpgrade(request, stream, head, (webSocket) =>
        serve(service, webSocket, stream, reception),
      );
    }
  };
  if (reception.delayMs === 0) answer();
  else service.clock.setTimeout(answer, reception.delayMs);
}

function writeRefusal(stream: Duplex, status: number, retryAfterSeconds: number | null): void {
  const body = refusalBody(status);
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...(retryAfterSeconds === null ? [] : [`retry-after: ${retryAfterSeconds}`]),
  ];
  stream.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function serve(service: OfflineService, webSocket: WebSocket, stream: Duplex, reception: Reception): void {
  let isStalled = false;
  let served: SocketHandlers | null = null;
  webSocket.on('ping', (data: Buffer) => {
    if (!isStalled) webSocket.pong(data);
  });
  const handlers: SocketHandlers = {
    onMessage: (data) => served?.onMessage(data),
    onClose: (closure) => served?.onClose(closure),
  };
  const socket = wrapWebSocket(webSocket, handlers, stream);
  const stall = (): void => {
    isStalled = true;
  };
  served = service.open({ socket, stall }, reception);
}

const listen = (server: Server, port: number, host: string): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));
