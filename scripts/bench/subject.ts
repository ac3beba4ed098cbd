/**
 * Owns: what is compared, and how each is started.
 * Does not own: the measuring (`round.ts`).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { account } from '../../src/twin/load/account.ts';
import { findPort } from '../../test/support/free-port.ts';
import { withoutBudgets } from '../../test/support/without-budgets.ts';
import { MeasuredProcess } from '../load/measured-process.ts';

export const subjectNames = ['service', 'relay', 'slices', 'peer'] as const;
export type SubjectName = (typeof subjectNames)[number];

export const isSubjectName = (name: string): name is SubjectName =>
  (subjectNames as readonly string[]).includes(name);

const titles: Record<SubjectName, string> = {
  service: 'Holdfast, everything on',
  relay: 'bare relay, JSON parsed',
  slices: 'bare relay, slices',
  peer: 'TwilioRealtimeTransportLayer',
};
export const titleOf = (name: SubjectName): string => titles[name];

const root = join(import.meta.dirname, '../..');

export interface Subject {
  process: MeasuredProcess;
  address: string;
  /** Host and port of the service's health page and metrics; null where there are none. */
  adminAddress: string | null;
  close(): Promise<void>;
}

/**
 * @param peersPort where the carrier's REST API, the model and the collector are
 * @param environment of the service, beyond what it has in production
 */
export async function startSubject(
  name: SubjectName,
  peersPort: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-load-${name}-`));
  const [port, adminPort] = [await findPort(), await findPort()];
  const isService = name === 'service';
  const surroundings = isService
    ? { ...serviceEnvironment(folder, port, adminPort, peersPort), ...environment }
    : yardstickEnvironment(port, peersPort);
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  const measured = await MeasuredProcess.start({
    main: mainOf(name),
    folder,
    logName: name,
    environment: surroundings,
    isReady: () => answers({ port, path: '/ready' }),
  }).catch((error: Error) => {
    removeFolder();
    throw error;
  });
  const close = async (): Promise<void> => {
    await measured.kill();
    removeFolder();
  };
  const adminAddress = isService ? `127.0.0.1:${adminPort}` : null;
  return { process: measured, address: `http://127.0.0.1:${port}`, adminAddress, close };
}

const files: Record<Exclude<SubjectName, 'service'>, string> = {
  relay: 'relay-json.ts',
  slices: 'relay-slices.ts',
  peer: 'agents-sdk.ts',
};

const mainOf = (name: SubjectName): string =>
  name === 'service' ? join(root, 'src/service/main.ts') : join(import.meta.dirname, 'subjects', files[name]);

const modelUrl = (peersPort: number): string => `ws://127.0.0.1:${peersPort}/v1/realtime`;

const yardstickEnvironment = (port: number, peersPort: number): Record<string, string> => ({
  PORT: String(port),
  OPENAI_API_KEY: account.apiKey,
  OPENAI_REALTIME_URL: `${modelUrl(peersPort)}?model=gpt-realtime-2.1`,
});

/** As in production: journal on disk, metrics, traces to a collector, log lines of level info. */
const serviceEnvironment = (
  folder: string,
  port: number,
  adminPort: number,
  peersPort: number,
): Record<string, string> => ({
  PORT: String(port),
  ADMIN_PORT: String(adminPort),
  PUBLIC_URL: `http://127.0.0.1:${port}`,
  TWILIO_ACCOUNT_SID: account.accountSid,
  TWILIO_AUTH_TOKEN: account.authToken,
  TWILIO_API_URL: `http://127.0.0.1:${peersPort}`,
  OPENAI_API_KEY: account.apiKey,
  OPENAI_REALTIME_URL: modelUrl(peersPort),
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${peersPort}`,
  JOURNAL_URL: `sqlite:${join(folder, 'journal.db')}`,
  AGENT: join(root, 'agents/front-desk.ts'),
  // What it carries beyond its budgets is to be measured, too.
  ...withoutBudgets,
});

function answers({ port, path }: { port: number; path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 300);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
