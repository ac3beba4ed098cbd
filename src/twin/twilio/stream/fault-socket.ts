/**
 * Owns: what a socket of the twin can do beyond the `Socket` port, so that a connection can fail as real ones do.
 * Does not own: when it fails (`saboteur.ts`).
 */
import type { Socket } from '../../../runtime/ports/socket.ts';

export interface FaultSocket extends Socket {
  /** Destroys the connection at once; over TCP the far side sees a reset (RFC 9293 section 3.5). */
  reset?(): void;
  /** The network is gone: from here on nothing is sent and nothing is read, a closing handshake and pings included. */
  freeze?(): void;
}

/** The close code by which a socket of the twin says that the far side broke the protocol (RFC 6455 section 7.4.1). */
export const protocolErrorCode = 1002;
