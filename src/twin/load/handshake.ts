/**
 * Owns: the handshake of a WebSocket (RFC 6455 section 4), asked for and answered, on Node's http.
 * Does not own: the socket after it (`frame-socket.ts`).
 */
import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FrameSocket, type FrameSocketHandlers } from './frame-socket.ts';

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const timeoutMs = 10_000;

const withoutDelay = (stream: Duplex): void => {
  if (stream instanceof Socket) stream.setNoDelay(true);
};

/** @throws Error where the far side refuses, with its status, or cannot be reached */
export function openFrameSocket(
  url: string,
  headers: Record<string, string>,
  handlers: FrameSocketHandlers,
): Promise<FrameSocket> {
  const asked = request(url.replace(/^ws/, 'http'), {
    agent: false,
    timeout: timeoutMs,
    headers: {
      ...headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    },
  });
  return new Promise((resolve, reject) => {
    asked.on('upgrade', (_response, stream: Duplex, head: Buffer) => {
      withoutDelay(stream);
      resolve(new FrameSocket(stream, head, true, handlers));
    });
    asked.on('response', (response) => {
      response.resume();
      reject(new Error(`upgrade ${response.statusCode}`));
    });
    asked.on('timeout', () => asked.destroy(new Error('upgrade timeout')));
    asked.on('error', reject);
    asked.end();
  });
}

/** Takes an `upgrade` event of Node's http server. */
export function acceptFrameSocket(
  { headers }: IncomingMessage,
  stream: Duplex,
  head: Buffer,
  handlers: FrameSocketHandlers,
): FrameSocket {
  withoutDelay(stream);
  const key = headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(key + guid)
    .digest('base64');
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const chosen = protocols.includes('realtime') ? 'Sec-WebSocket-Protocol: realtime\r\n' : '';
  stream.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`,
  );
  return new FrameSocket(stream, head, false, handlers);
}
