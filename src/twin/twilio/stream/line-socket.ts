/**
 * Owns: a real WebSocket that can fail as Twilio's do: reset, frozen, killed by broken framing.
 * Does not own: when it fails (`saboteur.ts`), sockets in memory (`memory-socket.ts`).
 *
 * Invariants: K1 and K2 of `src/runtime/ports/socket.ts`.
 */
import type { Socket as NetSocket } from 'node:net';
import WebSocket from 'ws';
import { wrapWebSocket } from '../../../platform/websocket.ts';
import type {
  OpeningHandlers,
  OpenSocket,
  SocketHandlers,
  SocketRefusal,
} from '../../../runtime/ports/socket.ts';
import { type FaultSocket, protocolErrorCode } from './fault-socket.ts';

/** Opens a WebSocket without extensions, as Twilio does. */
export const openLineSocket: OpenSocket = (request, handlers) => {
  const webSocket = new WebSocket(request.url, {
    headers: request.headers,
    handshakeTimeout: request.handshakeTimeoutMs,
    maxPayload: request.maxMessageBytes,
    perMessageDeflate: false,
  });
  const opening = watchOpening(webSocket, handlers);
  // It comes just before `open`, and in the same turn.
  webSocket.on('upgrade', ({ socket }) => {
    webSocket.on('open', () => {
      if (opening.settle()) handlers.onOpen(addFaults(webSocket, socket, handlers));
    });
  });
  return () => {
    if (opening.settle()) webSocket.terminate();
  };
};

/** Reports a refusal once. `settle` says whether nothing was settled before. */
function watchOpening(webSocket: WebSocket, handlers: OpeningHandlers): { settle: () => boolean } {
  let isSettled = false;
  const settle = (): boolean => {
    const isFirst = !isSettled;
    isSettled = true;
    return isFirst;
  };
  const refuse = (kind: SocketRefusal['kind'], status: number | null, detail: string): void => {
    if (!settle()) return;
    webSocket.terminate();
    handlers.onRefused({ kind, status, retryAfterMs: null, detail });
  };
  webSocket.on('unexpected-response', (_request, { statusCode }) => refuse('http', statusCode ?? null, ''));
  webSocket.on('error', ({ message }) =>
    refuse(message.includes('handshake has timed out') ? 'timeout' : 'network', null, message),
  );
  return { settle };
}

function addFaults(webSocket: WebSocket, netSocket: NetSocket, handlers: SocketHandlers): FaultSocket {
  let isProtocolBroken = false;
  let isFrozen = false;
  webSocket.on('error', (error: NodeJS.ErrnoException) => {
    isProtocolBroken = error.code?.startsWith('WS_ERR_') === true;
  });
  const heard: SocketHandlers = {
    ...handlers,
    onClose: (closure) =>
      handlers.onClose(isProtocolBroken ? { ...closure, code: protocolErrorCode } : closure),
  };
  const socket = wrapWebSocket(webSocket, heard, netSocket);
  return {
    ...socket,
    send: (text) => {
      if (!isFrozen) socket.send(text);
    },
    close: (code, reason) => {
      if (!isFrozen) socket.close(code, reason);
    },
    reset: () => {
      netSocket.resetAndDestroy();
      webSocket.terminate();
    },
    freeze: () => {
      isFrozen = true;
      webSocket.pause();
    },
  };
}
