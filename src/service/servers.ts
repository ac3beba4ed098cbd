/**
 * Owns: opening the two servers of a process: the public one with the carrier's routes, and the admin one.
 * Does not own: what is answered there.
 */
import {
  type AdminServer,
  type HealthReport,
  type MetricsText,
  openAdminServer,
} from '../adapters/http/admin-server.ts';
import { PublicServer } from '../adapters/http/public-server.ts';
import { carrierMediaPath, MediaUpgrades } from '../adapters/twilio/media-upgrades.ts';
import { Signature } from '../adapters/twilio/signature.ts';
import type { Tally } from '../adapters/twilio/tally.ts';
import { twilioWebhooks } from '../adapters/twilio/webhooks.ts';
import type { Configuration } from '../config/environment.ts';
import { wrapWebSocket } from '../platform/websocket.ts';
import type { CarrierDesk } from '../runtime/ports/carrier.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/metrics.ts';
import type { Console } from './console/create-console.ts';
import type { Health } from './health/health.ts';
import { proofOf } from './health/reachability.ts';
import { standingOf } from './health/standing.ts';
import type { InstanceLog } from './instance-log.ts';
import type { PrimaryLink } from './workers/primary-link.ts';

export interface ServersOptions {
  configuration: Configuration;
  logger: Logger;
  clock: Clock;
  desk: CarrierDesk;
  tally: Tally;
  metrics: MetricsText & Pick<Metrics, 'observe' | 'read'>;
  /** Null while it is not known yet. */
  publicUrl(): string | null;
  door: Pick<Health, 'isReady' | 'refusal' | 'capacity' | 'admission'>;
  health(): HealthReport;
  console: Pick<Console, 'served' | 'localName'>;
  instanceLog: Pick<InstanceLog, 'count'>;
  /** Of a worker. */
  primary?: PrimaryLink | undefined;
}

export interface Servers {
  publicServer: PublicServer;
  adminServer: AdminServer;
}

/** @throws what Node throws where the public port cannot be had */
export async function openServers(options: ServersOptions): Promise<Servers> {
  const publicServer = await openPublicServer(options);
  try {
    return { publicServer, adminServer: await openAdmin(options) };
  } catch (error) {
    await publicServer.close();
    throw error;
  }
}

function openPublicServer({
  configuration,
  logger,
  clock,
  desk,
  tally,
  publicUrl,
  door,
  metrics,
  primary,
}: ServersOptions): Promise<PublicServer> {
  const { instance, twilio, host, port } = configuration;
  const signature = new Signature(twilio.authToken, publicUrl);
  const upgrades = new MediaUpgrades({
    desk,
    clock,
    tally,
    path: carrierMediaPath,
    isLetIn: (request) => signature.signsUpgrade(request),
    wrapSocket: wrapWebSocket,
  });
  const { fallbackUrl } = twilio;
  const onAnswered = (route: string, code: number, ms: number): void =>
    metrics.observe('webhook', { route, status: `${Math.floor(code / 100)}xx` }, ms / 1_000);
  const standing = () => standingOf(door);
  const passesOn = (carrierCallId: string): boolean => door.admission.passesOn(carrierCallId);
  const place = { publicUrl, instance, fallbackUrl };
  return PublicServer.open({
    host,
    port,
    clock,
    source: primary ?? null,
    routes: twilioWebhooks({ desk, clock, tally, signature, ...place, onAnswered, standing, passesOn }),
    onUpgrade: (request, socket, head) => {
      const serve = (): void => upgrades.handle(request, socket, head);
      if (!primary?.passUpgrade(request, socket, head, serve)) serve();
    },
    isLive: () => true,
    prove: (nonce) => proofOf(twilio.authToken, nonce),
    isReady: () => door.isReady,
    standing,
    onError: (error) => logger.error({ category: 'service', err: error }, 'a request failed'),
  });
}

const openAdmin = ({
  configuration,
  logger,
  clock,
  publicUrl,
  health,
  metrics,
  console,
  instanceLog,
  primary,
}: ServersOptions): Promise<AdminServer> =>
  openAdminServer({
    ...configuration.admin,
    clock,
    publicUrl,
    health,
    metrics: primary?.metricsOfAll(metrics) ?? metrics,
    console: console.served,
    localName: console.localName,
    onRefused: (verdict) => {
      logger.warn({ category: 'service', verdict }, 'an admin request was refused');
      instanceLog.count('request.refused', { where: 'admin', why: verdict });
    },
    onError: (error) => logger.error({ category: 'service', err: error }, 'an admin request failed'),
  });
