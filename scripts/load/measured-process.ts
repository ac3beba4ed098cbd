/**
 * Owns: a process that is measured from outside: starting it, its CPU time, its memory, its open files, its end.
 * Does not own: what it does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf, handlesOf, waitMsOf } from '../process-figures.ts';
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

  /** Open files and sockets. */
  handles(): number {
    return handlesOf(this.pid);
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
