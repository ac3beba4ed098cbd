/**
 * Owns: the routes that the carrier calls over HTTP: for TwiML, and with the states of calls and streams.
 * Does not own: the server that carries them (`src/adapters/http`), what is answered (`front-desk.ts`).
 *
 * Invariants:
 * R1. What is not signed gets 403 and reaches nobody; what is signed and malformed gets 400. While the public address
 *     is not known nothing can be checked: 503, which balancer and carrier take elsewhere.
 * R3. A new call is given back to the balancer (503) only where that said that it can try another process.
 * I9. A body has at most 64 kB.
 */
import formbody from '@fastify/formbody';
import type {
  FastifyError,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
} from 'fastify';
import type { Answer, CarrierDesk } from '../../runtime/ports/carrier.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import { routes } from './addresses.ts';
import { type Continuation, firstTime, readContinuation } from './continuation.ts';
import { FrontDesk, type ReportOutcome } from './front-desk.ts';
import type { Signature } from './signature.ts';
import type { Tally } from './tally.ts';
import { writeTwiml } from './twiml.ts';
import {
  callFields,
  deliveryKey,
  failedToTellDial,
  readDial,
  readFields,
  requestKey,
  statusFields,
  statusKey,
  streamFields,
  type WebhookBody,
} from './webhook-fields.ts';

const mostBodyBytes = 64 * 1_024;

const tokenHeader = 'i-twilio-idempotency-token';

/** A balancer that gets 503 takes the request to another process; `next` says so. */
export const tryHeader = 'holdfast-try';

/** Longest title of a stream error that an entry keeps. */
const mostErrorCharacters = 200;

export interface WebhookOptions {
  desk: CarrierDesk;
  clock: Clock;
  tally: Tally;
  signature: Signature;
  /** Null while it is not known yet. */
  publicUrl: () => string | null;
  instance: string;
  /** See `TwimlPlace`. */
  fallbackUrl: string | null;
  /** A request has its answer. `route` is one of ours, without a query. */
  onAnswered?(route: string, status: number, ms: number): void;
  /** Headers of every answer to the carrier, for whoever spreads calls over several processes. None unless told. */
  standing?(): Readonly<Record<string, string>>;
  /** Whether another process is to be tried with a call that comes in. Never unless told. */
  passesOn?(carrierCallId: string): boolean;
}

type Request = FastifyRequest<{ Body: WebhookBody }>;

/** A fastify plugin with the routes under `/twilio/`. */
export const twilioWebhooks =
  (options: WebhookOptions): FastifyPluginAsync =>
  async (app) => {
    await readBodies(app);
    const webhooks = new Webhooks(options);
    app.addHook('preValidation', (request: Request, reply) => webhooks.admit(request, reply));
    if (options.onAnswered) tellAnswers(app, options.onAnswered);
    app.setErrorHandler((error: FastifyError, _request, reply) => webhooks.fail(error, reply));
    app.post(routes.voice, (request: Request, reply) => webhooks.answer(request, reply));
    app.post(routes.continue, (request: Request, reply) => webhooks.continue(request, reply));
    app.post(routes.dialed, (request: Request, reply) => webhooks.takeDial(request, reply));
    app.post(routes.fallback, (request: Request, reply) => webhooks.fallBack(request, reply));
    app.post(routes.status, (request: Request, reply) => webhooks.takeStatus(request, reply));
    app.post(routes.streamStatus, (request: Request, reply) => webhooks.takeStreamStatus(request, reply));
  };

function tellAnswers(app: FastifyInstance, onAnswered: NonNullable<WebhookOptions['onAnswered']>): void {
  app.addHook('onResponse', async ({ routeOptions: { url = '' } }, { statusCode, elapsedTime }) =>
    onAnswered(url, statusCode, elapsedTime),
  );
}

async function readBodies(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers();
  await app.register(formbody, { bodyLimit: mostBodyBytes });
  // As text, since its digest is signed.
  const asText = { parseAs: 'string', bodyLimit: mostBodyBytes } as const;
  app.addContentTypeParser('application/json', asText, (_request, body, done) => done(null, body));
}

