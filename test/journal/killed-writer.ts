/** A process that appends to several calls at once without end and says what was acknowledged, until it is killed. */
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { commitOf } from '../contract/commits.ts';

const [path = '', ...callIds] = process.argv.slice(2);
const journal = await openSqliteJournal(path, { clock: systemClock });

async function write(callId: string): Promise<void> {
  const [row] = await journal.list({ callId });
  for (let seq = (row?.lastSeq ?? 0) + 1; ; seq += 3) {
    await journal.append(
      commitOf(callId, seq, {
        entries: 3,
        note: 'x'.repeat(500),
        payloads: [{ seq, name: 'text', content: `${seq}` }],
      }),
    );
    process.send?.({ callId, lastSeq: seq + 2 });
  }
}

await Promise.all(callIds.map(write));
