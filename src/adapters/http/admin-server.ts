/**
 * Owns: the server for the operator: `/health` and `/metrics`.
 * Does not own: what is healthy or measured; who may use it (`admin-access.ts`).
 *
 * Invariants:
 * S2. A taken port is not fatal: the next free one of `portTries` is used.
 */
import type { FastifyInstance } from 'fastify';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { Json } from '../../runtime/ports/journal.ts';
import { AdminAccess, type AdminAccessOptions, isLoopback, type Verdict } from './admin-access.ts';
import { createBareServer, listen } from './bare-server.ts';

const portTries = 20;
const highestPort = 65_535;

/** `healthy` false is answered with 503. Everything in it is shown, in its order, and laid out for a person. */
export interface HealthReport {
  healthy: boolean;
  [detail: string]: Json;
}

export interface MetricsText {
  contentType: string;
  text(): Promise<string>;
}

export interface AdminServerOptions extends AdminAccessOptions {
  /** The first port that is tried; 0 lets the system choose. */
  port: number;
  health: () => HealthReport;
  /** For a scraper. */
  metrics: MetricsText;
  onRefused: (verdict: Exclude<Verdict, 'admitted'>) => void;
  onError: (error: unknown) => void;
}

export interface AdminServer {
  /** The port that was free. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * @throws FixCallError `configuration.invalid` where it would be open to anybody; what Node throws, as EACCES, and
 *   EADDRINUSE after `portTries`
 */
export async function openAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  if (!isLoopback(options.host) && !options.token) {
    throw new FixCallError('configuration.invalid', 'ADMIN_HOST is not loopback: ADMIN_TOKEN is needed');
  }
  const app = createBareServer(options.onError);
  guard(app, options);
  app.get('/health', (_request, reply) => {
    const report = options.health();
    return reply
      .code(report.healthy ? 200 : 503)
      .header('cache-control', 'no-store')
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify(report, null, 2)}\n`);
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.text()),
  );
  const port = await listenOnFreePort(app, options.host, options.port);
  return { port, close: () => closeNow(app) };
}

function guard(app: FastifyInstance, options: AdminServerOptions): void {
  const access = new AdminAccess(options);
  app.addHook('onRequest', async ({ headers }, reply) => {
    const verdict = access.judge(headers);
    if (verdict === 'admitted') return;
    options.onRefused(verdict);
    if (verdict === 'unauthorized') reply.header('www-authenticate', 'Bearer');
    return reply.code(verdict === 'unauthorized' ? 401 : 403).send();
  });
}

async function listenOnFreePort(app: FastifyInstance, host: string, firstPort: number): Promise<number> {
  const lastPort = Math.min(firstPort + portTries - 1, highestPort);
  for (let port = firstPort; ; port++) {
    try {
      return await listen(app, { host, port });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port >= lastPort) throw error;
    }
  }
}

/** An operator's page must not hold up the end of the process. */
async function closeNow(app: FastifyInstance): Promise<void> {
  const closed = new Promise((resolve) => app.server.close(resolve));
  app.server.closeAllConnections();
  await closed;
  await app.close();
}
