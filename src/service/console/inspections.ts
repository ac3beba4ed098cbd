/**
 * Owns: telling the Stately inspector of a call: its whole log, message by message, and what comes after it.
 * Does not own: the form of the messages (`src/adapters/inspector`).
 *
 * Invariants:
 * N1. A message is made once the one before was taken: a page that does not read costs nothing more.
 * I4. After `stop` nothing is followed.
 */
import type { Entry } from '../../machines/entries.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { Feed, Log, StoredCommit } from '../../runtime/ports/journal.ts';
import type { Stop } from '../../runtime/ports/operator.ts';
import type { CallState } from '../../runtime/step.ts';
import { LogFold } from './log-fold.ts';
import { LogTail } from './log-tail.ts';

/** One call in the inspector. */
export interface InspectedCall {
  /** What is said of a step, oldest first. */
  take(entry: Entry, after: CallState): Iterable<string>;
}

export interface InspectionsOptions {
  journal(): Promise<Log & Feed>;
  inspectedCall(callId: string): InspectedCall;
  onTrouble(error: unknown): void;
}

export class Inspections {
  readonly #options: InspectionsOptions;
  readonly #tails = new Set<LogTail>();

  constructor(options: InspectionsOptions) {
    this.#options = options;
  }

  /** @throws FixCallError `call.unknown`, and what the journal throws */
  async begin(callId: string, listener: (message: string) => Promise<void>): Promise<Stop> {
    const journal = await this.#options.journal();
    const [row] = await journal.list({ callId, limit: 1 });
    if (!row) throw new FixCallError('call.unknown', `There is no call ${callId}.`);
    const fold = new LogFold(callId);
    const inspected = this.#options.inspectedCall(callId);
    let isStopped = false;
    const read = (): void => void tail.catchUp().catch((error: unknown) => this.#options.onTrouble(error));
    const take = async (commits: readonly StoredCommit[]): Promise<void> => {
      for (const entry of commits.flatMap(({ entries }) => entries)) {
        const { after, entry: taken } = fold.take(entry);
        for (const message of after && !isStopped ? inspected.take(taken, after) : []) {
          if (!isStopped) await listener(message);
        }
      }
    };
    const tail = new LogTail({ callId, journal, take, onNews: read });
    this.#tails.add(tail);
    read();
    return () => {
      isStopped = true;
      tail.stop();
      this.#tails.delete(tail);
    };
  }

  stop(): void {
    for (const tail of this.#tails) tail.stop();
    this.#tails.clear();
  }
}
