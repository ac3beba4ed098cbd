/**
 * Owns: `npm start`: the process, its signals, its exit; which of the three it is: the service itself, with `WORKERS` its
 * primary, or one of that one's workers.
 * Does not own: what it shows (`terminal.ts`), the service (`service.ts`), the workers (`workers/`).
 *
 * Exit codes: 0 stopped on request; 1 a fatal phase failed, or an agent's code threw before calls could come.
 */
import { loadDotenv } from '../config/dotenv.ts';
import { readWorkers } from '../config/environment.ts';
import { systemClock } from '../platform/clock.ts';
import { collectSeldom } from '../platform/heap.ts';
import { standardOutput } from '../platform/standard-output.ts';
import { HoldfastError } from '../runtime/ports/errors.ts';
import type { WorkerChannel } from './workers/primary-link.ts';

/** How long a process that is done waits for whoever reads its last lines. */
const lastLinesMs = 500;

/** Nothing that waits for whoever reads it: this is told while the process ends, too. */
const print = (text: string): void => standardOutput().write(`${text}\n`);

async function main([word, number]: readonly string[]): Promise<number> {
  loadDotenv(process.env, process.cwd());
  const count = readWorkers(process.env);
  // A primary does not load what only calls need.
  if (word !== 'worker' && count > 1) return runPrimary(count);
  collectSeldom(count);
  if (word === 'worker') return runWorkerProcess(Number(number));
  return runService();
}

async function runWorkerProcess(number: number): Promise<number> {
  const { runWorker } = await import('./workers/worker.ts');
  return await runWorker({ number, environment: process.env, channel: process as WorkerChannel });
}

async function runPrimary(count: number): Promise<number> {
  const { Primary } = await import('./workers/primary.ts');
  const program = process.argv[1] ?? '';
  const primary = new Primary({ count, program, environment: process.env, print });
  process.on('SIGINT', (signal) => primary.request(signal));
  process.on('SIGTERM', (signal) => primary.request(signal));
  return await primary.run();
}

async function runService(): Promise<number> {
  const { Terminal } = await import('./terminal.ts');
  const terminal = new Terminal({
    environment: process.env,
    clock: systemClock,
    print,
    // Before that there is no call to be kept, and whoever starts it should see what is wrong.
    onOpen: () => process.on('uncaughtException', (error) => terminal.noteFault(error)),
  });
  process.on('SIGINT', (signal) => terminal.request(signal));
  process.on('SIGTERM', (signal) => terminal.request(signal));
  // What an agent's code leaves unhandled must not end everybody's calls.
  process.on('unhandledRejection', (error) => terminal.noteFault(error));
  return await terminal.run();
}

// A reader of the output that goes away is no reason to end calls.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof HoldfastError)) throw error;
  console.error(error.message);
  return 1;
});
await standardOutput().written(lastLinesMs);
// An agent's own timers and connections would keep the process for ever.
process.exit(exitCode);
