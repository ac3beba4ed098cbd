/**
 * Owns: serving the page of `holdfast inspect` to the browser on this host, and the messages to the page.
 * Does not own: the page (`inspector-page.ts`), the messages (`inspected-messages.ts`).
 *
 * Invariants:
 * I4. After `close` nothing listens and nothing is read.
 * I9. A page that does not read makes the log wait, not the memory grow.
 * I10. Only who knows the path is answered, by a name of this host: neither another user nor a page of elsewhere does.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspectorPage } from './inspector-page.ts';

const host = '127.0.0.1';

export interface InspectorServerOptions {
  callId: string;
  messages(stopped: AbortSignal): AsyncIterable<string>;
}

export class InspectorServer {
  readonly #options: InspectorServerOptions;
  readonly #server: Server;
  readonly #path = `/${randomBytes(16).toString('hex')}/`;
  readonly #stopped = new AbortController();

  constructor(options: InspectorServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** Resolves with the address for a browser. */
  async open(): Promise<string> {
    this.#server.listen(0, host);
    await once(this.#server, 'listening');
    return `http://${this.#place}${this.#path}`;
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  get #place(): string {
    return `${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer({ method, url, headers }: IncomingMessage, response: ServerResponse): void {
    response.setHeader('cache-control', 'no-store');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('x-content-type-options', 'nosniff');
    const isOurs = method === 'GET' && headers.host === this.#place;
    if (isOurs && url === this.#path) this.#showPage(response);
    else if (isOurs && url === `${this.#path}messages`) void this.#tell(response);
    else response.writeHead(404).end();
  }

  #showPage(response: ServerResponse): void {
    const nonce = randomBytes(16).toString('base64');
    const only = `'nonce-${nonce}'`;
    const policy = `default-src 'none'; script-src ${only}; style-src ${only}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
      .end(inspectorPage(this.#options.callId, nonce));
  }

  /** Server-sent events (HTML Standard, section 9.2): a message each, and `ended` at the end. */
  async #tell(response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const stopped = AbortSignal.any([gone.signal, this.#stopped.signal]);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    let end = 'The call has ended: that is all of it.';
    try {
      for await (const message of this.#options.messages(stopped)) {
        if (!response.write(`data: ${message}\n\n`)) await once(response, 'drain', { signal: stopped });
      }
    } catch (error) {
      end = error instanceof Error ? error.message : String(error);
    }
    if (!stopped.aborted) response.end(`event: ended\ndata: ${end.replaceAll(/\s+/g, ' ')}\n\n`);
  }
}
