/**
 * Owns: a process that is measured from outside: starting it, its CPU time, its memory, its open files, its end.
 * Does not own: what it does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAnswer } from './probe.ts';

const startLimitMs = 60_000;
const pollMs = 50;
const probe = join(import.meta.dirname, 'probe.ts');

export interface ProcessOptions {
  /** The program, a TypeScript file. */
  main: string;
  folder: string;
  logName: string;
  environment: Readonly<Record<string, string>>;
  isReady: () => Promise<boolean>;
}

export function findPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer();
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address();
      listener.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

export class MeasuredProcess {
  readonly exited: Promise<void>;
  readonly logPath: string;
  readonly #child: ChildProcess;
  #hasExited = false;
  #asked = 0;

  private constructor({ main, folder, logName, environment }: ProcessOptions) {
    this.logPath = join(folder, `${logName}.log`);
    const log = openSync(this.logPath, 'a');
    const flags = [
      '--disable-warning=ExperimentalWarning',
      '--conditions=holdfast-source',
      '--import',
      probe,
    ];
    this.#child = spawn(process.execPath, [...flags, main], {
      cwd: folder,
      env: { NODE_ENV: 'production', PATH: process.env.PATH, ...environment },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.exited = new Promise((resolve) =>
      this.#child.once('exit', () => {
        this.#hasExited = true;
        resolve();
      }),
    );
  }

  /** @throws Error where it is not ready within a minute */
  static async start(options: ProcessOptions): Promise<MeasuredProcess> {
    const started = new MeasuredProcess(options);
    const startedAtMs = performance.now();
    while (!(await options.isReady())) {
      if (started.#hasExited || performance.now() - startedAtMs > startLimitMs) {
        await started.kill();
        throw new Error(`${options.logName} did not start: see ${started.logPath}`);
      }
      await sleep(pollMs);
    }
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** CPU time of all its threads so far, those that have ended included (Linux: proc(5), utime and stime, of 10 ms). */
  cpuMs(): number {
    return cpuMsOf(this.pid);
  }

  /** How long its threads were ready to run and waited for a core: what something else on the machine took. */
  waitMs(): number {
    return waitMsOf(this.pid);
  }

  /** Open files and sockets (Linux); 0 where that is not told. */
  handles(): number {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length;
    } catch {
      return 0;
    }
  }

  rssBytes(): number {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1_024;
  }

  /** Collects garbage there: not to be asked while it is measured. */
  probe(): Promise<ProbeAnswer> {
    const ask = ++this.#asked;
    return new Promise((resolve, reject) => {
      const take = (answer: unknown): void => {
        if ((answer as ProbeAnswer).ask !== ask) return;
        this.#child.off('message', take);
        resolve(answer as ProbeAnswer);
      };
      this.#child.on('message', take);
      this.#child.send({ ask }, (error) => error && reject(error));
    });
  }

  async kill(): Promise<void> {
    if (!this.#hasExited) this.#child.kill('SIGKILL');
    await this.exited;
  }
}

/** Linux: /proc/PID/task/TID/schedstat, nanoseconds on the run queue; 0 elsewhere. */
export function waitMsOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const waits = threads.map(
      (thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[1],
    );
    return waits.reduce((sum, wait) => sum + Number(wait), 0) / 1e6;
  } catch {
    return 0;
  }
}

export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
