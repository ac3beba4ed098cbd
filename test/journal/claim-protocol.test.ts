/**
 * I2 as a protocol: whatever order the questions to a journal and its answers come in, a call has one log and one
 * writer. First over the journal in memory, the model; then the same acts in the same order over the real ones.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { PostgresCluster } from '../support/postgres-cluster.ts';
import { hasPostgres, needPostgres } from '../support/postgres-needed.ts';
import { type Act, acts, type Fate, fates, instanceNames, type Played, play } from './claim-protocol.ts';
import { faultsOf } from './claim-protocol-faults.ts';
import { makeFolder } from './folder.ts';

const clock = new VirtualClock();

const modelRuns = Number(process.env.CLAIM_PROTOCOL_RUNS ?? 250);
const realRuns = Number(process.env.CLAIM_PROTOCOL_REAL_RUNS ?? 60);

/** Whoever only asks whether a fault is found does not wait for the smallest case. */
const endOnFailure = process.env.SIMULATION_SHRINKS === 'no';

function openModel(): Journal[] {
  const store = createMemoryStore();
  return instanceNames.map(() => openMemoryJournal(store, { clock }));
}

async function check(played: Played): Promise<void> {
  expect(await faultsOf(played)).toEqual([]);
}

/** What is the same over any journal. */
const essenceOf = ({ log, diary, holders, callId }: Played): unknown =>
  JSON.parse(
    JSON.stringify({
      log,
      settled: diary.settled,
      happened: diary.happenings.map(({ instance, what, key }) => `${instance.name} ${what} ${key}`),
      holders,
    }).replaceAll(callId, 'the call'),
  );

describe('instances that create, claim, append to and let go of one call', () => {
  it('leave one log with one writer at a time, over the model', async () => {
    await fc.assert(
      fc.asyncProperty(acts, fates, fc.scheduler(), async (drawn, forecast, scheduler) => {
        const played = await play(openModel(), drawn, { scheduler, callId: 'call1', fates: forecast });
        await check(played);
      }),
      { numRuns: modelRuns, endOnFailure },
    );
  });

  it('do all that at times: no act is left out, and no outcome either', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(acts, fates, fc.scheduler(), async (drawn, forecast, scheduler) => {
        const { diary } = await play(openModel(), drawn, { scheduler, callId: 'call1', fates: forecast });
        for (const { act, outcome } of diary.settled)
          seen.add(`${act.act} ${outcome.replace(/^\d+$/, 'seq')}`);
        if (diary.happenings.some(({ what }) => what === 'lost')) seen.add('lost');
      }),
      { numRuns: 150, seed: 1 },
    );
    const needed = [
      'create created',
      'create call.exists',
      'stream claimed',
      'stream refused',
      'adopt adopted',
    ];
    expect(
      [...needed, 'release released', 'read seq', 'die dead', 'lost'].filter((word) => !seen.has(word)),
    ).toEqual([]);
  });
});

/** The same acts in the same order: once over the model, then over the real journal. */
async function compare(journals: readonly Journal[]): Promise<void> {
  let calls = 0;
  const run = async (drawn: Act[], forecast: Fate[], scheduler: fc.Scheduler): Promise<void> => {
    const model = await play(openModel(), drawn, { scheduler, callId: 'call1', fates: forecast });
    const order = scheduler.report().flatMap(({ status, taskId }) => (status === 'pending' ? [] : [taskId]));
    calls += 1;
    const again = fc.schedulerFor(order);
    const real = await play(journals, drawn, {
      scheduler: again,
      callId: `compared${calls}`,
      fates: forecast,
    });
    await check(real);
    expect(essenceOf(real)).toEqual(essenceOf(model));
  };
  await fc.assert(fc.asyncProperty(acts, fates, fc.scheduler(), run), { numRuns: realRuns });
}

/** A journal that is asked several things at once does them in an order of its own. */
async function race(journals: readonly Journal[]): Promise<void> {
  let calls = 0;
  const run = async (drawn: Act[], forecast: Fate[], scheduler: fc.Scheduler): Promise<void> => {
    calls += 1;
    const around = { scheduler, callId: `raced${calls}`, fates: forecast };
    await check(await play(journals, drawn, around, false));
  };
  await fc.assert(fc.asyncProperty(acts, fates, fc.scheduler(), run), { numRuns: realRuns });
}

const comesToTheSame = 'the same acts in the same order come to what they come to over the model';
const holdsInAnyOrder = 'it holds as well where the journal has several questions at once';

async function openThree(url: string): Promise<Journal[]> {
  return await Promise.all(instanceNames.map(() => openJournal(url, { clock: systemClock })));
}

const closeAll = (journals: readonly Journal[]): Promise<unknown> =>
  Promise.all(journals.map((journal) => journal.close()));

describe('over a file of SQLite', () => {
  const url = `sqlite:${join(makeFolder(), 'claims.db')}`;
  let journals: Journal[] = [];
  beforeAll(async () => {
    journals = await openThree(url);
  });
  afterAll(() => closeAll(journals));

  it(comesToTheSame, () => compare(journals), 120_000);
  it(holdsInAnyOrder, () => race(journals), 120_000);
});

describe('over PostgreSQL', () => {
  let cluster: PostgresCluster | null = null;
  let journals: Journal[] = [];
  beforeAll(async () => {
    if (!hasPostgres) return;
    cluster = await PostgresCluster.create();
    journals = await openThree(cluster.url());
  }, 60_000);
  afterAll(async () => {
    await closeAll(journals);
    await cluster?.remove();
  });

  it(comesToTheSame, async (context) => {
    needPostgres(context);
    await compare(journals);
  }, 120_000);
  it(holdsInAnyOrder, async (context) => {
    needPostgres(context);
    await race(journals);
  }, 120_000);
});
