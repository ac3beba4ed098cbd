import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { migrations } from '../../src/adapters/journal/migrations.ts';
import { packCommit } from '../../src/adapters/journal/packing.ts';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { openJournalFile } from '../../src/adapters/journal/sqlite-file.ts';
import { SqliteTables } from '../../src/adapters/journal/sqlite-tables.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import type { Commit, Journal } from '../../src/runtime/ports/journal.ts';
import { commitOf, endedAt } from '../contract/commits.ts';
import { hear, startChild } from './child.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();
/** Ids that sort like those of a carrier: in no order at all. */
const callIds = Array.from({ length: 40 }, (_, index) => `CA${(index * 7919) % 1_000}-${index}`);
const seqs = 60;

const secretOf = (callId: string, seq: number, kind: string) => `<${kind} of ${callId} at ${seq}>`;

/** The same lengths each time (a linear congruential generator), some longer than a page. */
let drawn = 7;
function lengthOf(): number {
  drawn = (drawn * 1_103_515_245 + 12_345) % 2 ** 31;
  return drawn % 10 === 0 ? 5_000 : drawn % 220;
}

const contentOf = (secret: string) => secret + '.'.repeat(lengthOf()) + secret;

const secretsOf = (callId: string): string[] =>
  Array.from({ length: seqs }, (_, index) => index + 1).flatMap((seq) => [
    secretOf(callId, seq, 'payload'),
    secretOf(callId, seq, 'taken'),
    secretOf(callId, seq, 'waiting'),
  ]);

/** Calls that go on side by side, as they do. */
async function fill(journal: Journal): Promise<void> {
  for (let seq = 1; seq <= seqs; seq += 1)
    await Promise.all(
      callIds.map(async (callId) => {
        const taken = secretOf(callId, seq, 'taken');
        const waiting = secretOf(callId, seq, 'waiting');
        await journal.put({ id: `t-${callId}-${seq}`, callId, signal: contentOf(taken) });
        await journal.put({ id: `w-${callId}-${seq}`, callId, signal: contentOf(waiting) });
        await journal.append(filling(callId, seq));
      }),
    );
}

const filling = (callId: string, seq: number): Commit =>
  commitOf(callId, seq, {
    payloads: [{ seq, name: 'text', content: contentOf(secretOf(callId, seq, 'payload')) }],
    taken: [`t-${callId}-${seq}`],
  });

const erasing = (callId: string): Commit => commitOf(callId, seqs + 1, { erases: true, row: endedAt(5_000) });

/** Which of the secrets, each between angle brackets, any byte of the files spells. */
function found(path: string, secrets: readonly string[]): string[] {
  const files = ['', '-wal', '-shm'].map((end) => path + end).filter((file) => existsSync(file));
  const spelt = new Set<string>();
  for (const file of files)
    for (const [secret] of bytesOf(file)
      .toString('latin1')
      .matchAll(/<[a-z]+ of [^<>]{1,40}>/g))
      spelt.add(secret);
  return secrets.filter((secret) => spelt.has(secret));
}

/** Nothing, where whoever closes the journal has just taken the file away. */
function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** The log is cut by the journal's thread once it has answered. Ends with the test's time limit. */
async function untilGone(path: string, secrets: readonly string[]): Promise<void> {
  while (found(path, secrets).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

const erased = callIds.filter((_, index) => index % 2 === 0);
const spared = callIds.filter((_, index) => index % 2 === 1);
const gone = erased.flatMap(secretsOf);

describe('what was erased', () => {
  test('is in no byte of the files, while another process has them open and writes', async () => {
    const path = join(folder, 'two.db');
    const journal = await openSqliteJournal(path, { clock });
    await fill(journal);
    expect(found(path, gone).length).toBeGreaterThan(erased.length * seqs);
    const child = startChild('./putting-process.ts', `sqlite:${path}`);
    await hear(child);
    await Promise.all(erased.map((callId) => journal.append(erasing(callId))));
    child.send('while-erasing');
    await hear(child);
    await untilGone(path, gone);
    const kept = spared.flatMap((callId) =>
      Array.from({ length: seqs }, (_, index) => secretOf(callId, index + 1, 'payload')),
    );
    expect(found(path, kept)).toEqual(kept);
    expect(await journal.readPayloads(spared[0]!)).toHaveLength(seqs);
    child.disconnect();
    await journal.close();
    expect(found(path, gone)).toEqual([]);
  });

  test('stays in the write-ahead log while another process still reads what was before, and no longer', async () => {
    const path = join(folder, 'read.db');
    const journal = await openSqliteJournal(path, { clock });
    await fill(journal);
    const child = startChild('./reading-process.ts', path);
    await hear(child);
    await Promise.all(erased.map((callId) => journal.append(erasing(callId))));
    await journal.read(callIds[0]!);
    expect(found(path, gone)).not.toEqual([]);
    expect(await journal.readPayloads(erased[0]!)).toEqual([]);
    child.send('end');
    await hear(child);
    await untilGone(path, gone);
    child.disconnect();
    await journal.close();
  });

  test('is gone once anybody opens the file again, where its eraser died before the log was cut', async () => {
    const path = join(folder, 'died.db');
    const other = await openSqliteJournal(path, { clock });
    await fill(other);
    const database = openJournalFile(path);
    for (const callId of erased) new SqliteTables(database).append(packCommit(erasing(callId)));
    expect(found(path, gone)).not.toEqual([]);
    const next = await openSqliteJournal(path, { clock });
    await untilGone(path, gone);
    database.close();
    await next.close();
    await other.close();
  });
});

describe('payloads of a journal of schema 1', () => {
  test('are read and erased as the others, and a process of that version goes on with them', async () => {
    const path = join(folder, 'older.db');
    const database = openJournalFile(path, migrations.slice(0, 1));
    const write = database.prepare('INSERT INTO payloads (call_id, seq, name, content) VALUES (?, ?, ?, ?)');
    write.run('a', 1, 'text', '<what of before>');
    const journal = await openSqliteJournal(path, { clock });
    write.run('a', 2, 'text', '<what of beside>');
    await journal.append(
      commitOf('a', 1, { entries: 3, payloads: [{ seq: 3, name: 'text', content: 'new' }] }),
    );
    const contents = ['<what of before>', '<what of beside>', 'new'];
    expect((await journal.readPayloads('a')).map(({ content }) => content)).toEqual(contents);
    const read = database.prepare(
      'SELECT seq, name, content FROM payloads WHERE call_id = ? ORDER BY seq, name',
    );
    expect(read.all('a').map(({ content }) => content)).toEqual(contents);
    expect(await journal.list({ hasPayloads: true, text: 'BESIDE' })).toHaveLength(1);
    expect(found(path, contents)).toEqual(contents.slice(0, 2));
    await journal.append(commitOf('a', 4, { erases: true }));
    expect(await journal.readPayloads('a')).toEqual([]);
    expect(read.all('a')).toEqual([]);
    await untilGone(path, contents.slice(0, 2));
    database.close();
    await journal.close();
  });
});
