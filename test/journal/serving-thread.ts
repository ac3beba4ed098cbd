/**
 * Owns: the SQLite journal's service in the thread of the test, and what may happen to a serving thread.
 * Does not own: the worker thread (`src/adapters/journal/sqlite.ts`).
 */
import { MessageChannel } from 'node:worker_threads';
import type { StartThread } from '../../src/adapters/journal/sqlite-link.ts';
import { serveJournal } from '../../src/adapters/journal/sqlite-service.ts';

export const startInThisThread: StartThread = (path, onMessage, onEnd) => {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', onMessage);
  port1.on('close', () => onEnd(''));
  serveJournal(port2, path);
  return { post: (message) => port1.postMessage(message), stop: () => port2.close() };
};
