/**
 * Owns: the command line: which command is meant, with which journal, and how errors are told.
 * Does not own: what a command prints (a file each).
 *
 * Exit codes: 0 done; 1 it failed, or a replay differs; 2 the command line is wrong.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openJournal } from '../adapters/journal/open-journal.ts';
import { type Environment, loadDotenv } from '../config/dotenv.ts';
import { readJournalUrl } from '../config/environment.ts';
import { systemClock } from '../platform/clock.ts';
import { FixCallError, HoldfastError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import { listCalls } from './calls.ts';
import { pointNumberHere } from './number.ts';
import { replayCall } from './replay.ts';
import { showCall } from './show.ts';

const usage = `holdfast: look at calls, and at the number that brings them

  holdfast calls [--limit 20] [--json]     the calls in the journal, newest first
  holdfast show <callId> [--json]          one call's log
  holdfast replay <callId> [--json]        one call's log driven through the chart again; exits 1 where they differ
  holdfast number point-here               points TWILIO_PHONE_NUMBER's URLs at this service, and prints what was there

The journal is JOURNAL_URL, sqlite:data/holdfast.db unless set. \`number\` reads the TWILIO_ variables and PUBLIC_URL
as well; .env is read where there is one.`;

const options = {
  json: { type: 'boolean', default: false },
  limit: { type: 'string', default: '20' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Arguments = ReturnType<typeof parse>;

const parse = (argv: string[]) => parseArgs({ args: argv, options, allowPositionals: true });

function environment(): Environment {
  loadDotenv(process.env, process.cwd());
  return process.env;
}

/** Opens the journal for reading; never makes a new one. */
async function withJournal<Result>(use: (journal: Journal) => Promise<Result>): Promise<Result> {
  const url = readJournalUrl(environment());
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : null;
  if (path !== null && !existsSync(path)) {
    throw new FixCallError(
      'journal.url',
      `There is no journal at ${path}: no call was taken yet, or JOURNAL_URL names another one.`,
    );
  }
  const journal = await openJournal(url, { clock: systemClock });
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}

async function replayAndJudge(callId: string, json: boolean): Promise<number> {
  const { text, matches } = await withJournal((journal) => replayCall(journal, callId, { json }));
  console.log(text);
  return matches ? 0 : 1;
}

/** The exit code, or null where the words make no command. */
async function run({ positionals: [command, argument, ...rest], values: { json, limit } }: Arguments) {
  if (rest.length > 0) return null;
  if (command === 'calls' && argument === undefined && Number.isInteger(Number(limit))) {
    console.log(await withJournal((journal) => listCalls(journal, { json, limit: Number(limit) })));
    return 0;
  }
  if (command === 'show' && argument) {
    console.log(await withJournal((journal) => showCall(journal, argument, { json })));
    return 0;
  }
  if (command === 'replay' && argument) return replayAndJudge(argument, json);
  if (command === 'number' && argument === 'point-here') {
    console.log(await pointNumberHere(environment()));
    return 0;
  }
  return null;
}

function tell(error: unknown): number {
  if (error instanceof HoldfastError) {
    console.error(error.message);
    return 1;
  }
  console.error(error instanceof Error ? error.message : String(error));
  return error instanceof TypeError && 'code' in error ? 2 : 1;
}

async function main(argv: string[]): Promise<number> {
  const parsed = parse(argv);
  if (parsed.values.help) {
    console.log(usage);
    return 0;
  }
  const code = await run(parsed);
  if (code === null) console.error(usage);
  return code ?? 2;
}

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', () => process.exit(0));
process.exitCode = await main(process.argv.slice(2)).catch(tell);
