/**
 * Owns: a process that is measured from outside: starting it, its CPU time, its memory, its open files, its end.
 * Does not own: what it does.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnBound } from '../../test/support/bound-process.ts';
import { cpuMsOf, handlesOf, waitMsOf } from '../process-figures.ts';
import type { ProbeAnswer } from './probe.ts';
import { deathOf } from './while-alive.ts';

const startLimitMs = 60_000;
const pollMs = 50;
const toldLines = 10;
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
  /** Rejects when it ends by itself, with the end of its log: its folder goes with the run. */
  readonly died: Promise<never>;
  readonly #logPath: string;
  readonly #child: ChildProcess;
  #hasExited = false;
  #isKilled = false;
  #asked = 0;

  private constructor({ main, folder, logName, environment }: ProcessOptions) {
    this.#logPath = join(folder, `${logName}.log`);
    const log = openSync(this.#logPath, 'a');
    const flags = [
      '--disable-warning=ExperimentalWarning',
      '--conditions=holdfast-source',
      '--import',
      probe,
    ];
    this.#child = spawnBound(process.execPath, [...flags, main], {
      cwd: folder,
      env: { NODE_ENV: 'production', PATH: process.env.PATH, ...environment },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const died = Promise.withResolvers<never>();
    this.died = died.promise;
    this.died.catch(() => undefined);
    this.exited = new Promise((resolve) =>
      this.#child.once('exit', (code, signal) => {
        this.#hasExited = true;
        if (!this.#isKilled) died.reject(this.#tellDeath(deathOf(logName, code, signal)));
        resolve();
      }),
    );
  }

  /** @throws Error where it ends, or is not ready within a minute */
  static async start(options: ProcessOptions): Promise<MeasuredProcess> {
    const started = new MeasuredProcess(options);
    const startedAtMs = performance.now();
    while (!(await options.isReady())) {
      if (started.#hasExited) return await started.died;
      if (performance.now() - startedAtMs > startLimitMs) {
        await started.kill();
        throw started.#tellDeath(new Error(`${options.logName} did not start`));
      }
      await sleep(pollMs);
    }
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
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
    this.#isKilled = true;
    if (!this.#hasExited) this.#child.kill('SIGKILL');
    await this.exited;
  }

  #tellDeath({ message }: Error): Error {
    const log = readFileSync(this.#logPath, 'utf8').trim().split('\n').slice(-toldLines).join('\n');
    return new Error(log === '' ? message : `${message}; its last lines:\n${log}`);
  }
}
