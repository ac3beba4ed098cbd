/**
 * Owns: the server that the outside reaches: the carrier's routes as a plugin, upgrades, `/live` and `/ready`, and
 * nothing else.
 * Does not own: what the plugin and the upgrades do; sockets that were upgraded.
 *
 * Invariants:
 * S1. Once it stops listening no connection is taken; what is open is served to its end.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import type { Clock } from '../../runtime/ports/clock.ts';
import { createBareServer, listen } from './bare-server.ts';

/** How long requests that are under way may take once the server is closed. */
export const closingGraceMs = 5_000;

export interface PublicServerOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  clock: Clock;
  routes: FastifyPluginAsync;
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  isLive: () => boolean;
  isReady: () => boolean;
  onError: (error: unknown) => void;
}

export class PublicServer {
  readonly port: number;
  readonly #app: FastifyInstance;
  readonly #clock: Clock;
  #stopped: Promise<void> | null = null;

  private constructor(app: FastifyInstance, port: number, clock: Clock) {
    this.#app = app;
    this.port = port;
    this.#clock = clock;
  }

  /**
   * On Linux several processes may listen on the same port, and the system spreads connections over them (`SO_REUSEPORT`).
   *
   * @throws what Node throws, as EADDRINUSE or EACCES
   */
  static async open(options: PublicServerOptions): Promise<PublicServer> {
    const app = createBareServer(options.onError);
    app.server.on('upgrade', options.onUpgrade);
    // A peer is to take its next request to a process that listens.
    app.addHook('onSend', async (_request, reply) => {
      if (!app.server.listening) reply.header('connection', 'close');
    });
    app.get('/live', (_request, reply) => sayWhether(options.isLive(), reply));
    app.get('/ready', (_request, reply) => sayWhether(options.isReady(), reply));
    await app.register(options.routes);
    const { host, port, clock } = options;
    const reusePort = process.platform === 'linux';
    return new PublicServer(app, await listen(app, { host, port, reusePort }), clock);
  }

  /** Resolves when the last socket is closed, upgraded ones included: their owners close them. */
  stopListening(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => this.#app.server.close(() => resolve()));
    return this.#stopped;
  }

  /** As `stopListening`, and requests that take longer than `closingGraceMs` are cut off. */
  async close(): Promise<void> {
    const stopped = this.stopListening();
    const cutOff = this.#clock.setTimeout(() => this.#app.server.closeAllConnections(), closingGraceMs);
    await stopped;
    this.#clock.clearTimeout(cutOff);
    await this.#app.close();
  }
}

function sayWhether(good: boolean, reply: FastifyReply): FastifyReply {
  return reply
    .code(good ? 200 : 503)
    .header('cache-control', 'no-store')
    .send({ ok: good });
}
