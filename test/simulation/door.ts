/**
 * Owns: how a webhook reaches the routes of a simulated process: through the real server framework, or straight to the
 * handlers that it would call.
 * Does not own: the routes (`src/adapters/twilio/webhooks.ts`): both ways run them as they are.
 */
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import type { HttpRequest, HttpResponse } from '../../src/twin/twilio/http/http-message.ts';

export interface Door {
  take(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

const pathOf = (url: string): string => {
  const { pathname, search } = new URL(url);
  return pathname + search;
};

/** With everything that fastify does. Takes turns of the event loop. */
export async function openFrameworkDoor(routes: FastifyPluginAsync): Promise<Door> {
  const app = Fastify();
  await app.register(routes);
  await app.ready();
  return {
    async take({ method, url, headers, body }) {
      const answer = await app.inject({
        method: method as 'POST',
        url: pathOf(url),
        headers: { ...headers },
        payload: body,
      });
      const contentType = String(answer.headers['content-type'] ?? '');
      return { status: answer.statusCode, headers: { 'content-type': contentType }, body: answer.body };
    },
    close: () => app.close(),
  };
}

interface BareRequest {
  raw: { url: string; headers: HttpRequest['headers'] };
  headers: HttpRequest['headers'];
  query: Record<string, string>;
  body: unknown;
}

type Hook = (request: BareRequest, reply: BareReply) => Promise<unknown>;
type ErrorHandler = (error: Error, request: BareRequest, reply: BareReply) => unknown;

/** The part of a reply that the routes use. */
class BareReply {
  status = 200;
  contentType = '';
  body: string | null = null;

  code(status: number): this {
    this.status = status;
    return this;
  }

  type(contentType: string): this {
    this.contentType = contentType;
    return this;
  }

  headers(): this {
    return this;
  }

  send(body = ''): this {
    this.body = body;
    return this;
  }
}

/** Takes in what a plugin registers, and calls it in fastify's order: hooks, handler, error handler. */
class BareRouter {
  readonly #hooks: Hook[] = [];
  readonly #handlers = new Map<string, Hook>();
  #onError: ErrorHandler = (error) => {
    throw error;
  };

  removeAllContentTypeParsers(): void {}
  addContentTypeParser(): void {}
  async register(): Promise<void> {}

  addHook(_name: 'preValidation', hook: Hook): void {
    this.#hooks.push(hook);
  }

  setErrorHandler(onError: ErrorHandler): void {
    this.#onError = onError;
  }

  post(path: string, handler: Hook): void {
    this.#handlers.set(path, handler);
  }

  async take({ url, headers, body }: HttpRequest): Promise<HttpResponse> {
    const [path = '', search = ''] = pathOf(url).split('?');
    const query = Object.fromEntries(new URLSearchParams(search));
    const form = Object.fromEntries(new URLSearchParams(body));
    const request = { raw: { url: pathOf(url), headers }, headers, query, body: form };
    const reply = new BareReply();
    const handler = this.#handlers.get(path);
    if (handler === undefined) return { status: 404, headers: {}, body: '' };
    try {
      for (const step of [...this.#hooks, handler]) if (reply.body === null) await step(request, reply);
    } catch (error) {
      this.#onError(error as Error, request, reply);
    }
    return { status: reply.status, headers: { 'content-type': reply.contentType }, body: reply.body ?? '' };
  }
}

/** Without the framework: forms only. Settles with the promises of the routes alone. */
export async function openBareDoor(routes: FastifyPluginAsync): Promise<Door> {
  const router = new BareRouter();
  await routes(router as unknown as FastifyInstance, {});
  return { take: (request) => router.take(request), close: async () => undefined };
}
