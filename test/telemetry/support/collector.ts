/** An OpenTelemetry collector on a real socket (OTLP over HTTP, JSON) that does what it is told. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export type Answer = 'take' | 'hang' | 'reset' | { status: number; retryAfterSeconds?: number };

export interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
}

interface Sent {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: SentSpan[] }[];
  }[];
}

export interface Post {
  path: string;
  headers: IncomingHttpHeaders;
  body: Sent;
}

export class Collector {
  /** What the next posts are answered with, in order; after them `otherwise`. */
  readonly next: Answer[] = [];
  otherwise: Answer = 'take';
  readonly posts: Post[] = [];
  /** Of the posts that were taken. */
  readonly spans: SentSpan[] = [];
  /** Connections that the sender closed; the collector keeps them for ever. */
  closed = 0;
  readonly #server: Server;
  readonly #waiting: { isMet(): boolean; resolve(): void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Collector> {
    const server = createServer({ keepAliveTimeout: 0 });
    const collector = new Collector(server);
    server.on('connection', (socket) => socket.on('close', () => collector.closed++));
    server.on('request', (request, response) => {
      const { url: path = '', headers } = request;
      json(request).then(
        (body) => collector.#answer({ path, headers, body: body as Sent }, response),
        // The sender broke off.
        () => undefined,
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once it is met: looked at with each post. */
  until(isMet: (collector: Collector) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isMet: () => isMet(this), resolve });
      this.#notice();
    });
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(post: Post, response: ServerResponse): void {
    this.posts.push(post);
    const answer = this.next.shift() ?? this.otherwise;
    if (answer === 'take') {
      this.spans.push(...post.body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans[0]?.spans ?? []));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    } else if (answer === 'reset') response.destroy();
    else if (answer !== 'hang') {
      const { status, retryAfterSeconds } = answer;
      if (retryAfterSeconds) response.setHeader('retry-after', retryAfterSeconds);
      response.writeHead(status).end();
    }
    this.#notice();
  }

  #notice(): void {
    for (const { isMet, resolve } of this.#waiting) if (isMet()) resolve();
  }
}
