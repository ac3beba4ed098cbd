/**
 * Owns: the primary process: it starts the workers and starts them anew, joins them to the entrance, and ends when they
 * have ended.
 * Does not own: calls (`worker.ts`), the port (`entrance.ts`), workers that do not end (`ending.ts`), upgrades that change
 * hands (`upgrade-passes.ts`), metrics (`worker-metrics.ts`), what is shown (`workers-terminal.ts`).
 *
 * Invariants:
 * E5. It reads nothing of what callers send, and holds nothing of a call: what it loses with its end is the port.
 * E6. Every worker that it started has ended when it ends, and it ends in time: one that does not end is killed.
 */
import type { Socket } from 'node:net';
import type { Environment } from '../../config/dotenv.ts';
import { systemClock } from '../../platform/clock.ts';
import type { TimerHandle } from '../../runtime/ports/clock.ts';
import { Ending } from './ending.ts';
import { Entrance } from './entrance.ts';
import { FirstStart } from './first-start.ts';
import type { Address, ListenFailure, ToPrimary } from './messages.ts';
import { PrimaryMeter } from './primary-meter.ts';
import { Restarts } from './restarts.ts';
import { UpgradePasses } from './upgrade-passes.ts';
import type { LoadReport } from './worker-load.ts';
import { WorkerMetrics } from './worker-metrics.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';
import { WorkersTerminal } from './workers-terminal.ts';

export interface PrimaryOptions {
  count: number;
  /** The file that this process runs, and its workers are to. */
  program: string;
  environment: Environment;
  print(text: string): void;
}

