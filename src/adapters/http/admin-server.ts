/**
 * Owns: the server for the operator: `/health`, `/metrics`, the login, and the console.
 * Does not own: what is healthy or measured; what the console shows (`console-routes.ts`); who may use it
 * (`admin-access.ts`).
 *
 * Invariants:
 * S2. A taken port is not fatal: the next free one of `portTries` is used.
 * I4. After `close` no connection, stream of events or upgraded socket is open.
 */
import type { FastifyInstance } from 'fastify';
import { isLoopback } from '../../platform/loopback.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { Json } from '../../runtime/ports/journal.ts';
import type { OperatorDesk } from '../../runtime/ports/operator.ts';
import { AdminAccess, type AdminAccessOptions, type Verdict } from './admin-access.ts';
import { assetRoutes, type FindAsset, setSecurityHeaders } from './assets.ts';
import { createBareServer, listen } from './bare-server.ts';
import { consoleRoutes, refuseForeignPages } from './console-routes.ts';
import { ConsoleUpgrades, type OnMediaUpgrade } from './console-upgrades.ts';
import { EventStreams } from './event-stream.ts';
import { type AccessFact, loginRoutes } from './login.ts';
import { loadCookies } from './sessions.ts';

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

export interface ConsoleOptions {
  desk: OperatorDesk;
  asset: FindAsset;
  onMediaUpgrade: OnMediaUpgrade;
  onFact(fact: AccessFact): void;
  /** A page that did not read was cut off. */
  onCut(): void;
}

export interface AdminServerOptions extends AdminAccessOptions {
  /** The first port that is tried; 0 lets the system choose. */
  port: number;
  clock: Clock;
  health: () => HealthReport;
  /** For a scraper. */
  metrics: MetricsText;
  console: ConsoleOptions;
  onRefused: (verdict: Exclude<Verdict, 'admitted'>) => void;
  onError: (error: unknown) => void;
}

export interface AdminServer {
  /** The port that was free. */
  readonly port: number;
  /** Pages that are told something as it happens. */
  readonly openStreams: number;
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
  const { clock, console: served, onRefused, onError } = options;
  const app = createBareServer(onError);
  await loadCookies(app);
  const access = new AdminAccess(options);
  const streams = new EventStreams(clock, served.onCut);
  const upgrades = new ConsoleUpgrades({ access, onMediaUpgrade: served.onMediaUpgrade, onRefused });
  setSecurityHeaders(app);
  guard(app, access, onRefused);
  refuseForeignPages(app);
  serveState(app, options);
  await app.register(loginRoutes, { access, clock, onFact: served.onFact });
  await app.register(assetRoutes, { asset: served.asset });
  await app.register(consoleRoutes, { desk: served.desk, access, streams, onError });
  app.server.on('upgrade', (request, socket, head) => upgrades.handle(request, socket, head));
  const port = await listenOnFreePort(app, options.host, options.port);
  return {
    port,
    get openStreams() {
      return streams.size;
    },
    close: () => closeNow(app, streams, upgrades),
  };
}

function serveState(app: FastifyInstance, { health, metrics }: AdminServerOptions): void {
  app.get('/health', (_request, reply) => {
    const report = health();
    return reply
      .code(report.healthy ? 200 : 503)
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify(report, null, 2)}\n`);
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}

/** A browser that asks for the page is led to the login; anything else is refused. */
function guard(app: FastifyInstance, access: AdminAccess, onRefused: AdminServerOptions['onRefused']): void {
  app.addHook('onRequest', async ({ headers, routeOptions: { url } }, reply) => {
    const verdict = access.judge(headers);
    if (verdict === 'admitted') return;
    if (access.mayLogIn(headers)) {
      if (url === '/login') return;
      if (url === '/') return reply.redirect('/login', 303);
    }
    onRefused(verdict);
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
async function closeNow(
  app: FastifyInstance,
  streams: EventStreams,
  upgrades: ConsoleUpgrades,
): Promise<void> {
  const closed = new Promise((resolve) => app.server.close(resolve));
  streams.closeAll();
  upgrades.closeAll();
  app.server.closeAllConnections();
  await closed;
  await app.close();
}
