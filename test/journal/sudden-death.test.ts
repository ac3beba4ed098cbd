import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { startChild } from './child.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();
const callIds = ['a', 'b', 'c', 'd'];
const rounds = 6;

/** Runs a writer until it is killed after `lifeMs` of acknowledged appends. */
async function writeUntilKilled(
  path: string,
  acknowledged: Map<string, number>,
  lifeMs: number,
): Promise<void> {
  const child = startChild('./killed-writer.ts', path, ...callIds);
  child.on('message', ({ callId, lastSeq }: { callId: string; lastSeq: number }) =>
    acknowledged.set(callId, lastSeq),
  );
  await once(child, 'message');
  await new Promise((resolve) => setTimeout(resolve, lifeMs));
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  expect(await exited).toEqual([null, 'SIGKILL']);
}

test('a process killed at any moment loses nothing that was acknowledged and leaves nothing half done', async () => {
  const path = join(folder, 'journal.db');
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    await writeUntilKilled(path, acknowledged, Math.random() * 120);
    const journal = await openSqliteJournal(path, { clock });
    for (const callId of callIds) {
      const [row] = await journal.list({ callId });
      const entries = (await journal.read(callId)).commits.flatMap((commit) => commit.entries);
      const lastSeq = row?.lastSeq ?? 0;
      expect(lastSeq).toBeGreaterThanOrEqual(acknowledged.get(callId) ?? 0);
      expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: lastSeq }, (_, index) => index + 1));
      expect(await journal.readPayloads(callId)).toHaveLength(lastSeq / 3);
    }
    await journal.close();
  }
  expect([...acknowledged.keys()].toSorted()).toEqual(callIds);
});
