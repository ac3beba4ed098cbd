/** Owns: a host for real processes: a folder, free ports, both halves of the twin, the environment of a service. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../../src/config/dotenv.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Clock } from '../../../src/runtime/ports/clock.ts';
import type { ServiceFact, ServiceSnapshot } from '../../../src/runtime/service-actor.ts';
import { Service } from '../../../src/service/service.ts';
import { echoBrain } from '../../../src/twin/openai/echo-brain.ts';
import { type OpenAiTwin, startOpenAiTwin } from '../../../src/twin/openai/server.ts';
import { startTwilioTwin, type TwinServer } from '../../../src/twin/twilio/server.ts';

export const account = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'offline-auth-token' };
export const number = '+15550100';
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Node.js as the project pins it, whatever runs the tests. */
export const pinnedNode = join(root, 'node_modules', '.bin', 'node');

/** Somebody else's server on a port, which shares it with nobody. */
export function occupy(port: number): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({ port: typeof address === 'object' && address ? address.port : port, server });
    });
  });
}

export const leave = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));

export async function freePort(): Promise<number> {
  const { port, server } = await occupy(0);
  await leave(server);
  return port;
}

/** A clock that runs `factor` times as fast as the machine's. */
export function fastClock(factor: number): Clock {
  const startedAt = Date.now();
  const startedMs = performance.now();
  const elapsedMs = (): number => (performance.now() - startedMs) * factor;
  return {
    now: () => startedAt + Math.round(elapsedMs()),
    monotonic: elapsedMs,
    setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / factor),
    clearTimeout: (handle) => systemClock.clearTimeout(handle),
  };
}

/** Resolves when the condition holds. The test's own time limit is the only one. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Status and body, or null where nobody listens. */
export async function get(port: number, path: string): Promise<{ status: number; body: string } | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, body: await answer.text() };
  } catch {
    return null;
  }
}

export interface RunningProcess {
  child: ChildProcess;
  /** Everything that it wrote so far. */
  output(): string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

export class Host {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-service-'));
  readonly #cleanups: (() => unknown)[] = [];

  get journalPath(): string {
    return join(this.folder, 'data', 'holdfast.db');
  }

  /** In reverse order, when the test is over. */
  onClose(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async openai(port = 0): Promise<OpenAiTwin> {
    const twin = await startOpenAiTwin({ brain: echoBrain(), port });
    this.onClose(() => twin.close());
    return twin;
  }

  /** With the number's addresses at `publicUrl`. */
  async twilio(publicUrl: string): Promise<TwinServer> {
    const twin = await startTwilioTwin({
      ...account,
      allowInsecureStreams: true,
      seed: 1,
      numbers: {
        [number]: {
          voiceUrl: `${publicUrl}/twilio/voice`,
          voiceFallbackUrl: `${publicUrl}/twilio/fallback`,
          statusCallback: `${publicUrl}/twilio/status`,
        },
      },
    });
    this.onClose(() => twin.close());
    return twin;
  }

  environment(changes: Environment = {}): Environment {
    return {
      PORT: '0',
      ADMIN_PORT: '0',
      PUBLIC_URL: 'https://calls.example.com',
      TWILIO_ACCOUNT_SID: account.accountSid,
      TWILIO_AUTH_TOKEN: account.authToken,
      TWILIO_API_URL: 'http://127.0.0.1:9',
      OPENAI_API_KEY: 'sk-offline',
      OPENAI_REALTIME_URL: 'ws://127.0.0.1:9/v1/realtime',
      JOURNAL_URL: `sqlite:${this.journalPath}`,
      AGENT: join(root, 'agents', 'front-desk.ts'),
      LOG_LEVEL: 'silent',
      ...changes,
    };
  }

  /** A service in this process. */
  service(changes: Environment, clock: Clock = systemClock) {
    const facts: ServiceFact[] = [];
    let snapshot: ServiceSnapshot | null = null;
    const service = new Service({
      environment: this.environment(changes),
      clock,
      onChange: (next, fact) => {
        snapshot = next;
        if (fact) facts.push(fact);
      },
    });
    this.onClose(async () => {
      service.stop('the test is over');
      await service.stopped;
    });
    return {
      service,
      facts,
      outcome: (phase: keyof ServiceSnapshot['context']['phases']) => snapshot?.context.phases[phase],
      state: () => snapshot?.value,
    };
  }

  /** `npm start` or the like, as a process of its own. */
  spawn(script: string, changes: Environment, words: string[] = []): RunningProcess {
    const child = spawn(
      pinnedNode,
      ['--conditions=holdfast-source', '--disable-warning=ExperimentalWarning', join(root, script), ...words],
      { cwd: this.folder, env: { PATH: process.env.PATH, ...changes } as NodeJS.ProcessEnv },
    );
    let output = '';
    const take = (data: Buffer): void => {
      output += data.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const ended = new Promise<number | string | null>((resolve) =>
      child.once('close', (code, signal) => resolve(code ?? signal)),
    );
    this.onClose(() => child.kill('SIGKILL'));
    return { child, output: () => output, ended };
  }
}
