/**
 * Owns: which command is meant, with which journal, and how errors are told.
 * Does not own: what a command does (a file each), the process (`main.ts`).
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openJournal } from '../adapters/journal/open-journal.ts';
import type { Environment } from '../config/dotenv.ts';
import { readJournalUrl } from '../config/environment.ts';
import { version } from '../platform/version.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { FixCallError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import { listCalls } from './calls.ts';
import { eraseOlder, eraseOne } from './erase.ts';
import { exportToFile } from './export.ts';
import { listFacts, listInstances } from './instances.ts';
import { pointNumberHere } from './number.ts';
import { replayCall } from './replay.ts';
import { showCall } from './show.ts';
import { usage } from './usage.ts';

export interface CommandSurroundings {
  environment(): Environment;
  clock: Clock;
  /** The name of the account that the command runs under. */
  operator: string;
  /** What was asked for. */
  print(text: string): void;
  /** Why it could not be had. */
  complain(text: string): void;
  /** Null: nobody is there to ask. */
  ask: ((question: string) => Promise<string>) | null;
  /** Ends what goes on until somebody has seen enough. */
  untilInterrupted(): AbortSignal;
}

const options = {
  json: { type: 'boolean', default: false },
  limit: { type: 'string', default: '20' },
  out: { type: 'string' },
  file: { type: 'string' },
  'older-than': { type: 'string' },
  yes: { type: 'boolean', short: 'y', default: false },
  log: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', default: false },
} as const;

/** The command line cannot be understood: the usage is shown. */
class UsageError extends Error {}

type Arguments = ReturnType<typeof parse>;
type Values = Arguments['values'];

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

function parseDays(text: string): number {
  const days = /^([1-9]\d{0,4})d$/.exec(text)?.[1];
  if (days === undefined) throw new UsageError('--older-than must be a number of days, such as 30d');
  return Number(days);
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
    if (values.help || command === 'help') return this.#done(usage);
    if (values.version) return this.#done(version);
    if (rest.length > 0) throw new UsageError(`${rest.join(' ')} is too much`);
    const done =
      argument === undefined ? this.#ofAll(command, values) : this.#ofOne(command, argument, values);
    if (done === null) throw new UsageError(command === undefined ? '' : whatIsWrong(command));
    return await done;
  }

  #ofAll(command: string | undefined, values: Values): Promise<number> | null {
    const { json, log } = values;
    const limit = parseLimit(values.limit);
    if (command === 'calls') return this.#print((journal) => listCalls(journal, { json, limit }));
    if (command === 'instances' && log) return this.#print((journal) => listFacts(journal, { json, limit }));
    if (command === 'instances') return this.#print((journal) => listInstances(journal, { json }));
    const olderThan = values['older-than'];
    if (command !== 'erase' || olderThan === undefined) return null;
    const days = parseDays(olderThan);
    return this.#print((journal) => eraseOlder(this.#eraser(journal, values), days));
  }

  #ofOne(command: string | undefined, argument: string, values: Values): Promise<number> | null {
    const { json } = values;
    if (command === 'show') return this.#print((journal) => showCall(journal, argument, { json }));
    if (command === 'replay') return this.#replay(argument, json);
    if (command === 'export')
      return this.#print((journal) => exportToFile(journal, argument, values.out ?? null));
    if (command === 'erase' && values['older-than'] === undefined)
      return this.#print((journal) => eraseOne(this.#eraser(journal, values), argument));
    if (command === 'inspect') return this.#inspect(argument, values.file ?? null);
    if (command === 'number' && argument === 'point-here') return this.#pointHere();
    return null;
  }

  async #print(command: (journal: Journal) => Promise<string>): Promise<number> {
    return this.#done(await this.#withJournal(command));
  }

  async #replay(callId: string, json: boolean): Promise<number> {
    const { text, matches } = await this.#withJournal((journal) => replayCall(journal, callId, { json }));
    this.#surroundings.print(text);
    return matches ? 0 : 1;
  }

  /** Loaded when it is needed: the inspector's package takes longer than any other command. */
  async #inspect(callId: string, file: string | null): Promise<number> {
    const { print, untilInterrupted } = this.#surroundings;
    const { inspectInBrowser, inspectToFile } = await import('./inspect.ts');
    await this.#withJournal(async (journal) => {
      const surroundings = { journal, print, interrupted: untilInterrupted() };
      if (file === null) await inspectInBrowser(surroundings, callId);
      else print(await inspectToFile(surroundings, callId, file));
    });
    return 0;
  }

  #eraser(journal: Journal, { yes }: Values) {
    const { clock, operator } = this.#surroundings;
    return { journal, clock, operator, confirm: async (question: string) => yes || this.#confirm(question) };
  }

  async #confirm(question: string): Promise<boolean> {
    const { ask } = this.#surroundings;
    if (ask === null) throw new UsageError('erase asks before it erases: add --yes where nobody can answer');
    return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
  }

  async #pointHere(): Promise<number> {
    const { environment, clock } = this.#surroundings;
    return this.#done(await pointNumberHere(environment(), clock));
  }

  /** Opens a journal that is there; never makes a new one. */
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

const commandsWithCall: readonly string[] = ['show', 'replay', 'export', 'inspect'];

function whatIsWrong(command: string): string {
  if (commandsWithCall.includes(command))
    return `${command} needs the id of a call: \`holdfast calls\` lists them`;
  if (command === 'erase') return 'erase needs the id of a call, or --older-than and no id';
  if (command === 'number') return 'number knows one thing: point-here';
  if (command === 'calls' || command === 'instances') return `${command} takes no further words`;
  return `There is no command ${command}`;
}

function whatIsMissing(url: string): string | null {
  if (url === 'memory:') return 'JOURNAL_URL is memory: what it holds ends with its process.';
  if (!url.startsWith('sqlite:')) return null;
  const path = url.slice('sqlite:'.length);
  if (existsSync(path)) return null;
  return `There is no journal at ${path}: no call was taken yet, or JOURNAL_URL names another one.`;
}
