/**
 * Owns: sending an HTTP request over a real connection of its own.
 * Does not own: time limits beyond the connection (`webhooks/webhook-client.ts`).
 *
 * Invariants:
 * Y1. Every request has a new connection, so that none fails because a server had closed an old one.
 * Y2. At most 128 kB of an answer are read.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ConnectFailure, type Exchange, type HttpResponse } from './http-message.ts';

const mostBodyBytes = 128 * 1_024;

export const exchangeOverHttp: Exchange = (request, { connectTimeoutMs, signal }) =>
  new Promise((resolve, reject) => {
    const isSecure = request.url.startsWith('https:');
    const send = isSecure ? httpsRequest : httpRequest;
    const headers = { ...request.headers, 'content-length': String(Buffer.byteLength(request.body)) };
    const outgoing = send(request.url, { method: request.method, headers, agent: false, signal });
    const watch = watchConnection(outgoing, isSecure ? 'secureConnect' : 'connect', connectTimeoutMs);
    outgoing.on('error', (error) =>
      reject(watch.isConnected() ? error : new ConnectFailure(error.message, { cause: error })),
    );
    outgoing.on('response', (response) => readResponse(response).then(resolve, reject));
    outgoing.end(request.body);
  });

function watchConnection(
  outgoing: ClientRequest,
  connectedEvent: string,
  connectTimeoutMs: number,
): { isConnected: () => boolean } {
  let isConnected = false;
  const timer = setTimeout(
    () => outgoing.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
    connectTimeoutMs,
  );
  outgoing.on('socket', (socket) =>
    socket.once(connectedEvent, () => {
      isConnected = true;
      clearTimeout(timer);
    }),
  );
  outgoing.on('close', () => clearTimeout(timer));
  return { isConnected: () => isConnected };
}

async function readResponse(response: IncomingMessage): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > mostBodyBytes) break;
  }
  return {
    status: response.statusCode ?? 0,
    headers: singleHeaders(response.headers),
    body: Buffer.concat(chunks).toString(),
  };
}

/** Node has the names in lower case already; of a repeated header the first value counts. */
export const singleHeaders = (headers: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, (Array.isArray(value) ? value[0] : value) ?? '']),
  );
