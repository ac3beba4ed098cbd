/**
 * Owns: `npm start`: the process, its signals, its exit.
 * Does not own: what it shows (`terminal.ts`), the service (`service.ts`).
 *
 * Exit codes: 0 stopped on request; 1 a fatal phase failed.
 */
import { loadDotenv } from '../config/dotenv.ts';
import { systemClock } from '../platform/clock.ts';
import { HoldfastError } from '../runtime/ports/errors.ts';
import { Terminal } from './terminal.ts';

async function main(): Promise<number> {
  loadDotenv(process.env, process.cwd());
  const terminal = new Terminal({ environment: process.env, clock: systemClock, print: console.log });
  process.on('SIGINT', (signal) => terminal.request(signal));
  process.on('SIGTERM', (signal) => terminal.request(signal));
  // What an agent's code leaves unhandled must not end everybody's calls.
  process.on('unhandledRejection', (error) => terminal.noteFault(error));
  return await terminal.run();
}

// A reader of the output that goes away is no reason to end calls.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof HoldfastError)) throw error;
  console.error(error.message);
  return 1;
});
// An agent's own timers and connections would keep the process for ever.
process.exit(exitCode);
