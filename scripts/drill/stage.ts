/**
 * Owns: what a drill plays on: both halves of the twin, the effects, a folder, the ground, and the processes of the
 * service.
 * Does not own: what happens there (`run.ts`).
 *
 * Invariants:
 * L1. After `close` no process and no socket of the drill is left.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { type PublicPlace, routingTo } from '../../src/adapters/twilio/number.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import type { FaultPlan } from '../../src/twin/openai/faults.ts';
import { type OpenAiTwin, startOpenAiTwin } from '../../src/twin/openai/server.ts';
import type { NumberConfiguration } from '../../src/twin/twilio/rest/phone-numbers.ts';
import { startTwilioTwin, type TwinServer } from '../../src/twin/twilio/server.ts';
import { findPort } from '../../test/support/free-port.ts';
import { withoutBudgets } from '../../test/support/without-budgets.ts';
import { drillBrain } from './brain.ts';
import { Effects } from './effects.ts';
import { Fleet } from './fleet.ts';
import { type Ground, oneHost } from './ground.ts';
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
  /** Several machines; `cuttable`: each can be cut off from the database. */
  fleet?: 'plain' | 'cuttable';
}

export class Stage {
  readonly folder: string;
  readonly ground: Ground;
  readonly openai: OpenAiTwin;
  readonly twilio: TwinServer;
  readonly effects: Effects;
  /** In the order of their start, those that have ended included. */
  readonly services: ServiceProcess[] = [];
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(
    folder: string,
    ground: Ground,
    twins: { openai: OpenAiTwin; twilio: TwinServer; effects: Effects },
    environment: Readonly<Record<string, string>>,
  ) {
    this.folder = folder;
    this.ground = ground;
    this.openai = twins.openai;
    this.twilio = twins.twilio;
    this.effects = twins.effects;
    this.#environment = environment;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), `holdfast-drill-${options.name}-`));
    const { fleet } = options;
    const ground = fleet ? await Fleet.open(folder, fleet === 'cuttable') : await oneHost(folder);
    const { publicUrl } = ground;
    const effects = await Effects.open({ fallback: fallbackFor(publicUrl) });
    const openai = await startOpenAiTwin({
      brain: drillBrain,
      faults: options.modelFaults,
      sessionMaximumMs: options.sessionMaximumMs,
      keptSessions: 100_000,
    });
    const fallbackUrl = options.withoutFallback ? null : `${effects.url}/fallback`;
    const twilio = await startTwilioTwin({
      ...account,
      allowInsecureStreams: true,
      numbers: { [shopNumber]: numberTo({ publicUrl, fallbackUrl }) },
    });
    const environment = {
      ...environmentFor({ publicUrl, openai, twilio, effects }),
      ...(fallbackUrl === null ? {} : { TWILIO_FALLBACK_URL: fallbackUrl }),
      ...options.environment,
    };
    return new Stage(folder, ground, { openai, twilio, effects }, environment);
  }

  get journalPath(): string {
    return join(this.folder, 'journal.db');
  }

  openJournal(): Promise<Journal> {
    return openJournal(this.ground.journalUrl, { clock: systemClock });
  }

  /** @throws Error where the drill has one host alone */
  get fleet(): Fleet {
    if (this.ground instanceof Fleet) return this.ground;
    throw new Error('the drill has no fleet');
  }

  /** Resolves when the new process takes calls. */
  async start(
    instance: string,
    { isOlder = false, preload = [] }: { isOlder?: boolean; preload?: readonly string[] } = {},
  ): Promise<ServiceProcess> {
    const place = this.ground.placeOf(instance);
    const service = await ServiceProcess.start({
      instance,
      folder: this.folder,
      adminPort: await findPort(),
      environment: { ...this.#environment, ...place.environment },
      preload: [...place.preload, ...(isOlder ? [olderVersion] : []), ...preload],
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
    await this.ground.close();
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Parts {
  publicUrl: string;
  openai: OpenAiTwin;
  twilio: TwinServer;
  effects: Effects;
}

const environmentFor = ({ publicUrl, openai, twilio, effects }: Parts): Record<string, string> => ({
  ...withoutBudgets,
  PUBLIC_URL: publicUrl,
  TWILIO_ACCOUNT_SID: account.accountSid,
  TWILIO_AUTH_TOKEN: account.authToken,
  TWILIO_API_URL: twilio.url,
  TWILIO_PHONE_NUMBER: shopNumber,
  OPENAI_API_KEY: 'sk-offline',
  OPENAI_REALTIME_URL: openai.url,
  AGENT: join(import.meta.dirname, 'agent.ts'),
  DRILL_EFFECTS_URL: effects.url,
  LOG_LEVEL: 'info',
});

/** As `holdfast number point-here` sets it. */
function numberTo(place: PublicPlace): Partial<NumberConfiguration> {
  const { voice, fallback, status } = routingTo(place);
  return {
    voiceUrl: voice.url,
    voiceMethod: voice.method,
    voiceFallbackUrl: fallback.url,
    voiceFallbackMethod: fallback.method,
    statusCallback: status.url,
    statusCallbackMethod: status.method,
  };
}

/** The document that the repository ships, as its reader is told to fill it in. */
const fallbackFor = (publicUrl: string): string =>
  readFileSync(join(root, 'deploy/fallback.xml'), 'utf8').replace('https://calls.example.com', publicUrl);
