import { test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { hasPostgres, needPostgres } from '../support/postgres-needed.ts';
import { shareServer } from '../support/postgres-server.ts';
import { describeAudit } from './audit.ts';
import { describeJournal, type TwoHandles } from './journal.ts';

const server = shareServer();

async function openTwoOnPostgres(): Promise<TwoHandles> {
  const url = server.newUrl();
  const [one, other] = await Promise.all([openJournal(url, { clock }), openJournal(url, { clock })]);
  return { one, other, cleanUp: async () => {} };
}

if (hasPostgres)
  for (const describeSome of [describeJournal, describeAudit])
    describeSome('in PostgreSQL', openTwoOnPostgres);
else test('the journal contract, in PostgreSQL', needPostgres);
