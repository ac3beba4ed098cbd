/**
 * Owns: the server that the outside reaches: the carrier's routes as a plugin, upgrades, `/live` and `/ready`, and
 * nothing else.
 * Does not own: what the plugin and the upgrades do; sockets that were upgraded.
 *
 * Invariants:
 * S1. Once it stops listening no connection is taken until it listens again; what is open is served to its end.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../runtime/ports/clock.ts';
import { createBareServer, listen } from './bare-server.ts';
import { type ConnectionSource, HandedConnections } from './handed-connections.ts';

/** Of the answer to `GET /live?nonce=...`. */
export const proofHeader = 'holdfast-proof';

/** How long requests that are under way may take once the server is closed. */
export const closingGraceMs = 5_000;

export interface PublicServerOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  clock: Clock;
  /** Whoever takes the connections for this process; null where it listens itself. */
  source?: ConnectionSource | null;
  routes: FastifyPluginAsync;
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  isLive: () => boolean;
  /** Proves by a nonce that this service answers, and not something else at its address. Nothing is proved unless told. */
  prove?: (nonce: string) => string;
  isReady: () => boolean;
  /** Headers of the answer to `GET /ready`, for whoever spreads calls over several processes. None unless told. */
  standing?: () => Readonly<Record<string, string>>;
  onError: (error: unknown) => void;
}

export class PublicServer {
  readonly port: number;
  readonly #app: FastifyInstance;
  readonly #clock: Clock;
  readonly #host: string;
  readonly #handed: HandedConnections | null;
  #stopped: Promise<void> | null = null;
  #opening: Promise<unknown> | null = null;
  #isClosed = false;

  private constructor(
    app: FastifyInstance,
    { host, port, clock }: Pick<PublicServerOptions, 'host' | 'port' | 'clock'>,
    handed: HandedConnections | null,
  ) {
    this.#app = app;
    this.#host = host;
    this.port = port;
    this.#clock = clock;
    this.#handed = handed;
  }

  /**
   * On Linux several processes may listen on the same port, and the system spreads connections over them (`SO_REUSEPORT`).
   *
   * @throws what Node throws, as EADDRINUSE or EACCES
   */
  static async open(options: PublicServerOptions): Promise<PublicServer> {
    const app = createBareServer(options.onError);
    app.server.on('upgrade', options.onUpgrade);
    // A peer is to take its next request to a process that listens; where connections are handed over, to the one whose
    // turn it is.
    app.addHook('onSend', async (_request, reply) => {
      if (!app.server.listening) reply.header('connection', 'close');
    });
    app.get('/live', (request: LiveRequest, reply) => {
      const { nonce } = request.query;
      if (options.prove && isNonce(nonce)) reply.header(proofHeader, options.prove(nonce));
      return sayWhether(options.isLive(), reply);
    });
    const { standing = () => ({}) } = options;
    app.get('/ready', (_request, reply) => sayWhether(options.isReady(), reply.headers(standing())));
    await app.register(options.routes);
    const { host, port, clock, source = null } = options;
    const handed = source && new HandedConnections(app.server, source);
    const opened = await openPort(app, { host, port }, handed);
    return new PublicServer(app, { host, port: opened, clock }, handed);
  }

  /** Resolves when the last socket is closed, upgraded ones included: their owners close them. */
  stopListening(): Promise<void> {
    this.#stopped ??= this.#opening?.then(() => this.#closePort()) ?? this.#closePort();
    return this.#stopped;
  }

  /** Takes connections again, at the same port; does nothing where it does, or was closed. @throws as `listen` of Node.js */
  async listenAgain(): Promise<void> {
    const stopped = this.#stopped;
    if (stopped === null || this.#isClosed) return;
    this.#stopped = null;
    try {
      this.#opening = openPort(this.#app, { host: this.#host, port: this.port }, this.#handed);
      await this.#opening;
    } catch (error) {
      this.#stopped = stopped;
      throw error;
    } finally {
      this.#opening = null;
    }
  }

  #closePort(): Promise<void> {
    return this.#handed?.close() ?? new Promise((resolve) => this.#app.server.close(() => resolve()));
  }

  /** As `stopListening`, and requests that take longer than `closingGraceMs` are cut off. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const stopped = this.stopListening();
    const cutOff = this.#clock.setTimeout(() => this.#app.server.closeAllConnections(), closingGraceMs);
    await stopped;
    this.#clock.clearTimeout(cutOff);
    await this.#app.close();
  }
}

/** @throws as `listen` of Node.js */
async function openPort(
  app: FastifyInstance,
  address: { host: string; port: number },
  handed: HandedConnections | null,
): Promise<number> {
  if (handed === null) return listen(app, { ...address, reusePort: process.platform === 'linux' });
  await app.ready();
  return handed.open(address);
}

type LiveRequest = FastifyRequest<{ Querystring: { nonce?: unknown } }>;

/** Nothing else is signed for a stranger. */
const isNonce = (nonce: unknown): nonce is string =>
  typeof nonce === 'string' && /^[0-9a-f]{32}$/.test(nonce);

function sayWhether(good: boolean, reply: FastifyReply): FastifyReply {
  return reply
    .code(good ? 200 : 503)
    .header('cache-control', 'no-store')
    .send({ ok: good });
}