export class Primary {
  readonly #options: PrimaryOptions;
  readonly #terminal: WorkersTerminal;
  readonly #workers = new Set<WorkerProcess>();
  readonly #entrance = new Entrance(systemClock);
  readonly #passes = new UpgradePasses();
  readonly #meter = new PrimaryMeter(() => this.#workers);
  readonly #metrics = new WorkerMetrics(systemClock, () => this.#meter.read());
  readonly #firstStart: FirstStart;
  readonly #restarts = new Map<number, Restarts>();
  readonly #pauses = new Set<TimerHandle>();
  readonly #ending: Ending<WorkerProcess>;
  readonly #ended = Promise.withResolvers<number>();
  #port: Promise<number> | null = null;
  #address: Address | null = null;
  #requests = 0;
  #signal = '';
  #exitCode = 0;
  #isEnding = false;
  #hasFailed = false;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#terminal = new WorkersTerminal(options.count, options.print);
    this.#firstStart = new FirstStart(options.count);
    this.#ending = new Ending({
      clock: systemClock,
      workers: () => this.#workers,
      entrance: this.#entrance,
      closeEntrance: () => this.#closeEntrance(),
      openEntrance: () => this.#openEntrance(),
      onKill: ({ number }) => this.#terminal.noteKill(number),
    });
  }

  /**
   * Runs the workers to their end. Resolves with the exit code: 0 all stopped on request, 1 not. One that had to be killed
   * stopped on request: the request was obeyed, and a supervisor that starts again what failed is not to do so.
   */
  async run(): Promise<number> {
    for (let number = 1; number <= this.#options.count; number += 1) {
      this.#restarts.set(number, new Restarts());
      this.#start(number);
    }
    this.#metrics.start();
    const exitCode = await this.#ended.promise;
    this.#metrics.stop();
    this.#ending.stop();
    this.#entrance.close();
    return exitCode;
  }

  /** The first request waits for live calls, the second one does not. */
  request(signal: string): void {
    this.#requests += 1;
    this.#signal = signal;
    if (this.#requests > 1) this.#terminal.noteStop(signal);
    this.#end(this.#requests === 1 ? 'drain' : 'stop', signal);
    if (this.#workers.size === 0) this.#finish();
  }

  #start(number: number): void {
    const worker = new WorkerProcess(number, this.#options, {
      onMessage: (from, message, socket) => this.#take(from, message, socket),
      onEnd: (ended, end) => this.#onEnd(ended, end),
    });
    this.#workers.add(worker);
    this.#metrics.add(worker);
  }

  #end(order: 'drain' | 'stop', reason: string): void {
    this.#isEnding = true;
    this.#entrance.beginEnd();
    this.#ending.begin(order === 'stop');
    for (const pause of this.#pauses) systemClock.clearTimeout(pause);
    this.#pauses.clear();
    for (const worker of this.#workers) worker.tell({ type: order, reason });
  }

  #take(worker: WorkerProcess, message: ToPrimary, socket: Socket | undefined): void {
    if (message.type === 'load') this.#noteLoad(worker, message.report);
    else if (message.type === 'passUpgrade') {
      const to = this.#find(message.instance);
      if (socket) this.#passes.begin(worker, message.key, to, message.request, socket);
    } else if (message.type === 'upgradeTaken') this.#passes.take(message.key);
    else if (message.type === 'releaseUpgrade') this.#passes.release(worker, message.key);
    else if (message.type === 'open') void this.#open(worker, message);
    else if (message.type === 'close') this.#close(worker);
    else if (message.type === 'askMetrics') void this.#answerMetrics(worker, message.key);
    else if (message.type === 'metrics') this.#metrics.take(worker, message.key, message.readings);
    else if (message.type === 'phase')
      this.#terminal.notePhase(worker.number, message.phase, message.outcome);
    else if (message.type === 'started') this.#onStarted(worker, message);
    else this.#onDraining(message.withinMs);
  }

  #noteLoad(worker: WorkerProcess, report: LoadReport): void {
    worker.report = report;
    this.#entrance.note(worker, report);
  }

  #find(instance: string): WorkerProcess | null {
    return [...this.#workers].find((worker) => worker.isOpen && worker.instance === instance) ?? null;
  }

  /** All workers of the first start come to the port together, so that no one gets all the first calls. */
  async #open(
    worker: WorkerProcess,
    { instance, address }: Extract<ToPrimary, { type: 'open' }>,
  ): Promise<void> {
    worker.instance = instance;
    await this.#firstStart.reach(worker.number);
    this.#address = address;
    this.#port ??= this.#entrance.listen(address);
    try {
      const port = await this.#port;
      if (this.#workers.has(worker)) this.#join(worker, port);
    } catch (error) {
      worker.tell({ type: 'openFailed', failure: failureOf(error) });
    }
  }

  #join(worker: WorkerProcess, port: number): void {
    worker.isOpen = true;
    worker.tell({ type: 'opened', port });
    this.#tellSiblings();
    this.#entrance.add(worker, worker.report);
  }

  /** A lone service goes on answering the carrier to its end: so the port closes with the last worker that asks for it. */
  #close(worker: WorkerProcess): void {
    worker.isOpen = false;
    this.#entrance.remove(worker);
    if (this.#isEnding && this.#entrance.size === 0) this.#closeEntrance();
    worker.tell({ type: 'closed' });
  }

  /** A worker may ask for the port once more: whoever it counted on may be gone. */
  #closeEntrance(): void {
    this.#entrance.close();
    this.#port = null;
  }

  /** Somebody else may have the port by now: then it is tried again. */
  #openEntrance(): void {
    if (this.#address === null || this.#port !== null) return;
    this.#port = this.#entrance.listen(this.#address);
    this.#port.catch(() => {
      this.#port = null;
    });
  }

  #tellSiblings(): void {
    const instances = [...this.#workers].flatMap(({ isOpen, instance }) =>
      isOpen && instance ? [instance] : [],
    );
    for (const worker of this.#workers) worker.tell({ type: 'siblings', instances });
  }

  async #answerMetrics(worker: WorkerProcess, key: number): Promise<void> {
    worker.tell({ type: 'metricsText', key, text: await this.#metrics.text() });
  }

  #onStarted(worker: WorkerProcess, { outcome, allPassed }: Extract<ToPrimary, { type: 'started' }>): void {
    if (outcome !== 'running') return;
    this.#firstStart.prove(worker.number);
    this.#terminal.noteStarted(worker.number, allPassed);
  }

  #onDraining(withinMs: number): void {
    this.#ending.noteDrain(withinMs);
    if (this.#signal === '') return;
    this.#terminal.noteDrain(this.#signal, withinMs);
    this.#signal = '';
  }

  #onEnd(worker: WorkerProcess, end: WorkerEnd): void {
    this.#workers.delete(worker);
    this.#entrance.forget(worker);
    this.#passes.forget(worker);
    this.#metrics.forget(worker);
    const isFirst = this.#firstStart.leave(worker.number);
    if (this.#isEnding) this.#exitCode ||= end.code === 0 || worker.isKilled ? 0 : 1;
    else if (isFirst && end.code === 1) this.#fail();
    else this.#startAnew(worker, end);
    this.#tellSiblings();
    if (this.#isEnding && this.#workers.size === 0) this.#finish();
  }

  /** What is wrong would be wrong the next time, too. */
  #fail(): void {
    this.#exitCode = 1;
    this.#hasFailed = true;
    this.#end('stop', 'a worker could not start');
  }

  #startAnew(worker: WorkerProcess, end: WorkerEnd): void {
    const { number } = worker;
    const pauseMs = this.#restarts.get(number)?.pauseAfter(worker.ranMs, this.#entrance.size === 0) ?? 0;
    this.#meter.countLost();
    this.#terminal.noteEnd(number, end, pauseMs);
    const pause = systemClock.setTimeout(() => {
      this.#pauses.delete(pause);
      this.#start(number);
    }, pauseMs);
    this.#pauses.add(pause);
  }

  #finish(): void {
    if (this.#hasFailed) this.#terminal.noteFailure();
    else this.#terminal.noteStopped();
    this.#ended.resolve(this.#exitCode);
  }
}

/** As far as the start-up tells it. */
function failureOf(error: unknown): ListenFailure {
  const { message, code = '', address = '', port = 0 } = error as Error & Partial<ListenFailure>;
  return { message, code, address, port };
}
