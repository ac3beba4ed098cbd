/** Owns: child processes of the journal's tests: starting one, hearing from it, ending it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export function startChild(script: string, ...words: string[]): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return fork(path, words, { execArgv: [] });
}

/** The child's next message. */
export async function hear<Message>(child: ChildProcess): Promise<Message> {
  const heard = new AbortController();
  const ended = once(child, 'exit', { signal: heard.signal }).then(([code, signal]) => {
    throw new Error(`the child ended (${code ?? signal}) before it said anything`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: heard.signal }), ended]);
    return message as Message;
  } finally {
    ended.catch(() => {});
    heard.abort();
  }
}
