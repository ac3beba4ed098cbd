/** The console reads the journal over a handle of its own, which is opened when a page first asks, and closed with it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { openMemoryJournal } from '../../../src/adapters/journal/memory.ts';
import { RetryError } from '../../../src/runtime/ports/errors.ts';
import type { Journal } from '../../../src/runtime/ports/journal.ts';
import { ConsoleJournal } from '../../../src/service/console/console-journal.ts';
import { Inspections } from '../../../src/service/console/inspections.ts';
import { callSid, Rig } from '../rig.ts';

let rig: Rig;
let opened: Journal[];
beforeEach(() => {
  rig = new Rig();
  opened = [];
});

const open = async (): Promise<Journal> => {
  const journal = openMemoryJournal(rig.store, { clock: rig.clock });
  opened.push(journal);
  return journal;
};
const shared = () => openMemoryJournal(rig.store, { clock: rig.clock });
const isClosed = (journal: Journal | undefined) =>
  journal?.instances().then(
    () => false,
    ({ code }) => code === 'journal.closed',
  );

describe('the console’s journal', () => {
  it('is opened once, and not before it is asked for', async () => {
    const journal = new ConsoleJournal({ open, shared: shared() });
    expect(opened).toEqual([]);
    const handles = await Promise.all([journal.open(), journal.open()]);
    expect(handles).toEqual([opened[0], opened[0]]);
    await journal.close();
    expect(await isClosed(opened[0])).toBe(true);
  });

  it('is opened anew where that failed', async () => {
    let tries = 0;
    const journal = new ConsoleJournal({
      open: () => {
        tries += 1;
        return tries === 1 ? Promise.reject(new RetryError('journal.unavailable', '')) : open();
      },
      shared: shared(),
    });
    await expect(journal.open()).rejects.toMatchObject({ code: 'journal.unavailable' });
    expect(await journal.open()).toBe(opened[0]);
  });

  it('is the calls’ own where there is no other, and that is not closed', async () => {
    const own = shared();
    const journal = new ConsoleJournal({ open: null, shared: own });
    expect(await journal.open()).toBe(own);
    await journal.close();
    expect(await isClosed(own)).toBe(false);
  });

  it('is not opened by whoever comes too late', async () => {
    const own = shared();
    const journal = new ConsoleJournal({ open, shared: own });
    await journal.close();
    expect(await journal.open()).toBe(own);
    expect(opened).toEqual([]);
  });
});

describe('an inspection', () => {
  const inspectionsOf = (journal: Journal, troubles: unknown[] = []) =>
    new Inspections({
      journal: async () => journal,
      inspectedCall: () => ({ take: ({ type }, { seq }) => [`${seq} ${type}`, `${seq} after`] }),
      onTrouble: (error) => troubles.push(error),
    });

  it('tells the whole log, then what comes, each message once the one before was taken', async () => {
    const one = rig.open();
    await one.answer();
    await rig.settle();
    const inspections = inspectionsOf(await open());
    const told: string[] = [];
    let take: () => void = () => undefined;
    const stop = await inspections.begin(callSid(), (message) => {
      told.push(message);
      return new Promise((resolve) => {
        take = resolve;
      });
    });
    await rig.settle();
    expect(told).toEqual(['1 call.created']);
    for (let messages = 0; messages < 20; messages++) {
      take();
      await rig.clock.advance(10);
    }
    const types = await one.types();
    expect(told).toEqual(types.flatMap((type, index) => [`${index + 1} ${type}`, `${index + 1} after`]));
    const before = told.length;
    stop();
    one.assembly.registry.get(callSid())?.signal({
      entry: { type: 'input.refused', peer: 'carrier', kind: 'message.malformed' },
    });
    await rig.written();
    expect(told).toHaveLength(before);
  });

  it('is refused of a call that there is not', async () => {
    const inspections = inspectionsOf(await open());
    await expect(inspections.begin('none', async () => undefined)).rejects.toMatchObject({
      code: 'call.unknown',
    });
  });

  it('ends with the console, and says what went wrong', async () => {
    const one = rig.open();
    await one.answer();
    await rig.settle();
    const journal = await open();
    const troubles: unknown[] = [];
    const inspections = inspectionsOf(journal, troubles);
    const told: string[] = [];
    await inspections.begin(callSid(), async (message) => void told.push(message));
    await rig.settle();
    const before = told.length;
    expect(before).toBeGreaterThan(0);
    const refused = { type: 'input.refused', peer: 'carrier', kind: 'message.malformed' } as const;
    const { readAfter } = journal;
    journal.readAfter = () => Promise.reject(new RetryError('journal.unavailable', ''));
    one.assembly.registry.get(callSid())?.signal({ entry: refused });
    await rig.written();
    expect(troubles).toMatchObject([{ code: 'journal.unavailable' }]);
    journal.readAfter = readAfter.bind(journal);
    inspections.stop();
    one.assembly.registry.get(callSid())?.signal({ entry: refused });
    await rig.written();
    expect(told).toHaveLength(before);
  });
});
