/**
 * Owns: the messages between the main thread and the SQLite worker. One message asks for all that came up within one turn
 * of the main thread's event loop; one message back answers a whole turn of the worker.
 */
import type { OperationName, Operations } from './operations.ts';
import type { Failure } from './sqlite-errors.ts';

export type Request<Some extends OperationName = OperationName> = {
  [Name in Some]: { id: number; name: Name; request: Operations[Name]['request'] };
}[Some];

/** What is followed from now on, in place of what was before. */
export interface Follow {
  type: 'follow';
  any: boolean;
  callIds: string[];
}

/** `close` comes last: what was asked before it is still answered. */
export type ToWorker =
  | { type: 'asked'; requests: Request[] }
  | { type: 'watch' }
  | { type: 'unwatch' }
  | Follow
  | { type: 'close' };

export type Answer =
  | { id: number; result: Operations[OperationName]['result'] }
  | { id: number; failure: Failure };

/** `opened` or `refused` comes first, exactly once; after `refused` nothing else. */
export type FromWorker =
  | { type: 'opened' }
  | { type: 'refused'; failure: Failure }
  | { type: 'answered'; answers: Answer[] }
  | { type: 'signalled' }
  /** Followed calls; with an empty array, some other call than those. */
  | { type: 'committed'; callIds: string[] };
