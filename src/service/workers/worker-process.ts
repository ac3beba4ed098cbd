/**
 * Owns: one worker as its primary sees it: the child process, and how far it has come.
 * Does not own: what is done with it (`primary.ts`).
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Environment } from '../../config/dotenv.ts';
import { type ToPrimary, type ToWorker, tell } from './messages.ts';
import { noReport } from './worker-load.ts';

export interface WorkerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface WorkerEvents {
  onMessage(worker: WorkerProcess, message: ToPrimary, socket: Socket | undefined): void;
  /** Once everything that it said was heard. */
  onEnd(worker: WorkerProcess, end: WorkerEnd): void;
}

export interface Program {
  /** The file that the primary runs itself. */
  program: string;
  environment: Environment;
}

/** What a worker's first word on the command line is. */
const workerWord = 'worker';

export class WorkerProcess {
  /** From 1; its successor has the same. */
  readonly number: number;
  /** Its name among all instances, once it is known. */
  instance: string | null = null;
  /** Connections may come to it. */
  isOpen = false;
  /** The last one that it told. */
  report = noReport;
  readonly #child: ChildProcess;
  readonly #startedMs = performance.now();
  #heardMs = this.#startedMs;
  #isKilled = false;

  constructor(number: number, { program, environment }: Program, { onMessage, onEnd }: WorkerEvents) {
    this.number = number;
    this.#child = fork(program, [workerWord, String(number)], {
      env: environment,
      // As JSON neither bytes nor a gauge that is not known (NaN) would come through.
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message, socket) => {
      this.#heardMs = performance.now();
      onMessage(this, message as ToPrimary, socket as Socket | undefined);
    });
    // A worker that cannot be reached any more has ended, or is about to.
    this.#child.on('error', () => undefined);
    this.#child.once('close', (code, signal) => onEnd(this, { code, signal }));
  }

  get calls(): number {
    return this.report.calls;
  }

  get isConnected(): boolean {
    return this.#child.connected;
  }

  get ranMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** For how long it has told nothing: it does so several times a second (`worker-load.ts`). */
  get silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Also where it hears nothing any more, or is frozen. */
  kill(): void {
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
  }

  tell(message: ToWorker, socket?: Socket): void {
    tell(this.#child, message, socket);
  }
}
