/** Owns: an application on a real port: TwiML by path, media streams over `ws`, the signatures it was shown. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface RealRequest {
  path: string;
  url: string;
  headers: IncomingMessage['headers'];
  form: Record<string, string>;
}

export interface RealServer {
  port: number;
  requests: RealRequest[];
  sockets: { socket: WebSocket; request: IncomingMessage }[];
  /** TwiML (the inside of a response), by path. */
  answers: Map<string, string>;
  /** Called in the turn in which a stream's socket opens. */
  onSocket: (socket: WebSocket) => void;
  close(): Promise<void>;
}

export async function startRealServer(): Promise<RealServer> {
  const requests: RealRequest[] = [];
  const answers = new Map<string, string>();
  const http = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const path = new URL(incoming.url ?? '/', 'http://x').pathname;
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
      requests.push({ path, url: incoming.url ?? '', headers: incoming.headers, form });
      const answer = answers.get(path);
      if (answer === undefined) outgoing.writeHead(204).end();
      else outgoing.writeHead(200, { 'content-type': 'text/xml' }).end(`<Response>${answer}</Response>`);
    });
  });
  const webSockets = new WebSocketServer({ server: http, path: '/media' });
  const server: RealServer = {
    port: 0,
    requests,
    sockets: [],
    answers,
    onSocket: () => undefined,
    close: () =>
      new Promise((resolve) => {
        for (const { socket } of server.sockets) socket.terminate();
        webSockets.close();
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  webSockets.on('connection', (socket, request) => {
    socket.on('error', () => undefined);
    server.sockets.push({ socket, request });
    server.onSocket(socket);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  server.port = (http.address() as AddressInfo).port;
  return server;
}
