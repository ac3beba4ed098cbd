/** A process that reads in one transaction until it is told to end it, and then keeps the file open. */
import { DatabaseSync } from 'node:sqlite';

const database = new DatabaseSync(process.argv[2] ?? '', { readOnly: true });
database.exec('BEGIN');
database.prepare('SELECT count(*) FROM commits').get();
process.on('message', () => {
  database.exec('COMMIT');
  process.send?.('ended');
});
process.once('disconnect', () => database.close());
process.send?.('reading');
