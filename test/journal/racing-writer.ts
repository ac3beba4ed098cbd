/** A process that tries to append each seq of a call once, as another one does, and says which ones it won. */
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { commitOf } from '../contract/commits.ts';

const [url = '', name = '', rounds = ''] = process.argv.slice(2);
const journal = await openJournal(url, { clock: systemClock });
process.send?.('opened');
await new Promise((resolve) => process.once('message', resolve));

const won: number[] = [];
const codes = new Set<string>();
for (let seq = 1; seq <= Number(rounds); seq += 1)
  await journal.append(commitOf('race', seq, { note: name })).then(
    () => won.push(seq),
    (error) => codes.add(error.code),
  );
await journal.close();
process.send?.({ won, codes: [...codes] });
process.disconnect?.();
