/**
 * Owns: the shape of a message socket as the adapters and the twin see it, whether it is a WebSocket or a pair
 * in memory under a virtual clock.
 * Does not own: what the messages mean, reconnecting.
 *
 * Invariants:
 * K1. `onClose` is called exactly once per socket, after the last `onMessage`.
 * K2. After `close` or `terminate` nothing is sent.
 */

/** How a socket ended. `code` is the WebSocket close code (RFC 6455 section 7.4); 1006 when no close frame came. */
export interface SocketClosure {
  code: number;
  reason: string;
}

export interface SocketHandlers {
  /** A text message, or the bytes of a binary one. */
  onMessage(data: string | Uint8Array): void;
  onClose(closure: SocketClosure): void;
  /** The far side answered a `ping`. */
  onPong?(): void;
  /** After a read: all messages that were to wait for one another were given. Not told by every socket. */
  onRead?(): void;
}

export interface Socket {
  send(text: string): void;
  /** Sends a binary message: no peer of ours wants one, so only the twin does. */
  sendBinary?(bytes: Uint8Array): void;
  ping(): void;
  /** Begins the closing handshake (RFC 6455 section 7.1.2). */
  close(code: number, reason?: string): void;
  /** Drops the connection without a close frame; the far side sees 1006. */
  terminate(): void;
  /** Bytes accepted by `send` that have not left this process. */
  bufferedBytes(): number;
  /**
   * From now on what comes may wait for others, until there are so many bytes of them, for 100 ms at most.
   * @returns false where nothing waits: what comes is given as it comes
   */
  gatherReads?(leastBytes: number): boolean;
}

/** Why a socket never opened. */
export interface SocketRefusal {
  /** `http`: the upgrade was answered with another status; `network`: no connection; `timeout`: no answer in time. */
  kind: 'http' | 'network' | 'timeout';
  /** HTTP status, where `kind` is `http`. */
  status: number | null;
  /** The `Retry-After` header (RFC 9110 section 10.2.3) as milliseconds, where there was one. */
  retryAfterMs: number | null;
  /** The first 2,000 characters of the body or the network error's message. */
  detail: string;
}

export interface SocketRequest {
  url: string;
  headers: Record<string, string>;
  handshakeTimeoutMs: number;
  /** A larger message closes the socket with 1009. */
  maxMessageBytes: number;
}

export interface OpeningHandlers extends SocketHandlers {
  onOpen(socket: Socket): void;
  /** Called instead of `onOpen`; `onClose` is not called then. */
  onRefused(refusal: SocketRefusal): void;
}

/** Opens a client socket. The returned function gives up while it is still opening; nothing is called after that. */
export type OpenSocket = (request: SocketRequest, handlers: OpeningHandlers) => () => void;
