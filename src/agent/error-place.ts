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

/** Where running code threw: the innermost frame in `file`, else the innermost in any file; null for a parse error. */
export function thrownPlace({ stack = '' }: Error, file: string): SourcePlace | null {
  const matches = stack.matchAll(
    /^ +at (?!async )(?:.*\()?(?<path>(?:file:\/\/)?\/[^()]*):(?<line>\d+):\d+\)?$/gm,
  );
  const frames = [...matches].map(({ groups = {} }) => placeOf(groups));
  return frames.find((frame) => frame.file === file) ?? frames[0] ?? null;
}

/** Where the code of `file`, or of a file that it imports, does not parse or link; null where Node does not tell. */
export async function parsePlace(error: Error, file: string): Promise<SourcePlace | null> {
  const heading = placeIn(error.stack ?? '');
  if (heading || error.name !== 'SyntaxError') return heading;
  return placeIn(await parseAgain(file));
}

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
 * The text of a parse error that JavaScript's own parser found. It has a heading only where nobody catches it, so a
 * second Node is made to meet it. Nothing of the file runs there: modules that do not parse are never evaluated.
 */
function parseAgain(file: string): Promise<string> {
  const conditions = process.execArgv.filter((argument) => argument.startsWith('--conditions='));
  return new Promise((resolve) => {
    execFile(process.execPath, [...conditions, file], { env: {}, timeout: parseMs }, (_, __, stderr) =>
      resolve(stderr),
    );
  });
}