class Webhooks {
  readonly #options: WebhookOptions;
  readonly #frontDesk: FrontDesk;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#frontDesk = new FrontDesk(options);
  }

  async admit({ raw, body }: Request, reply: FastifyReply): Promise<unknown> {
    const { signature, tally, publicUrl, standing } = this.#options;
    if (publicUrl() === null) return reply.code(503).send();
    const signed =
      typeof body === 'string' ? signature.signsJson(raw, body) : signature.signsForm(raw, body ?? {});
    if (signed) return void reply.headers(standing?.() ?? {});
    tally.count('webhook.unsigned');
    return reply.code(403).send();
  }

  fail(error: FastifyError, reply: FastifyReply): unknown {
    const status = error instanceof FixCallError && error.code === 'edge.refused' ? 400 : error.statusCode;
    const malformed = status !== undefined && status < 500;
    this.#options.tally.count(malformed ? 'webhook.malformed' : 'desk.failed', error);
    return reply.code(malformed ? status : 500).send();
  }

  async answer({ body, query, headers }: Request, reply: FastifyReply): Promise<unknown> {
    const fields = readFields(callFields, body);
    if (headers[tryHeader] === 'next' && this.#options.passesOn?.(fields.CallSid))
      return reply.code(503).send();
    const asked = readContinuation(query);
    return this.#say(reply, await this.#frontDesk.answer(fields, asked), asked);
  }

  async continue({ body, query, headers }: Request, reply: FastifyReply): Promise<unknown> {
    const asked = readContinuation(query);
    const key = requestKey(headers[tokenHeader]);
    return this.#say(reply, await this.#frontDesk.continue(readFields(callFields, body), asked, key), asked);
  }

  async takeDial({ body, headers }: Request, reply: FastifyReply): Promise<unknown> {
    const { fields, dialed } = readDial(headers[tokenHeader], body);
    return this.#say(reply, await this.#frontDesk.takeDial(fields, dialed), { ...firstTime, dialed });
  }

  fallBack(request: Request, reply: FastifyReply): Promise<unknown> {
    this.#options.tally.count('webhook.fallback');
    return failedToTellDial(request.body) ? this.takeDial(request, reply) : this.continue(request, reply);
  }

  async takeStatus({ body, headers }: Request, reply: FastifyReply): Promise<unknown> {
    const fields = readFields(statusFields, body);
    const entry = { type: 'carrier.reported', status: fields.CallStatus, source: 'callback' } as const;
    const key = statusKey(fields, headers[tokenHeader], body);
    return this.#confirm(reply, await this.#frontDesk.report(fields.CallSid, { entry }, key));
  }

  async takeStreamStatus({ body, headers }: Request, reply: FastifyReply): Promise<unknown> {
    const { CallSid, StreamSid, StreamEvent, StreamError } = readFields(streamFields, body);
    if (StreamEvent !== 'stream-error') {
      this.#options.tally.count(streamEventNames.get(StreamEvent) ?? 'callback.otherEvent');
      return reply.code(204).send();
    }
    const error = StreamError.slice(0, mostErrorCharacters).toWellFormed();
    const entry = { type: 'stream.failed', streamId: StreamSid, error } as const;
    const key = deliveryKey(headers[tokenHeader], body);
    return this.#confirm(reply, await this.#frontDesk.report(CallSid, { entry }, key));
  }

  /** 503 has the carrier deliver again, by `connectionOverrides`. */
  #confirm(reply: FastifyReply, outcome: ReportOutcome): unknown {
    return reply.code(outcome === 'failed' ? 503 : 204).send();
  }

  #say(reply: FastifyReply, answer: Answer, asked: Continuation): unknown {
    const { instance, fallbackUrl } = this.#options;
    const publicUrl = this.#options.publicUrl();
    if (publicUrl === null) return reply.code(503).send();
    const twiml = writeTwiml(answer, { publicUrl, instance, fallbackUrl }, asked);
    return reply.type('text/xml; charset=utf-8').send(twiml);
  }
}

const streamEventNames = new Map([
  ['stream-started', 'callback.streamStarted'],
  ['stream-stopped', 'callback.streamStopped'],
] as const) as ReadonlyMap<string, 'callback.streamStarted' | 'callback.streamStopped'>;
