/**
 * Owns: opening the SQLite journal of one file, with its worker thread. Several processes of one host may share it.
 * Does not own: the thread's conversation (`sqlite-link.ts`), the port (`handle.ts`).
 */
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Journal } from '../../runtime/ports/journal.ts';
import { openHandle } from './handle.ts';
import { openLink, type StartThread } from './sqlite-link.ts';

/** The worker's file has this file's extension: `.ts` in a clone, `.js` when built. */
const workerUrl = new URL(
  `./sqlite-worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

/** The default of `openSqliteJournal`. */
export const startWorker: StartThread = (path, onMessage, onEnd) => {
  const worker = new Worker(workerUrl, { workerData: path, name: 'journal' });
  let reason = '';
  worker.on('message', onMessage);
  worker.on('error', (error) => {
    reason = String(error);
  });
  worker.on('exit', () => onEnd(reason));
  return { post: (message) => worker.postMessage(message), stop: () => void worker.terminate() };
};

/**
 * Opens the file at `path`, or creates it and the folders above it. The main thread never waits for the disk.
 *
 * @throws GiveUpError `journal.corrupt`, `journal.future`; RetryError `journal.unavailable`
 */
export async function openSqliteJournal(
  path: string,
  { clock, startThread = startWorker }: { clock: Clock; startThread?: StartThread },
): Promise<Journal> {
  return openHandle(await openLink(resolve(path), clock, startThread), clock);
}
