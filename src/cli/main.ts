/**
 * Owns: the process of the command line: its arguments, its streams, its exit code.
 * Does not own: the commands (`command-line.ts`).
 */
import { loadDotenv } from '../config/dotenv.ts';
import { systemClock } from '../platform/clock.ts';
import { runCommand } from './command-line.ts';

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: () => {
    loadDotenv(process.env, process.cwd());
    return process.env;
  },
  clock: systemClock,
  print: console.log,
  complain: console.error,
});
