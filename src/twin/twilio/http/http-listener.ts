/**
 * Owns: an HTTP server in front of a function from request to answer.
 * Does not own: what the answers are.
 *
 * Invariants:
 * HL1. A body of more than 1 MB is refused with 413.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { singleHeaders } from './http-exchange.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';

export interface HttpListener {
  /** Without a slash at its end. */
  url: string;
  close(): Promise<void>;
}

const mostBodyBytes = 1_024 * 1_024;
const tooLarge: HttpResponse = { status: 413, headers: {}, body: '' };

/** @param port 0 for any that is free */
export async function listenForHttp(
  host: string,
  port: number,
  answer: (request: HttpRequest) => HttpResponse,
): Promise<HttpListener> {
  const server = createServer((incoming, outgoing) => void handle(incoming, outgoing, answer));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${boundPort}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: (request: HttpRequest) => HttpResponse,
): Promise<void> {
  const body = await readBody(incoming).catch(() => null);
  const headers = singleHeaders(incoming.headers);
  const { method = 'GET', url = '/' } = incoming;
  const request = { method, url: `http://${headers.host ?? ''}${url}`, headers, body: body ?? '' };
  const response = body === null ? tooLarge : answer(request);
  outgoing.writeHead(response.status, response.headers).end(response.body);
}

/** Null for one that is too large. */
async function readBody(incoming: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
