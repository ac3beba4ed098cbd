/** Owns: the worker thread of the SQLite journal. `workerData` is the file's path. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveJournal } from './sqlite-service.ts';

if (parentPort !== null) serveJournal(parentPort, workerData);
