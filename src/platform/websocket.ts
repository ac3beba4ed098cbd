/**
 * Owns: `ws` behind the `Socket` port, for both directions: sockets that we open and sockets that we accepted. Ordinary
 * text passes it by, in frames of `text-frames.ts`; all else of the protocol is `ws`'s.
 * Does not own: what the messages mean, when to reconnect, who may connect.
 *
 * What is sent within one turn of the event loop leaves in one write at the end of that turn: a piece of a reply and its
 * mark are several messages, and a write costs more than all that is done to make them.
 *
 * Invariants: K1 and K2 of `src/runtime/ports/socket.ts`; K3 of `gathered-reads.ts`.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import WebSocket, { type RawData } from 'ws';
import type {
  OpeningHandlers,
  OpenSocket,
  Socket,
  SocketHandlers,
  SocketRefusal,
  SocketRequest,
} from '../runtime/ports/socket.ts';
import { GatheredReads } from './gathered-reads.ts';
import { IncomingFrames, ordinaryBytes, textFrame } from './text-frames.ts';

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

/** To be released before `ws` may write by itself, but for a ping. */
class GatheredWrites {
  readonly #connection: Writable;
  readonly #release = (): void => this.release();
  #frames: Buffer[] = [];
  #bytes = 0;

  constructor(connection: Writable) {
    this.#connection = connection;
  }

  /** What was given and not written yet. */
  get bytes(): number {
    return this.#bytes;
  }

  write(frame: Buffer): void {
    if (this.#frames.push(frame) === 1) process.nextTick(this.#release);
    this.#bytes += frame.length;
  }

  release(): void {
    const [first] = this.#frames;
    if (first === undefined) return;
    const bytes = this.#frames.length === 1 ? first : Buffer.concat(this.#frames, this.#bytes);
    this.#frames = [];
    this.#bytes = 0;
    if (this.#connection.writable) this.#connection.write(bytes);
  }
}

/** What comes on the connection is sorted before `ws`, which listens to it by itself, sees any of it. */
function sortIncoming(
  webSocket: WebSocket,
  connection: Duplex,
  onRead: (bytes: number, isPart: boolean) => void,
  frames: (takeBytes: (bytes: Buffer) => void) => IncomingFrames,
): void {
  const [listener] = connection.listeners('data') as ((bytes: Buffer) => void)[];
  if (listener === undefined) throw new TypeError('ws does not listen to its connection');
  connection.off('data', listener);
  const incoming = frames((bytes) => listener.call(connection, bytes));
  const take = (bytes: Buffer): void => {
    incoming.take(bytes);
    onRead(bytes.length, incoming.isWithinFrame);
  };
  connection.on('data', take);
  // As ws does by itself: what comes after its fault is nobody's.
  webSocket.once('error', () => connection.off('data', take));
}

/**
 * Wraps an open `ws` socket. Attach it in the same turn in which the socket opened, or messages are lost.
 *
 * @param connection the stream that carries it
 * @param mostBytes of a message, where `ws` was told to take fewer than `ordinaryBytes`
 * @throws TypeError where `ws` has not opened the socket
 */
export function wrapWebSocket(
  webSocket: WebSocket,
  handlers: SocketHandlers,
  connection: Duplex,
  mostBytes = ordinaryBytes,
): Socket {
  const isClient = Boolean(webSocket.url);
  const isOpen = (): boolean => webSocket.readyState === WebSocket.OPEN;
  const onText = (text: string): void => handlers.onMessage(text);
  const reads = new GatheredReads(connection);
  const writes = new GatheredWrites(connection);
  const onRead = (bytes: number, isPart: boolean): void => {
    if (reads.noteRead(bytes, isPart)) handlers.onRead?.();
  };
  sortIncoming(webSocket, connection, onRead, (takeBytes) => {
    // It may be a close frame, which `ws` answers at once.
    const onBytes = (bytes: Buffer): void => {
      writes.release();
      takeBytes(bytes);
    };
    return new IncomingFrames(!isClient, mostBytes, { takesTexts: isOpen, onText, onBytes });
  });
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    handlers.onMessage(isBinary ? bytesOf(data) : bytesOf(data).toString());
    writes.release();
  });
  webSocket.on('pong', () => handlers.onPong?.());
  let faultCode: number | undefined;
  webSocket.on('close', (code: number, reason: Buffer) => {
    reads.close();
    handlers.onClose({ code: faultCode ?? code, reason: reason.toString() });
  });
  // ws reports a fault of the far side before it closes the socket: `onClose` tells the story.
  webSocket.on('error', (error: NodeJS.ErrnoException) => {
    faultCode ??= faultCodes[error.code ?? ''];
  });
  return {
    send: (text) => {
      if (isOpen()) writes.write(textFrame(text, isClient));
    },
    sendBinary: (bytes) => {
      writes.release();
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
    bufferedBytes: () => webSocket.bufferedAmount + writes.bytes,
    gatherReads: (leastBytes) => reads.gather(leastBytes),
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
      handlers.onOpen(wrapWebSocket(webSocket, handlers, socket, request.maxMessageBytes));
    });
  });
  return () => {
    if (settled) return;
    settled = true;
    webSocket.terminate();
  };
};
