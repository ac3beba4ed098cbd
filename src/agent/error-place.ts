/**
 * Owns: telling from an error which line of an author's code it comes from.
 * Does not own: what is said of it.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface SourcePlace {
  /** Absolute path. */
  file: string;
  /** From 1. */
  line: number;
}

/** How long a second Node may take to meet a parse error again. */
const parseMs = 5_000;

/** Where running code threw: the innermost frame in `file`, else the innermost in any file; null where none ran. */
export function thrownPlace({ stack = '' }: Error, file: string): SourcePlace | null {
  const matches = stack.matchAll(
    /^ +at (?!async )(?:.*\()?(?<path>(?:file:\/\/)?\/[^()]*):(?<line>\d+):\d+\)?$/gm,
  );
  const frames = [...matches].map(({ groups = {} }) => placeOf(groups));
  return frames.find((frame) => frame.file === file) ?? frames[0] ?? null;
}

/** Where code does not parse or link, as far as the error itself tells; null for an error that running code threw. */
export const codePlace = ({ stack = '' }: Error): SourcePlace | null => placeIn(stack);

/** Node heads the text of a parse or link error with `path:line`. */
function placeIn(text: string): SourcePlace | null {
  const match = /^(?<path>(?:file:\/\/)?\/.*):(?<line>\d+)\n/.exec(text);
  return match?.groups ? placeOf(match.groups) : null;
}

const placeOf = ({ path = '', line }: Record<string, string>): SourcePlace => ({
  file: path.startsWith('file:') ? fileURLToPath(path) : path,
  line: Number(line),
});

/**
 * Where `file`, or a file that it imports, does not parse, for the errors of JavaScript's own parser: they tell it
 * only where nobody catches them, so a second Node is made to meet it. Nothing of the file runs there: modules that
 * do not parse are never evaluated.
 */
export function findParseError(file: string): Promise<SourcePlace | null> {
  const conditions = process.execArgv.filter((argument) => argument.startsWith('--conditions='));
  return new Promise((resolve) => {
    execFile(process.execPath, [...conditions, file], { env: {}, timeout: parseMs }, (_, __, stderr) =>
      resolve(placeIn(stderr)),
    );
  });
}
