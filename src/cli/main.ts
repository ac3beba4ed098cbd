/**
 * Owns: the process of the command line: its arguments, its streams, its exit code.
 * Does not own: the commands (`command-line.ts`).
 */
import { createInterface } from 'node:readline/promises';
import { loadDotenv } from '../config/dotenv.ts';
import { systemClock } from '../platform/clock.ts';
import { accountName } from '../platform/process.ts';
import { runCommand } from './command-line.ts';

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', () => process.exit(0));

/** Only for a command that waits for it. Others end at once, as usual. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  return interrupted.signal;
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const givenUp = new AbortController();
  terminal.once('SIGINT', () => givenUp.abort());
  try {
    return await terminal.question(question, { signal: givenUp.signal });
  } finally {
    terminal.close();
  }
}

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: () => {
    loadDotenv(process.env, process.cwd());
    return process.env;
  },
  clock: systemClock,
  operator: accountName(),
  print: console.log,
  complain: console.error,
  ask: process.stdin.isTTY ? ask : null,
  untilInterrupted,
});
