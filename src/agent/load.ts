/**
 * Owns: loading the file that `AGENT` names.
 * Does not own: which definitions are accepted (`loaded-agent.ts`), what a call makes of one (`resolve.ts`).
 *
 * Invariants:
 * B1. Whatever is wrong with the file is told as a fault that names it, and its line where that can be known. A file that
 *     waits for what never comes is wrong, too.
 */
import { readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import type { Clock } from '../runtime/ports/clock.ts';
import type { FixCallError } from '../runtime/ports/errors.ts';
import { withinDeadline } from './deadline.ts';
import type { Agent } from './definition.ts';
import { codePlace, findParseError, type SourcePlace, thrownPlace } from './error-place.ts';
import { checkAgent, type LoadedAgent } from './loaded-agent.ts';
import { AgentOrigin } from './origin.ts';

/** Longer than a database or a store of secrets takes that is there. */
export const loadLimitMs = 60_000;

export interface LoadOptions {
  /** By which a file may take `loadLimitMs`; any time without one. */
  clock?: Clock;
  /** What relative paths start from. */
  directory?: string;
  /** Imports a module by its file URL; the `import` of this process unless told. */
  importModule?: (url: string) => Promise<Record<string, unknown>>;
}

/**
 * Loads a TypeScript file (erasable syntax: Node strips the types) or a JavaScript file by its default export.
 *
 * @throws FixCallError `agent.invalid`
 */
export async function loadAgent(path: string, options: LoadOptions = {}): Promise<LoadedAgent> {
  const { directory = process.cwd(), clock, importModule = (url) => import(url) } = options;
  const origin = await openOrigin(path, directory);
  const importing = importModule(pathToFileURL(origin.path).href).catch(async (error: unknown) => {
    throw await importFault(origin, error);
  });
  const exported = await (clock ? inTime(importing, origin, clock) : importing);
  if (exported.default === undefined) {
    throw origin.fault('has no default export: write export default defineAgent({ ... })');
  }
  return checkAgent(exported.default as Agent, origin);
}

async function inTime<Value>(importing: Promise<Value>, origin: AgentOrigin, clock: Clock): Promise<Value> {
  const ending = await withinDeadline({ clock, timeoutMs: loadLimitMs }, () => importing);
  if (ending.how === 'returned') return ending.value;
  if (ending.how === 'threw') throw ending.error;
  throw origin.fault(
    `is not loaded after ${loadLimitMs / 1_000} s: it waits for something that does not come`,
  );
}

/** The content of the file and its real path, as Node names it in errors. */
async function openOrigin(path: string, directory: string): Promise<AgentOrigin> {
  const named = resolve(directory, path);
  try {
    return new AgentOrigin(path, await realpath(named), await readFile(named, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? `there is no such file (${named})` : `cannot be read (${code})`;
    throw new AgentOrigin(path, named, '').fault(`${reason}. AGENT names the agent's file.`);
  }
}

async function importFault(origin: AgentOrigin, error: unknown): Promise<FixCallError> {
  if (!(error instanceof Error)) return origin.fault(`throws when it is loaded: ${inspect(error)}`);
  const { message } = error;
  const missing = /^Cannot find (?:module|package) '(?:[^']*\/)?(?<name>[^'/]+)'/.exec(message)?.groups?.name;
  if (missing !== undefined) return origin.fault(message, origin.findImport(missing));
  const unread = `cannot be read as code: ${message}`;
  const codeAt = codePlace(error);
  if (codeAt) return await faultAt(origin, codeAt, unread);
  const thrownAt = thrownPlace(error, origin.path);
  if (thrownAt) return await faultAt(origin, thrownAt, `throws when it is loaded: ${message}`);
  const parseAt = error.name === 'SyntaxError' ? await findParseError(origin.path) : null;
  return parseAt ? await faultAt(origin, parseAt, unread) : origin.fault(`cannot be loaded: ${message}`);
}

/** A fault in the agent's file, or in one that it imports. */
async function faultAt(
  origin: AgentOrigin,
  { file, line }: SourcePlace,
  message: string,
): Promise<FixCallError> {
  if (file === origin.path) return origin.fault(message, line);
  const source = await readFile(file, 'utf8').catch(() => '');
  return new AgentOrigin(file, file, source).fault(`${message} (imported by ${origin.file})`, line);
}
