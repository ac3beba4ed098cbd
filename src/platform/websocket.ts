/**
 * Owns: `ws` behind the `Socket` port, for both directions: sockets that we open and sockets that we accepted.
 * Does not own: what the messages mean, when to reconnect, who may connect.
 *
 * What is sent within one turn of the event loop leaves in one write at the end of that turn: a piece of a reply and its
 * mark are several messages, and a write costs more than all that is done to make them.
 *
 * Invariants: K1 and K2 of `src/runtime/ports/socket.ts`.
 */
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import WebSocket, { type RawData } from 'ws';
import type {
  OpeningHandlers,
  OpenSocket,
  Socket,
  SocketHandlers,
  SocketRefusal,
  SocketRequest,
} from '../runtime/ports/socket.ts';

const refusalBodyCharacters = 2_000;

/**
 * What `ws` tells the far side of a message that it cannot take (RFC 6455 section 7.4.1). The far side seldom answers
 * that close frame, so without this our own side would only learn of a 1006.
 */
const faultCodes: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_INVALID_UTF8: 1007,
};

const bytesOf = (data: RawData): Uint8Array =>
  Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? new Uint8Array(data) : data;

class GatheredWrites {
  readonly #connection: Writable;
  #isGathering = false;

  constructor(connection: Writable) {
    this.#connection = connection;
  }

  /** To be called before each write. */
  gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#connection.cork();
    process.nextTick(() => this.release());
  }

  release(): void {
    if (!this.#isGathering) return;
    this.#isGathering = false;
    this.#connection.uncork();
  }
}

/**
 * Wraps an open `ws` socket. Attach it in the same turn in which the socket opened, or messages are lost.
 *
 * @param connection the stream that carries it
 */
export function wrapWebSocket(webSocket: WebSocket, handlers: SocketHandlers, connection: Writable): Socket {
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    handlers.onMessage(isBinary ? bytesOf(data) : bytesOf(data).toString());
  });
  webSocket.on('pong', () => handlers.onPong?.());
  let faultCode: number | undefined;
  webSocket.on('close', (code: number, reason: Buffer) =>
    handlers.onClose({ code: faultCode ?? code, reason: reason.toString() }),
  );
  // ws reports a fault of the far side before it closes the socket: `onClose` tells the story.
  webSocket.on('error', (error: NodeJS.ErrnoException) => {
    faultCode ??= faultCodes[error.code ?? ''];
  });
  const isOpen = (): boolean => webSocket.readyState === WebSocket.OPEN;
  const writes = new GatheredWrites(connection);
  return {
    send: (text) => {
      if (!isOpen()) return;
      writes.gather();
      webSocket.send(text);
    },
    sendBinary: (bytes) => {
      if (isOpen()) webSocket.send(bytes);
    },
    ping: () => {
      if (isOpen()) webSocket.ping();
    },
    close: (code, reason) => {
      writes.release();
      webSocket.close(code, reason);
    },
    terminate: () => {
      writes.release();
      webSocket.terminate();
    },
    bufferedBytes: () => webSocket.bufferedAmount,
  };
}

/** RFC 9110 section 10.2.3: delay seconds or an HTTP date. */
function parseRetryAfterMs(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/** A body without end is not waited for. */
function readRefusal(response: IncomingMessage, done: (refusal: SocketRefusal) => void): void {
  let body = '';
  const status = response.statusCode ?? null;
  const retryAfterMs = parseRetryAfterMs(response.headers['retry-after']);
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    body = (body + chunk).slice(0, refusalBodyCharacters);
    if (body.length === refusalBodyCharacters) response.destroy();
  });
  response.on('close', () => done({ kind: 'http', status, retryAfterMs, detail: body }));
}

const networkRefusal = (error: Error): SocketRefusal => ({
  kind: error.message.includes('handshake has timed out') ? 'timeout' : 'network',
  status: null,
  retryAfterMs: null,
  detail: error.message,
});

/** Opens a WebSocket without permessage-deflate, through which no peer of ours would gain. */
export const openWebSocket: OpenSocket = (request: SocketRequest, handlers: OpeningHandlers) => {
  const webSocket = new WebSocket(request.url, {
    headers: request.headers,
    handshakeTimeout: request.handshakeTimeoutMs,
    maxPayload: request.maxMessageBytes,
    perMessageDeflate: false,
  });
  let settled = false;
  const refuse = (refusal: SocketRefusal): void => {
    if (settled) return;
    settled = true;
    webSocket.terminate();
    handlers.onRefused(refusal);
  };
  webSocket.on('unexpected-response', (_request, response) => readRefusal(response, refuse));
  webSocket.on('error', (error: Error) => refuse(networkRefusal(error)));
  // It comes just before `open`, and in the same turn.
  webSocket.on('upgrade', ({ socket }) => {
    webSocket.on('open', () => {
      if (settled) return;
      settled = true;
      handlers.onOpen(wrapWebSocket(webSocket, handlers, socket));
    });
  });
  return () => {
    if (settled) return;
    settled = true;
    webSocket.terminate();
  };
};
