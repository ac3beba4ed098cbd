/** A process that puts a signal each time it is told to, and says when that was durable. */
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock } from '../../src/platform/clock.ts';

const journal = await openJournal(process.argv[2] ?? '', { clock: systemClock });
process.on('message', async (id: string) => {
  await journal.put({ id, callId: 'a-call', signal: {} });
  process.send?.(Date.now());
});
process.once('disconnect', () => journal.close());
process.send?.('opened');
