/** A process that beats once as an instance, and then does nothing but stay. */
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock } from '../../src/platform/clock.ts';

const [url = '', instance = ''] = process.argv.slice(2);
const journal = await openJournal(url, { clock: systemClock, instance });
await journal.beat({ instance, pid: process.pid, host: 'here', ready: true, startedAt: 1, address: null });
process.send?.('beaten');
process.once('disconnect', () => process.exit());
