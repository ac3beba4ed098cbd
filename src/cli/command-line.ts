/**
 * Owns: which command is meant, with which journal, and how errors are told.
 * Does not own: what a command prints (a file each), the process (`main.ts`).
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openJournal } from '../adapters/journal/open-journal.ts';
import type { Environment } from '../config/dotenv.ts';
import { readJournalUrl } from '../config/environment.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { FixCallError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import { listCalls } from './calls.ts';
import { pointNumberHere } from './number.ts';
import { replayCall } from './replay.ts';
import { showCall } from './show.ts';

const usage = `holdfast: look at calls, and at the number that brings them

  holdfast calls [--limit 20] [--json]   the calls in the journal, newest first
  holdfast show <callId> [--json]        one call's log, as it was written
  holdfast replay <callId> [--json]      the log driven through the chart again; exits 1 where the states differ
  holdfast number point-here             sends the number's calls to this service, and prints where they went before

The journal is JOURNAL_URL, sqlite:data/holdfast.db unless set. \`number\` reads TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN,
TWILIO_PHONE_NUMBER and PUBLIC_URL. A file .env in this folder is read as well.`;

export interface CommandSurroundings {
  environment(): Environment;
  clock: Clock;
  /** What was asked for. */
  print(text: string): void;
  /** Why it could not be had. */
  complain(text: string): void;
}

const options = {
  json: { type: 'boolean', default: false },
  limit: { type: 'string', default: '20' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** The command line cannot be understood: the usage is shown. */
class UsageError extends Error {}

type Arguments = ReturnType<typeof parse>;

function parse(words: string[]) {
  try {
    return parseArgs({ args: words, options, allowPositionals: true });
  } catch (error) {
    // Node.js goes on about how to pass a word that begins with a hyphen.
    throw new UsageError(String((error as Error).message).split('. ')[0]);
  }
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError('--limit must be a whole number from 1 to 999999');
  return Number(text);
}

/**
 * Runs one command. Resolves with the exit code: 0 done; 1 it failed, or a replay differs; 2 the command line is wrong.
 */
export async function runCommand(words: string[], surroundings: CommandSurroundings): Promise<number> {
  try {
    return await new CommandLine(surroundings).run(parse(words));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof UsageError)) surroundings.complain(message);
    else surroundings.complain(message === '' ? usage : `${message}\n\n${usage}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

class CommandLine {
  readonly #surroundings: CommandSurroundings;

  constructor(surroundings: CommandSurroundings) {
    this.#surroundings = surroundings;
  }

  async run({ positionals: [command, argument, ...rest], values }: Arguments): Promise<number> {
    const { json, limit, help } = values;
    if (help) return this.#done(usage);
    if (rest.length > 0) throw new UsageError(`${rest.join(' ')} is too much`);
    if (command === 'calls' && argument === undefined) return this.#calls(json, parseLimit(limit));
    if (command === 'show' && argument) return this.#show(argument, json);
    if (command === 'replay' && argument) return this.#replay(argument, json);
    if (command === 'number' && argument === 'point-here') return this.#pointHere();
    throw new UsageError(command === undefined ? '' : whatIsWrong(command));
  }

  async #calls(json: boolean, limit: number): Promise<number> {
    return this.#done(await this.#withJournal((journal) => listCalls(journal, { json, limit })));
  }

  async #show(callId: string, json: boolean): Promise<number> {
    return this.#done(await this.#withJournal((journal) => showCall(journal, callId, { json })));
  }

  async #replay(callId: string, json: boolean): Promise<number> {
    const { text, matches } = await this.#withJournal((journal) => replayCall(journal, callId, { json }));
    this.#surroundings.print(text);
    return matches ? 0 : 1;
  }

  async #pointHere(): Promise<number> {
    const { environment, clock } = this.#surroundings;
    return this.#done(await pointNumberHere(environment(), clock));
  }

  /** Opens the journal for reading; never makes a new one. */
  async #withJournal<Result>(use: (journal: Journal) => Promise<Result>): Promise<Result> {
    const { environment, clock } = this.#surroundings;
    const url = readJournalUrl(environment());
    const missing = whatIsMissing(url);
    if (missing) throw new FixCallError('journal.url', missing);
    const journal = await openJournal(url, { clock });
    try {
      return await use(journal);
    } finally {
      await journal.close();
    }
  }

  #done(text: string): number {
    this.#surroundings.print(text);
    return 0;
  }
}

const commandsWithCall: readonly string[] = ['show', 'replay'];

function whatIsWrong(command: string): string {
  if (commandsWithCall.includes(command))
    return `${command} needs the id of a call: \`holdfast calls\` lists them`;
  if (command === 'number') return 'number knows one thing: point-here';
  if (command === 'calls') return 'calls takes no further words';
  return `There is no command ${command}`;
}

function whatIsMissing(url: string): string | null {
  if (url === 'memory:') return 'JOURNAL_URL is memory: what it holds ends with its process.';
  const path = url.slice('sqlite:'.length);
  if (existsSync(path)) return null;
  return `There is no journal at ${path}: no call was taken yet, or JOURNAL_URL names another one.`;
}
