/** Documents as they are pasted into a terminal: which commands they have, and what becomes of one. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..', '..');

const blocksIn = (markdown: string): { language: string; text: string }[] =>
  [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));

/** The lines of every code block without a language: what can be pasted. */
export const commandsIn = (markdown: string): string[] =>
  blocksIn(markdown)
    .filter(({ language }) => language === '')
    .flatMap(({ text }) => text.trim().split('\n'));

/** The first code block in a language. */
export const blockIn = (markdown: string, wanted: string): string =>
  blocksIn(markdown).find(({ language }) => language === wanted)?.text ?? '';

export interface Finished {
  code: number | null;
  output: string;
}

/** @param until ends the command, once it has printed what this finds and `visit` is done with it */
export function run(
  command: string,
  environment: Record<string, string>,
  until?: { prints: RegExp; visit(found: string): Promise<void> },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', command], {
      cwd: root,
      env: { ...process.env, ...environment },
      detached: true,
    });
    let output = '';
    let isVisited = false;
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const found = until?.prints.exec(output)?.[1];
      if (!until || found === undefined || isVisited) return;
      isVisited = true;
      until
        .visit(found)
        .catch(reject)
        .finally(() => process.kill(-(child.pid ?? 0), 'SIGINT'));
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code) => resolve({ code, output }));
  });
}
