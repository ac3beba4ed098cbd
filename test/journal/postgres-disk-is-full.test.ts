/** What becomes of appends while PostgreSQL has no room left, and after. */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { commitOf } from '../contract/commits.ts';
import type { PostgresCluster } from '../support/postgres-cluster.ts';
import { needPostgres } from '../support/postgres-needed.ts';
import { shareServer } from '../support/postgres-server.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

const patienceMs = 60_000;
const megabytes = 32;
const server = shareServer();

interface Room {
  database: string;
  /** Once the journal is there. */
  begin(): Promise<void>;
  free(): Promise<void>;
  remove(): void;
}

/** A real disk of its own; where none may be mounted, the server only says so (SQLSTATE 53100, disk_full). */
async function makeRoom(cluster: PostgresCluster): Promise<Room> {
  const disk = mountSmallDisk(megabytes);
  await cluster.createDatabase('small');
  if (disk === null) return sayItIsFull(cluster);
  const ballast = join(disk.folder, 'ballast');
  writeFileSync(ballast, randomBytes(8 * 1024 * 1024));
  await cluster.query(`CREATE TABLESPACE small LOCATION '${cluster.makeFolder(join(disk.folder, 'data'))}'`);
  await cluster.query('ALTER DATABASE small SET TABLESPACE small');
  const begin = async () => undefined;
  return { database: 'small', begin, free: async () => rmSync(ballast), remove: disk.remove };
}

function sayItIsFull(cluster: PostgresCluster): Room {
  console.warn('No disk may be mounted here: the server is made to say that its disk is full.');
  const refuse = `
    CREATE FUNCTION holdfast.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON holdfast.commits FOR EACH ROW WHEN (NEW.first_seq > 3) EXECUTE FUNCTION holdfast.refuse()`;
  return {
    database: 'small',
    begin: async () => void (await cluster.query(refuse, 'small')),
    free: async () => void (await cluster.query('DROP TRIGGER refuse ON holdfast.commits', 'small')),
    remove: () => undefined,
  };
}

/** Until the journal refuses; gives back the number of durable commits and the refusal. */
async function fill(journal: Journal): Promise<{ stored: number; refusal: unknown }> {
  for (let seq = 1; seq <= megabytes; seq += 1) {
    const payload = { seq, name: 'text', content: randomBytes(1024 * 1024).toString('hex') };
    const error = await journal.append(commitOf('filling', seq, { payloads: [payload] })).then(
      () => null,
      (reason) => reason,
    );
    if (error !== null) return { stored: seq - 1, refusal: error };
  }
  return { stored: megabytes, refusal: null };
}

test(
  'a full disk refuses appends for now, keeps what was acknowledged, and takes them once there is room',
  async (context) => {
    needPostgres(context);
    const cluster = server.cluster();
    const room = await makeRoom(cluster);
    try {
      const journal = await openJournal(cluster.url({ database: room.database }), { clock });
      await room.begin();
      const { stored, refusal } = await fill(journal);
      expect(refusal).toMatchObject({
        name: 'RetryError',
        code: 'journal.unavailable',
        message: expect.stringMatching(/No space left on device.*53100/),
      });
      expect(stored).toBeGreaterThan(0);
      expect((await journal.read('filling')).commits).toHaveLength(stored);
      expect(await journal.readPayloads('filling')).toHaveLength(stored);
      await room.free();
      const payload = { seq: stored + 1, name: 'text', content: randomBytes(1024 * 1024).toString('hex') };
      await journal.append(commitOf('filling', stored + 1, { payloads: [payload] }));
      expect((await journal.read('filling')).commits).toHaveLength(stored + 1);
      await journal.close();
    } finally {
      await cluster.stop('immediate');
      room.remove();
    }
  },
  patienceMs,
);
