/** Real instances behind a real balancer that ends TLS, the offline Twilio and the offline model in front and behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { drillBrain } from '../../../scripts/drill/brain.ts';
import { DrillCaller } from '../../../scripts/drill/caller.ts';
import { instructionsFor, phoneNumberOf } from '../../../scripts/drill/conversation.ts';
import { Effects } from '../../../scripts/drill/effects.ts';
import { ServiceProcess } from '../../../scripts/drill/service-process.ts';
import { openJournal } from '../../../src/adapters/journal/open-journal.ts';
import { addressOf, connectionOverrides, routes } from '../../../src/adapters/twilio/addresses.ts';
import type { Entry } from '../../../src/machines/entries.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { readEntries } from '../../../src/runtime/history.ts';
import type { Journal } from '../../../src/runtime/ports/journal.ts';
import { type OpenAiTwin, startOpenAiTwin } from '../../../src/twin/openai/server.ts';
import type { CallHandle } from '../../../src/twin/twilio/call/call-handle.ts';
import { startTwilioTwin, type TwinServer } from '../../../src/twin/twilio/server.ts';
import { findPort } from '../../support/free-port.ts';
import { withoutBudgets } from '../../support/without-budgets.ts';
import { Balancer } from './balancer.ts';
import type { BalancerName } from './shipped.ts';

const account = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'offline-auth-token' };
const number = '+15550100';
const agent = join(import.meta.dirname, '../../../scripts/drill/agent.ts');

/** As the shipped configurations name them. */
export const instanceNames = ['holdfast-1', 'holdfast-2', 'holdfast-3'] as const;
export type InstanceName = (typeof instanceNames)[number];

export interface PlacedCall {
  caller: number;
  handle: CallHandle;
  party: DrillCaller;
}

interface Parts {
  folder: string;
  ports: readonly number[];
  adminPorts: readonly number[];
  publicUrl: string;
  balancer: Balancer;
  openai: OpenAiTwin;
  twilio: TwinServer;
  effects: Effects;
  journal: Journal;
}

export class Fleet {
  readonly services = new Map<InstanceName, ServiceProcess>();
  readonly #parts: Parts;
  #callers = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Balancer and twins; no instance runs yet. */
  static async open(name: BalancerName): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), `holdfast-${name}-`));
    const [port = 0, tlsPort = 0, ...rest] = await Promise.all(
      Array.from({ length: 2 + 2 * instanceNames.length }, findPort),
    );
    const ports = rest.slice(0, instanceNames.length);
    const publicUrl = `https://localhost:${tlsPort}`;
    const journal = await openJournal(`sqlite:${join(folder, 'journal.db')}`, { clock: systemClock });
    const balancer = await Balancer.start(name, { folder, port, tlsPort, instancePorts: ports });
    // As Twilio trusts the authorities of real certificates.
    setDefaultCACertificates([...getCACertificates('default'), balancer.authorityCertificate]);
    return new Fleet({
      folder,
      ports,
      adminPorts: rest.slice(instanceNames.length),
      publicUrl,
      balancer,
      openai: await startOpenAiTwin({ brain: drillBrain, keptSessions: 1_000 }),
      twilio: await startTwilioTwin({
        ...account,
        // As `holdfast number point-here` sets it, without a fallback: what goes wrong ends the call.
        numbers: {
          [number]: {
            voiceUrl: addressOf(publicUrl, routes.voice) + connectionOverrides,
            statusCallback: addressOf(publicUrl, routes.status) + connectionOverrides,
          },
        },
      }),
      effects: await Effects.open({ fallback: '' }),
      journal,
    });
  }

  get balancer(): Balancer {
    return this.#parts.balancer;
  }

  get journal(): Journal {
    return this.#parts.journal;
  }

  /** Resolves when the instance takes calls. */
  async start(
    name: InstanceName,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ServiceProcess> {
    const { folder, ports, adminPorts } = this.#parts;
    const index = instanceNames.indexOf(name);
    const service = await ServiceProcess.start({
      instance: name,
      folder,
      adminPort: adminPorts[index] ?? 0,
      environment: { ...this.#environment, PORT: String(ports[index]), ...environment },
    });
    this.services.set(name, service);
    return service;
  }

  service(name: InstanceName): ServiceProcess {
    const service = this.services.get(name);
    if (!service) throw new Error(`${name} does not run`);
    return service;
  }

  /** What an instance answers its balancer. */
  ready(name: InstanceName): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#parts.ports[instanceNames.indexOf(name)]}/ready`);
  }

  async metrics(name: InstanceName): Promise<string> {
    return (await fetch(`http://${this.service(name).adminAddress}/metrics`)).text();
  }

  place(): PlacedCall {
    const caller = this.#callers++;
    const party = new DrillCaller({ caller });
    const from = phoneNumberOf(caller);
    return { caller, party, handle: this.#parts.twilio.placeCall({ to: number, from, script: party }) };
  }

  /** Owners of a call, one after the other, and why each came to own it. */
  async owners({ handle }: PlacedCall): Promise<string[]> {
    const entries = await this.entries(handle.sid);
    return entries.flatMap((entry) =>
      entry.type === 'owner.claimed' ? [`${entry.why} ${entry.instance}`] : [],
    );
  }

  /** Where each call lives that is not over. */
  async placesOf(calls: readonly PlacedCall[]): Promise<(string | null)[]> {
    const rows = await this.journal.list({ live: true, limit: 200 });
    return calls.map(({ handle }) => rows.find(({ callId }) => callId === handle.sid)?.owner ?? null);
  }

  async entries(callId: string): Promise<Entry[]> {
    return readEntries(this.journal, callId);
  }

  /** Model sessions that were ever opened for a call. */
  sessionsOf({ caller }: PlacedCall): number {
    const own = instructionsFor(caller);
    return this.#parts.openai.sessions.filter(({ settings }) => settings.instructions === own).length;
  }

  async close(): Promise<void> {
    const { twilio, openai, effects, journal, balancer, folder } = this.#parts;
    const services = [...this.services.values()];
    for (const service of services) service.kill('SIGKILL');
    await Promise.all(services.map(({ exited }) => exited));
    await Promise.all([twilio.close(), openai.close(), effects.close(), balancer.close()]);
    await journal.close();
    rmSync(folder, { recursive: true, force: true });
  }

  get #environment(): Record<string, string> {
    const { publicUrl, twilio, openai, effects, folder } = this.#parts;
    return {
      ...withoutBudgets,
      PUBLIC_URL: publicUrl,
      TWILIO_ACCOUNT_SID: account.accountSid,
      TWILIO_AUTH_TOKEN: account.authToken,
      TWILIO_API_URL: twilio.url,
      TWILIO_PHONE_NUMBER: number,
      OPENAI_API_KEY: 'sk-offline',
      OPENAI_REALTIME_URL: openai.url,
      JOURNAL_URL: `sqlite:${join(folder, 'journal.db')}`,
      AGENT: agent,
      DRILL_EFFECTS_URL: effects.url,
      LOG_LEVEL: 'info',
    };
  }
}
