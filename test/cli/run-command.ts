/** Owns: running the command line in this process, and as a user does. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../src/cli/command-line.ts';
import type { Environment } from '../../src/config/dotenv.ts';
import { systemClock } from '../../src/platform/clock.ts';

export interface Outcome {
  code: number;
  out: string;
  error: string;
}

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Person {
  /** What they answer to a question; nobody is there unless told. */
  answer?: string;
  interrupted?: AbortSignal;
  onPrint?(text: string): void;
}

/** In this process. */
export async function run(
  words: string,
  environment: Environment,
  { answer, interrupted, onPrint }: Person = {},
): Promise<Outcome> {
  const out: string[] = [];
  const error: string[] = [];
  const code = await runCommand(words === '' ? [] : words.split(' '), {
    environment: () => environment,
    clock: systemClock,
    operator: 'ann',
    print: (text) => {
      out.push(text);
      onPrint?.(text);
    },
    complain: (text) => error.push(text),
    ask:
      answer === undefined
        ? null
        : async (question) => {
            error.push(question);
            return answer;
          },
    untilInterrupted: () => interrupted ?? new AbortController().signal,
  });
  return { code, out: out.join('\n'), error: error.join('\n') };
}

/** `node bin/holdfast.js ...` in a folder, with no other variables than these. */
export function holdfast(words: string[], folder: string, environment: Environment = {}): Promise<Outcome> {
  const env = { PATH: process.env.PATH, ...environment } as NodeJS.ProcessEnv;
  const child = spawn('node', [join(root, 'bin', 'holdfast.js'), ...words], { cwd: folder, env });
  let out = '';
  let error = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    error += data.toString();
  });
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ code: code ?? Number.NaN, out, error })),
  );
}
