/**
 * Owns: `holdfast inspect`: a call for the Stately inspector, by a page on this host or as a file.
 * Does not own: the page and its server (`inspector-server.ts`), the messages (`inspected-messages.ts`).
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Journal } from '../runtime/ports/journal.ts';
import { messagesOf } from './inspected-messages.ts';
import { inspectorOrigin } from './inspector-page.ts';
import { InspectorServer } from './inspector-server.ts';
import { findCall } from './show.ts';

export interface InspectSurroundings {
  journal: Journal;
  print(text: string): void;
  /** The person at the terminal has seen enough. */
  interrupted: AbortSignal;
}

/** Serves the page until it is interrupted. */
export async function inspectInBrowser(
  { journal, print, interrupted }: InspectSurroundings,
  callId: string,
): Promise<void> {
  await findCall(journal, callId);
  const messages = (stopped: AbortSignal) => messagesOf(journal, callId, stopped);
  const server = new InspectorServer({ callId, messages });
  const address = await server.open();
  print(`Open ${address}\nIt sends nothing to ${inspectorOrigin} before you click there. Ctrl-C ends it.`);
  if (!interrupted.aborted) {
    await new Promise((resolve) => interrupted.addEventListener('abort', resolve, { once: true }));
  }
  await server.close();
}

/** One message a line; of a live call until it ends, or until it is interrupted. */
export async function inspectToFile(
  { journal, interrupted }: InspectSurroundings,
  callId: string,
  path: string,
): Promise<string> {
  await findCall(journal, callId);
  let count = 0;
  async function* lines() {
    for await (const message of messagesOf(journal, callId, interrupted)) {
      count += 1;
      yield `${message}\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(path, { mode: 0o600 }));
  return `${path}: ${count} messages`;
}
