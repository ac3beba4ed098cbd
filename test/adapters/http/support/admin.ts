/** Owns: an admin server with a desk that a test plays, and requests to it as browsers and programs send them. */
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Verdict } from '../../../../src/adapters/http/admin-access.ts';
import {
  type AdminServer,
  type AdminServerOptions,
  openAdminServer,
} from '../../../../src/adapters/http/admin-server.ts';
import type { Asset } from '../../../../src/adapters/http/assets.ts';
import type { AccessFact } from '../../../../src/adapters/http/login.ts';
import { VirtualClock } from '../../../../src/twin/virtual-clock.ts';
import { FakeDesk } from './fake-desk.ts';

export interface Answer {
  status: number | undefined;
  body: string;
  headers: IncomingMessage['headers'];
}

const assets: Readonly<Record<string, Asset>> = {
  '/': { contentType: 'text/html; charset=utf-8', body: '<!doctype html>', policy: "default-src 'none'" },
  '/console/main.js': { contentType: 'text/javascript; charset=utf-8', body: 'export {};' },
};

export class Admin {
  readonly clock = new VirtualClock();
  readonly desk = new FakeDesk();
  readonly refused: Verdict[] = [];
  readonly errors: unknown[] = [];
  readonly facts: AccessFact[] = [];
  readonly upgraded: { request: IncomingMessage; socket: Duplex }[] = [];
  readonly #servers: AdminServer[] = [];
  cuts = 0;

  get server(): AdminServer {
    const server = this.#servers.at(-1);
    if (!server) throw new Error('no server is open');
    return server;
  }

  async open(options: Partial<AdminServerOptions> = {}): Promise<AdminServer> {
    const server = await openAdminServer({
      host: '127.0.0.1',
      port: 0,
      token: 'secret',
      publicUrl: () => 'https://calls.example',
      localName: 'ann',
      clock: this.clock,
      health: () => ({ healthy: true, journal: 'up' }),
      metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'holdfast_calls_live 0\n' },
      console: {
        desk: this.desk,
        asset: (path) => assets[path] ?? null,
        onMediaUpgrade: (request, socket) => void this.upgraded.push({ request, socket }),
        onFact: (fact) => void this.facts.push(fact),
        onCut: () => {
          this.cuts += 1;
        },
      },
      onRefused: (verdict) => void this.refused.push(verdict),
      onError: (error) => void this.errors.push(error),
      ...options,
    });
    this.#servers.push(server);
    return server;
  }

  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  /** `fetch` lets a caller choose neither the Host header nor the Origin. */
  async send(
    method: string,
    path: string,
    { headers = {}, body }: { headers?: OutgoingHttpHeaders; body?: string } = {},
  ): Promise<Answer> {
    const { port } = this.server;
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
      asked.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode, body: text, headers: response.headers }),
        );
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  get(path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.send('GET', path, { headers });
  }

  post(path: string, body: unknown = {}, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    const all = { 'content-type': 'application/json', ...headers };
    return this.send('POST', path, { headers: all, body: JSON.stringify(body) });
  }

  postForm(path: string, fields: Record<string, string>, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    const all = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
    return this.send('POST', path, { headers: all, body: new URLSearchParams(fields).toString() });
  }

  /** A page that listens to server-sent events. */
  listen(path: string, headers: OutgoingHttpHeaders = {}): Promise<Events> {
    const { port } = this.server;
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false });
      asked.on('response', (response) => resolve(new Events(response)));
      asked.on('error', reject);
      asked.end();
    });
  }
}

interface Event {
  id?: string;
  event?: string;
  data?: string;
  comment?: true;
}

export class Events {
  readonly response: IncomingMessage;
  readonly seen: Event[] = [];
  /** The connection is gone. */
  readonly ended: Promise<void>;
  #text = '';
  #waiting: (() => void)[] = [];

  constructor(response: IncomingMessage) {
    this.response = response;
    this.ended = new Promise((resolve) => response.once('close', () => resolve()));
    response.on('error', () => undefined);
    response.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk));
  }

  /** Resolves once so many events have come. */
  async until(count: number): Promise<Event[]> {
    while (this.seen.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.seen;
  }

  leave(): void {
    this.response.destroy();
  }

  #take(chunk: string): void {
    this.#text += chunk;
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      this.seen.push(parse(this.#text.slice(0, end)));
      this.#text = this.#text.slice(end + 2);
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function parse(block: string): Event {
  if (block.startsWith(':')) return { comment: true };
  return Object.fromEntries(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
}
