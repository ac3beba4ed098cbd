/**
 * Owns: what both HTTP servers have in common: limits, and answers that tell a stranger nothing.
 * Does not own: routes, addresses.
 *
 * Invariants:
 * I9. A request has at most 64 kB, and must be complete within `requestLimitMs`.
 * I10. An error's text, stack or cause never leaves the process.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';

const requestLimitMs = 10_000;
const mostBodyBytes = 64 * 1_024;

/** Other upgrades, as `h2c`, may be left alone by a server (RFC 9110 section 7.8): the request is answered as it is. */
const wantsWebSocket = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket';

/** @param onError told of errors that are not the request's own fault */
export function createBareServer(onError: (error: unknown) => void): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: mostBodyBytes,
    requestTimeout: requestLimitMs,
    routerOptions: { maxParamLength: 200 },
    http: { headersTimeout: requestLimitMs, shouldUpgradeCallback: wantsWebSocket },
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send());
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = Math.min(error.statusCode ?? 500, 500);
    if (status === 500) onError(error);
    return reply.code(status).send();
  });
  return app;
}

/**
 * Node's own `listen`: fastify's binds further addresses for `localhost`, which outlive a server that stops listening.
 *
 * @returns the port, which the system chose where 0 was asked for
 * @throws what Node throws, as EADDRINUSE
 */
export async function listen(app: FastifyInstance, options: ListenOptions): Promise<number> {
  await app.ready();
  app.server.listen(options);
  await once(app.server, 'listening');
  return (app.server.address() as AddressInfo).port;
}
