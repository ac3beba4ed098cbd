/** PostgreSQL restarts, crashes, fails over and freezes under calls that go on: nothing acknowledged is lost. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { commitOf } from '../contract/commits.ts';
import { PostgresCluster, urlOver } from '../support/postgres-cluster.ts';
import { hasPostgres, needPostgres } from '../support/postgres-needed.ts';
import { shareServer } from '../support/postgres-server.ts';
import { SteadyLoad } from './steady-load.ts';

const patienceMs = 120_000;
const calls = 20;
const entries = 200;
/** For appends, for all else, and for what it is told. */
const connectionsOfAHandle = 3;

const outcomeOf = (append: Promise<void>): Promise<string> =>
  append.then(
    () => 'stored',
    (error) => error.code,
  );

function describeComings(): void {
  const server = shareServer();

  test.each(['fast', 'immediate'] as const)(
    'a restart (%s) under load is ridden over',
    async (mode) => {
      const journal = await openJournal(server.newUrl(), { clock });
      const load = new SteadyLoad(journal, { calls, name: mode });
      await load.more(entries);
      server.cluster().restart(mode);
      await load.more(entries);
      await load.stop();
      await load.verify(journal);
      expect(load.codes).not.toContain('journal.conflict');
      await journal.close();
    },
    patienceMs,
  );

  test(
    'a server that freezes is noticed: what is asked fails in time, and goes on when it wakes',
    async () => {
      const cluster = server.cluster();
      const journal = await openJournal(server.newUrl(), { clock });
      await journal.append(commitOf('frozen', 1));
      cluster.freeze();
      const unavailable = { name: 'RetryError', code: 'journal.unavailable' };
      const appending = journal.append(commitOf('frozen', 2));
      await Promise.all([
        expect(appending).rejects.toMatchObject(unavailable),
        expect(journal.read('frozen')).rejects.toMatchObject(unavailable),
        expect(openJournal(cluster.url(), { clock })).rejects.toMatchObject(unavailable),
      ]);
      cluster.thaw();
      // It may have had the append before it froze.
      const { commits } = await journal.read('frozen');
      await journal.append(commitOf('frozen', commits.length + 1)).catch(() => undefined);
      const seqs = (await journal.read('frozen')).commits.map((commit) => commit.entries[0]?.seq);
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      expect(seqs.length).toBeGreaterThanOrEqual(2);
      await journal.close();
    },
    patienceMs,
  );

  test(
    'a failover to the standby loses nothing acknowledged, and lets no two writers have one seq',
    async () => {
      const primary = await PostgresCluster.create();
      try {
        const standby = await primary.startStandby();
        const url = urlOver([standby, primary]);
        const [journal, rival] = await Promise.all([
          openJournal(url, { clock }),
          openJournal(url, { clock }),
        ]);
        let told = 0;
        rival.follow(null, () => {
          told += 1;
        });
        const load = new SteadyLoad(journal, { calls, name: 'failover' });
        const wins = race([journal, rival]);
        await load.more(entries);
        await primary.crash();
        await standby.promote();
        await load.more(entries);
        await load.stop();
        await load.verify(rival);
        expect(load.codes).not.toContain('journal.conflict');
        await wins.verify();
        const before = told;
        await journal.append(commitOf('after', 1));
        await expect.poll(() => told, { timeout: 10_000 }).toBeGreaterThan(before);
        await Promise.all([journal.close(), rival.close()]);
      } finally {
        await primary.remove();
      }
    },
    patienceMs,
  );

  test(
    'while nobody takes writes, a standby is asked again and again, and logged into no more than once a connection',
    async () => {
      const primary = await PostgresCluster.create({ log_connections: 'on' });
      try {
        const standby = await primary.startStandby();
        const journal = await openJournal(urlOver([primary, standby]), { clock });
        const load = new SteadyLoad(journal, { calls, name: 'asking' });
        await load.more(entries);
        const logins = (): number =>
          standby.readLog().split('connection authorized: user=holdfast').length - 1;
        const before = logins();
        await primary.crash();
        await pause(3_000);
        expect(logins() - before).toBeGreaterThan(0);
        expect(logins() - before).toBeLessThanOrEqual(connectionsOfAHandle);
        await standby.promote();
        await load.more(entries);
        await load.stop();
        await load.verify(journal);
        await journal.close();
        const open = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'holdfast'";
        await expect.poll(() => standby.query(open)).toBe('0');
      } finally {
        await primary.remove();
      }
    },
    patienceMs,
  );

  test(
    'a commit that waits for the standby is never given up, is told as unknown, and is no conflict when it arrives',
    async () => {
      const primary = await PostgresCluster.create();
      try {
        const standby = await primary.startStandby();
        const journal = await openJournal(primary.url(), { clock });
        const row = { instance: 'waits', pid: 1, host: 'here', ready: true, startedAt: 1, address: null };
        await journal.append(commitOf('waits', 1));
        await journal.beat(row);
        const listener = await listenerOf(primary);
        standby.freeze();
        const late = { code: 'journal.unavailable' };
        await expect(journal.append(commitOf('waits', 2, { note: 'ours' }))).rejects.toMatchObject(late);
        // Beats wait for nobody: no instance seems dead to the others.
        await journal.beat(row);
        expect(await journal.instances()).toMatchObject([{ isConnected: true }]);
        expect((await journal.instances())[0]?.beatAgeMs).toBeLessThan(1_000);
        expect(await listenerOf(primary)).toBe(listener);
        // It is not sent a second time, which would wait behind the first.
        const waiting =
          "SELECT wait_event FROM pg_stat_activity WHERE state = 'active' AND usename = 'holdfast'";
        expect(await primary.query(waiting)).toBe('SyncRep');
        standby.thaw();
        await expect
          .poll(async () => (await journal.read('waits')).commits.length, { timeout: 10_000 })
          .toBe(2);
        // A cancelled wait would be told as a success, with the commit on one server alone.
        expect(primary.readLog()).not.toContain('canceling');
        await journal.append(commitOf('waits', 3));
        await journal.close();
      } finally {
        await primary.remove();
      }
    },
    patienceMs,
  );
}

/** Who holds the lock of the instance: the same as before where its connection was not lost. */
const listenerOf = (cluster: PostgresCluster): Promise<string> =>
  cluster.query("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted");

/** Two handles want each seq of one call, all the time; whoever wins one says so. */
function race(handles: Awaited<ReturnType<typeof openJournal>>[]) {
  const winners = new Map<number, string[]>();
  let isStopped = false;
  const run = handles.map(async (journal, index) => {
    for (let seq = 1; !isStopped; ) {
      const outcome = await outcomeOf(journal.append(commitOf('raced', seq, { note: String(index) })));
      if (outcome === 'stored') winners.set(seq, [...(winners.get(seq) ?? []), String(index)]);
      const [row] = await journal.list({ callId: 'raced' }).catch(() => []);
      seq = (row?.lastSeq ?? seq - 1) + 1;
    }
  });
  return {
    verify: async () => {
      isStopped = true;
      await Promise.all(run);
      const { commits } = await handles[0]!.read('raced');
      const notes = commits.map((commit) => commit.entries[0]?.note);
      expect(commits.map((commit) => commit.entries[0]?.seq)).toEqual(notes.map((_, index) => index + 1));
      for (const [seq, won] of winners) expect([seq, won]).toEqual([seq, [notes[seq - 1]]]);
      expect(winners.size).toBeGreaterThan(10);
    },
  };
}

if (hasPostgres) describe('PostgreSQL', describeComings);
else test('PostgreSQL restarts, fails over and freezes', needPostgres);
