/**
 * Owns: what the Stately inspector is to be told of a call, from its first entry to its end, as it comes.
 * Does not own: the form of the messages (`src/adapters/inspector`), where they go.
 */
import { InspectedCall } from '../adapters/inspector/inspected-call.ts';
import { GiveUpError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import { LogFold } from '../service/console/log-fold.ts';

/** Entries that are read at once. */
const entriesAtOnce = 500;

/**
 * Ends once a call that has ended was told whole, or when `stopped`.
 * @throws GiveUpError `log.invalid` where the log does not fold
 */
export async function* messagesOf(
  journal: Journal,
  callId: string,
  stopped: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const fold = new LogFold(callId);
  const inspected = new InspectedCall(callId);
  let seq = 0;
  let news = Promise.withResolvers<void>();
  const wake = (): void => news.resolve();
  const unfollow = journal.follow(callId, wake);
  stopped.addEventListener('abort', wake);
  try {
    while (!stopped.aborted) {
      news = Promise.withResolvers();
      const [row] = await journal.list({ callId, limit: 1 });
      const commits = await journal.readAfter(callId, seq, entriesAtOnce);
      for (const entry of commits.flatMap(({ entries }) => entries)) {
        const { entry: taken, after } = fold.take(entry);
        seq = entry.seq;
        if (after) yield* inspected.take(taken, after);
      }
      if (fold.fault !== null) throw new GiveUpError('log.invalid', `call ${callId}, ${fold.fault}`);
      if (commits.length > 0) continue;
      if (row?.endedAt !== null) return;
      await news.promise;
    }
  } finally {
    unfollow();
    stopped.removeEventListener('abort', wake);
  }
}
