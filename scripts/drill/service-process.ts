/**
 * Owns: one process of the service, with its workers where it has some: starting it, watching it, ending it in either way.
 * Does not own: why (`drills/`), the twin that it talks to (`stage.ts`).
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnBound } from '../../test/support/bound-process.ts';
import { childrenOf, cpuMsOf, handlesOf } from '../process-figures.ts';

const root = join(import.meta.dirname, '../..');

export interface ServiceOptions {
  instance: string;
  /** Where its output goes, and where it runs. */
  folder: string;
  adminPort: number;
  environment: Readonly<Record<string, string>>;
  /** Modules that are loaded before the service. */
  preload?: readonly string[];
}

export interface ServiceHealth {
  ready: boolean;
  liveCalls: number;
  [detail: string]: unknown;
}

export interface Worker {
  /** Its name among all instances. */
  instance: string;
  pid: number;
  liveCalls: number;
}

export interface ServiceExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const isError = /"level":(50|60|"error"|"fatal")/;
/** Of a stack. */
const isPlace = /^\s*at .+:\d+:\d+\)?$/;

const startLimitMs = 60_000;
const pollMs = 50;
/** A frozen process answers nothing. */
const healthLimitMs = 2_000;

export class ServiceProcess {
  readonly instance: string;
  readonly logPath: string;
  readonly exited: Promise<ServiceExit>;
  /** Open files and sockets before the first call. */
  idleHandles = 0;
  /** It was ended by the drill. */
  isExpectedToEnd = false;
  readonly #child: ChildProcess;
  readonly #adminPort: number;
  readonly #workerCount: number;
  #exit: ServiceExit | null = null;

  private constructor(options: ServiceOptions) {
    const { instance, folder, adminPort, environment, preload = [] } = options;
    this.instance = instance;
    this.#adminPort = adminPort;
    this.#workerCount = Number(environment.WORKERS ?? 1);
    this.logPath = join(folder, `${instance}.log`);
    const log = openSync(this.logPath, 'a');
    const main = join(root, 'src/service/main.ts');
    const imports = preload.flatMap((module) => ['--import', module]);
    this.#child = spawnBound(process.execPath, ['--conditions=holdfast-source', ...imports, main], {
      cwd: folder,
      env: { ...environment, INSTANCE_ID: instance, ADMIN_PORT: String(adminPort), PATH: process.env.PATH },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.exited = new Promise((resolve) =>
      this.#child.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      }),
    );
  }

  /** Resolves when the process takes calls. @throws Error where it does not within a minute */
  static async start(options: ServiceOptions): Promise<ServiceProcess> {
    const service = new ServiceProcess(options);
    const startedAt = performance.now();
    while (!(await service.health())?.ready) {
      if (service.#exit !== null || performance.now() - startedAt > startLimitMs) {
        service.kill('SIGKILL');
        throw new Error(`${options.instance} did not start: see ${service.logPath}`);
      }
      await sleep(pollMs);
    }
    return service;
  }

  /** Where its health page and metrics are. */
  get adminAddress(): string {
    return `127.0.0.1:${this.#adminPort}`;
  }

  get isRunning(): boolean {
    return this.#exit === null;
  }

  get exit(): ServiceExit | null {
    return this.#exit;
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.isExpectedToEnd = true;
    if (this.#exit === null) this.#child.kill(signal);
  }

  /** SIGSTOP: its sockets stay open, and nothing of it moves. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Of all workers together; null while none answers. */
  async health(): Promise<ServiceHealth | null> {
    const pages = await Promise.all(this.#numbers.map((number) => this.#healthOf(number)));
    const told = pages.filter((page) => page !== null);
    const [first] = told;
    if (!first) return null;
    return {
      ...first,
      ready: told.length === pages.length && told.every(({ ready }) => ready),
      liveCalls: told.reduce((sum, { liveCalls }) => sum + liveCalls, 0),
    };
  }

  /** Those that answer. */
  async workers(): Promise<Worker[]> {
    const children = childrenOf(this.#pid);
    const workers = await Promise.all(
      this.#numbers.map(async (number): Promise<Worker[]> => {
        const health = await this.#healthOf(number);
        const child = children.find(({ words }) => words.at(-1) === String(number));
        const instance = `${this.instance}-${number}`;
        return health && child ? [{ instance, pid: child.pid, liveCalls: health.liveCalls }] : [];
      }),
    );
    return workers.flat();
  }

  /** Of its workers, from 1. */
  get #numbers(): number[] {
    return Array.from({ length: this.#workerCount }, (_, index) => index + 1);
  }

  #healthOf(number: number): Promise<ServiceHealth | null> {
    return new Promise((resolve) => {
      const options = {
        host: '127.0.0.1',
        port: this.#adminPort + number - 1,
        path: '/health',
        agent: false,
        timeout: healthLimitMs,
      };
      const asked = request(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve(readHealth(Buffer.concat(parts).toString())));
      });
      asked.on('error', () => resolve(null));
      asked.on('timeout', () => asked.destroy());
      asked.end();
    });
  }

  cpuMs(): number {
    return cpuMsOf(this.#pid);
  }

  /** Open files and sockets, those of its workers included. */
  handles(): number {
    const pids = this.#workerCount > 1 ? childrenOf(this.#pid).map(({ pid }) => pid) : [];
    return [this.#pid, ...pids].reduce((sum, pid) => sum + handlesOf(pid), 0);
  }

  get #pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Lines that the service logged as errors, but for those of entries: these are judged by the log. And a crash. */
  errors(): string[] {
    return readFileSync(this.logPath, 'utf8')
      .split('\n')
      .filter((line) => isError.test(line) || isPlace.test(line))
      .filter((line) => !line.includes('"entryAt":'));
  }
}

function readHealth(text: string): ServiceHealth | null {
  try {
    return JSON.parse(text) as ServiceHealth;
  } catch {
    return null;
  }
}
