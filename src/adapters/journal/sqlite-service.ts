/**
 * Owns: the worker's side of the journal: turns, and the look-out for signals of other processes.
 * Does not own: transactions (`sqlite-turn.ts`), the write-ahead log's length (`write-ahead-log.ts`), the look-out for
 * commits (`sqlite-feed.ts`), the thread it runs in (`sqlite-worker.ts`).
 */
import type { DatabaseSync } from 'node:sqlite';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { writingOperations } from './operations.ts';
import { toFailure, toJournalError } from './sqlite-errors.ts';
import { SqliteFeed } from './sqlite-feed.ts';
import { openJournalFile } from './sqlite-file.ts';
import type { FromWorker, Request, ToWorker } from './sqlite-messages.ts';
import { SqliteTables } from './sqlite-tables.ts';
import { SqliteTurn } from './sqlite-turn.ts';
import { WriteAheadLog } from './write-ahead-log.ts';

/** A longer turn would make its first request wait for its last one. */
const requestsPerTurn = 256;

/** Two looks fit into the 100 ms within which a signal must be noticed. */
const signalPollMs = 40;

/** Serves the journal at `path` over `port` until it is told to close. */
export function serveJournal(port: MessagePort, path: string): void {
  const post = (message: FromWorker) => port.postMessage(message);
  try {
    const service = new SqliteService(port, openJournalFile(path), path);
    port.on('message', (message: ToWorker) => service.receive(message));
    post({ type: 'opened' });
  } catch (error) {
    post({ type: 'refused', failure: toFailure(toJournalError(error, path)) });
    port.close();
  }
}

class SqliteService {
  readonly #port: MessagePort;
  readonly #database: DatabaseSync;
  readonly #tables: SqliteTables;
  readonly #turn: SqliteTurn;
  readonly #feed: SqliteFeed;
  readonly #log: WriteAheadLog;
  #poll: NodeJS.Timeout | undefined;
  #noticedSignal = 0;

  constructor(port: MessagePort, database: DatabaseSync, path: string) {
    this.#port = port;
    this.#database = database;
    this.#tables = new SqliteTables(database);
    this.#turn = new SqliteTurn(database, this.#tables, path);
    this.#feed = new SqliteFeed(database, (callIds) => this.#post({ type: 'committed', callIds }));
    this.#log = new WriteAheadLog(database);
    this.#noticedSignal = this.#newestSignal();
    this.#log.scrub();
  }

  /** Takes everything that has queued by now into one turn, or into several full ones. */
  receive(first: ToWorker): void {
    const requests: Request[] = [];
    let message: ToWorker | undefined = first;
    while (message !== undefined) {
      if (message.type !== 'asked') break;
      requests.push(...message.requests);
      message = requests.length < requestsPerTurn ? this.#next() : undefined;
    }
    while (requests.length > 0) this.#runTurn(requests.splice(0, requestsPerTurn));
    if (message !== undefined) this.#obey(message);
  }

  #next(): ToWorker | undefined {
    return receiveMessageOnPort(this.#port)?.message;
  }

  #obey(order: Exclude<ToWorker, { type: 'asked' }>): void {
    if (order.type === 'follow') this.#feed.follow(order);
    else if (order.type === 'watch') this.#watch();
    else if (order.type === 'unwatch') this.#unwatch();
    else this.#close();
  }

  #unwatch(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  /** A signal put before this order came is told as well: it may have come after its watcher. */
  #watch(): void {
    this.#unwatch();
    this.#poll = setInterval(() => this.#noticeSignals(), signalPollMs);
  }

  #runTurn(requests: Request[]): void {
    const answers = this.#turn.run(requests);
    if (requests.some(({ name }) => name === 'put')) this.#noticeSignals();
    if (requests.some(({ name }) => name === 'append')) this.#feed.notice();
    this.#post({ type: 'answered', answers });
    // After the answers, so that only the next turn can wait for it.
    if (requests.some(({ name }) => writingOperations.has(name)))
      this.#log.afterTurn({ erased: requests.some(isErasing) });
  }

  /** Comes before the answer to a `put`: the watchers of this process know of it when its putter does. */
  #noticeSignals(): void {
    if (this.#poll === undefined) return;
    const newest = this.#newestSignal();
    if (newest <= this.#noticedSignal) return;
    this.#noticedSignal = newest;
    this.#post({ type: 'signalled' });
  }

  /** A look that fails is no news: the next one is soon, and the fault shows in the requests. */
  #newestSignal(): number {
    try {
      return this.#tables.newestSignal();
    } catch {
      return this.#noticedSignal;
    }
  }

  #close(): void {
    this.#unwatch();
    this.#feed.stop();
    this.#log.stop();
    this.#database.close();
    this.#port.close();
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message);
  }
}

function isErasing(request: Request): boolean {
  return request.name === 'append' && request.request.erases;
}
