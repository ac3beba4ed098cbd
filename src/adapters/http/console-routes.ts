/**
 * Owns: what a page of the console asks of its server, as routes.
 * Does not own: who is let in (`admin-access.ts`, `login.ts`), what is answered (the desk), the page (`src/console`).
 *
 * Invariants:
 * C4 of `own-origin.ts`; I9 of `event-stream.ts`; I10 of `coded-answers.ts`.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { Operator, OperatorDesk } from '../../runtime/ports/operator.ts';
import type { AdminAccess } from './admin-access.ts';
import { answerError, codedAnswer } from './coded-answers.ts';
import * as requests from './console-requests.ts';
import type { EventStream, EventStreams } from './event-stream.ts';
import { isJson, isOwnOrigin } from './own-origin.ts';
import { viewText } from './view-text.ts';

export interface ConsoleRoutesOptions {
  desk: OperatorDesk;
  access: AdminAccess;
  streams: EventStreams;
  onError(error: unknown): void;
}

const json = 'application/json; charset=utf-8';
/** Seconds. A drawing belongs to its number; another version may lay it out anew. */
const chartAgeS = 3_600;

const callIdOf = ({ params }: FastifyRequest): string => requests.callParameters.parse(params).id;

/** A fastify plugin with everything below `/api/`, but for the media stream. */
export async function consoleRoutes(app: FastifyInstance, options: ConsoleRoutesOptions): Promise<void> {
  const { onError } = options;
  const pages = new ConsoleRequests(options);
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, onError));
  const noHead = { exposeHeadRoute: false };
  app.get('/api/me', (request) => pages.me(request));
  app.get('/api/calls', (request) => pages.listCalls(request));
  app.get('/api/calls/live', noHead, (_request, reply) => pages.watchCalls(reply));
  app.get('/api/calls/:id', (request, reply) => pages.readCall(request, reply));
  app.get('/api/calls/:id/live', noHead, (request, reply) => pages.watchCall(request, reply));
  app.get('/api/calls/:id/export', (request, reply) => pages.exportCall(request, reply));
  app.get('/api/calls/:id/inspect', noHead, (request, reply) => pages.inspect(request, reply));
  app.get('/api/charts/:number', (request, reply) => pages.chart(request, reply));
  app.get('/api/instances', () => options.desk.instances());
  app.get('/api/instances/log', ({ query }) =>
    options.desk.instanceLog(requests.readInstanceLogQuery(query)),
  );
  app.post('/api/calls/:id/command', (request, reply) => pages.command(request, reply));
  app.post('/api/browser-calls', (request) => pages.callFromBrowser(request));
  app.post('/api/browser-calls/:id/continue', (request) =>
    options.desk.continueFromBrowser(callIdOf(request)),
  );
  app.post('/api/browser-calls/:id/leave', (request) => pages.leaveFromBrowser(request));
}

/** C4, for every route of the server that changes something. The login's own form is no JSON. */
export function refuseForeignPages(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ method, headers, routeOptions }, reply) => {
    if (method === 'GET' || method === 'HEAD') return;
    if (isOwnOrigin(headers) && (isJson(headers) || routeOptions.url === '/login')) return;
    return reply.code(403).send();
  });
  // A command without details may come without a body.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, {}) : parse(request, body.toString(), done),
  );
}

class ConsoleRequests {
  readonly #options: ConsoleRoutesOptions;

  constructor(options: ConsoleRoutesOptions) {
    this.#options = options;
  }

  async me({ headers }: FastifyRequest): Promise<{ name: string; needsLogin: boolean }> {
    const { access } = this.#options;
    return { name: access.nameOf(headers), needsLogin: access.needsLogin(headers) };
  }

  async listCalls({ query }: FastifyRequest): Promise<unknown> {
    return this.#options.desk.listCalls(requests.readCallQuery(query));
  }

  watchCalls(reply: FastifyReply): void {
    const stream = this.#options.streams.open(reply);
    stream.onEnd(this.#options.desk.watchCalls((calls) => stream.send('calls', JSON.stringify(calls))));
  }

  async readCall(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const view = await this.#options.desk.readCall(callIdOf(request));
    return reply.type(json).send(Readable.from(viewText(view)));
  }

  /** A page that lost its connection says itself what it has seen last (HTML Living Standard, `Last-Event-ID`). */
  watchCall(request: FastifyRequest, reply: FastifyReply): void {
    const callId = callIdOf(request);
    const { after = 0 } = requests.liveQuery.parse(request.query);
    const { data: seen } = requests.lastEventId.safeParse(request.headers['last-event-id'] ?? after);
    const stream = this.#options.streams.open(reply);
    const stop = this.#options.desk.watchCall(callId, Math.max(after, seen ?? 0), {
      patch: (patch) => stream.send('patch', JSON.stringify(patch), patch.call.lastSeq),
      sound: (sound) => stream.send('sound', JSON.stringify(sound)),
      failed: (error) => this.#sayFailed(stream, error),
    });
    stream.onEnd(stop);
  }

  async exportCall(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const callId = callIdOf(request);
    const text = await this.#options.desk.exportCall(callId);
    const name = `holdfast-${callId.replace(/[^\w.-]/g, '_')}.json`;
    return reply.header('content-disposition', `attachment; filename="${name}"`).type(json).send(text);
  }

  async inspect(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const callId = callIdOf(request);
    const stream = this.#options.streams.open(reply);
    try {
      const stop = await this.#options.desk.inspect(callId, async (message) => {
        stream.send('message', message);
        await stream.room();
      });
      stream.onEnd(stop);
    } catch (error) {
      this.#sayFailed(stream, error);
    }
  }

  async chart({ params }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { number } = requests.chartParameters.parse(params);
    const drawing = this.#options.desk.chart(number);
    if (drawing === null) return reply.code(404).send();
    return reply.header('cache-control', `private, max-age=${chartAgeS}`).send(drawing);
  }

  async command(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const command = requests.readCommand(request.body);
    await this.#options.desk.command(callIdOf(request), command, this.#operatorOf(request));
    return reply.code(202).send({});
  }

  async callFromBrowser(request: FastifyRequest): Promise<unknown> {
    return this.#options.desk.callFromBrowser(this.#operatorOf(request));
  }

  async leaveFromBrowser(request: FastifyRequest): Promise<object> {
    await this.#options.desk.leaveFromBrowser(callIdOf(request));
    return {};
  }

  #operatorOf({ headers }: FastifyRequest): Operator {
    return { name: this.#options.access.nameOf(headers), via: 'console' };
  }

  #sayFailed(stream: EventStream, error: unknown): void {
    const answer = codedAnswer(error);
    if (answer === null) this.#options.onError(error);
    const { code, message } = answer ?? new FixCallError('edge.refused', 'The call cannot be shown.');
    stream.send('failed', JSON.stringify({ code, message }));
  }
}
