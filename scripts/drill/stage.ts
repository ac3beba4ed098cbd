/**
 * Owns: what a drill plays on: both halves of the twin, the effects, the journal's folder, and the processes of the
 * service, which share one public port.
 * Does not own: what happens there (`run.ts`).
 *
 * Invariants:
 * L1. After `close` no process and no socket of the drill is left.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { addressOf, connectionOverrides, routes } from '../../src/adapters/twilio/addresses.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import type { FaultPlan } from '../../src/twin/openai/faults.ts';
import { type OpenAiTwin, startOpenAiTwin } from '../../src/twin/openai/server.ts';
import { startTwilioTwin, type TwinServer } from '../../src/twin/twilio/server.ts';
import { drillBrain } from './brain.ts';
import { Effects } from './effects.ts';
import { ServiceProcess } from './service-process.ts';

const root = join(import.meta.dirname, '../..');
const olderVersion = join(import.meta.dirname, 'older-version.ts');

const account = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'offline-auth-token' };
export const shopNumber = '+15550100';

export interface StageOptions {
  /** Names the folder. */
  name: string;
  modelFaults?: FaultPlan;
  sessionMaximumMs?: number;
  /** Bounds and other variables of the service. */
  environment?: Readonly<Record<string, string>>;
  /** Neither the number nor the service knows a document outside the service. */
  withoutFallback?: boolean;
}

function findPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

export class Stage {
  readonly folder: string;
  readonly openai: OpenAiTwin;
  readonly twilio: TwinServer;
  readonly effects: Effects;
  /** In the order of their start, those that have ended included. */
  readonly services: ServiceProcess[] = [];
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(
    folder: string,
    twins: { openai: OpenAiTwin; twilio: TwinServer; effects: Effects },
    environment: Readonly<Record<string, string>>,
  ) {
    this.folder = folder;
    this.openai = twins.openai;
    this.twilio = twins.twilio;
    this.effects = twins.effects;
    this.#environment = environment;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), `holdfast-drill-${options.name}-`));
    const port = await findPort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const effects = await Effects.open({ fallback: fallbackFor(publicUrl) });
    const openai = await startOpenAiTwin({
      brain: drillBrain,
      faults: options.modelFaults,
      sessionMaximumMs: options.sessionMaximumMs,
      keptSessions: 100_000,
    });
    const twilio = await startTwilioTwin({
      ...account,
      allowInsecureStreams: true,
      numbers: { [shopNumber]: routingTo(publicUrl, options.withoutFallback ? null : effects.url) },
    });
    const environment = {
      ...environmentFor({ port, folder, openai, twilio, effects }),
      ...(options.withoutFallback ? {} : { TWILIO_FALLBACK_URL: `${effects.url}/fallback` }),
      ...options.environment,
    };
    return new Stage(folder, { openai, twilio, effects }, environment);
  }

  get journalPath(): string {
    return join(this.folder, 'journal.db');
  }

  openJournal(): Promise<Journal> {
    return openJournal(`sqlite:${this.journalPath}`, { clock: systemClock });
  }

  /** Resolves when the new process takes calls. */
  async start(
    instance: string,
    { isOlder = false, preload = [] }: { isOlder?: boolean; preload?: readonly string[] } = {},
  ): Promise<ServiceProcess> {
    const service = await ServiceProcess.start({
      instance,
      folder: this.folder,
      adminPort: await findPort(),
      environment: this.#environment,
      preload: isOlder ? [olderVersion, ...preload] : preload,
    });
    this.services.push(service);
    service.idleHandles = service.handles();
    return service;
  }

  /** L1. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    for (const service of this.services) service.kill('SIGKILL');
    await Promise.all(this.services.map(({ exited }) => exited));
    await Promise.all([this.twilio.close(), this.openai.close(), this.effects.close()]);
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Parts {
  port: number;
  folder: string;
  openai: OpenAiTwin;
  twilio: TwinServer;
  effects: Effects;
}

const environmentFor = ({ port, folder, openai, twilio, effects }: Parts): Record<string, string> => ({
  PORT: String(port),
  PUBLIC_URL: `http://127.0.0.1:${port}`,
  TWILIO_ACCOUNT_SID: account.accountSid,
  TWILIO_AUTH_TOKEN: account.authToken,
  TWILIO_API_URL: twilio.url,
  TWILIO_PHONE_NUMBER: shopNumber,
  OPENAI_API_KEY: 'sk-offline',
  OPENAI_REALTIME_URL: openai.url,
  JOURNAL_URL: `sqlite:${join(folder, 'journal.db')}`,
  AGENT: join(import.meta.dirname, 'agent.ts'),
  DRILL_EFFECTS_URL: effects.url,
  LOG_LEVEL: 'info',
});

/** As `holdfast number point-here` sets it. */
const routingTo = (publicUrl: string, fallbackHost: string | null) => ({
  voiceUrl: addressOf(publicUrl, routes.voice) + connectionOverrides,
  ...(fallbackHost === null
    ? {}
    : { voiceFallbackUrl: `${fallbackHost}/fallback`, voiceFallbackMethod: 'GET' as const }),
  statusCallback: addressOf(publicUrl, routes.status) + connectionOverrides,
});

/** The document that the repository ships, as its reader is told to fill it in. */
const fallbackFor = (publicUrl: string): string =>
  readFileSync(join(root, 'deploy/fallback.xml'), 'utf8').replace('https://calls.example.com', publicUrl);
