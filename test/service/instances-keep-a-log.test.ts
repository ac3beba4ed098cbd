import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { RetryError } from '../../src/runtime/ports/errors.ts';
import type { InstanceFact, Journal } from '../../src/runtime/ports/journal.ts';
import { InstanceLog, queueLimit, stopGraceMs, tellEveryMs } from '../../src/service/instance-log.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';

let clock: VirtualClock;
let journal: Journal;
let log: InstanceLog;

beforeEach(() => {
  clock = new VirtualClock(1_000);
  journal = openMemoryJournal(createMemoryStore(), { clock });
  log = new InstanceLog(clock);
});

/** Oldest first. */
const facts = async (): Promise<InstanceFact[]> => {
  await clock.advance(0);
  return (await journal.readInstanceLog({ limit: 5_000 })).toReversed();
};
const told = async (): Promise<unknown[]> => (await facts()).map(({ type, detail }) => ({ type, ...detail }));

const refused = (why: string) => log.count('request.refused', { where: 'webhook', why });

/** The journal takes nothing until the returned function is called. */
function stall(): () => void {
  const note = journal.noteInstance.bind(journal);
  journal.noteInstance = () => Promise.reject(new RetryError('journal.unavailable', ''));
  return () => {
    journal.noteInstance = note;
  };
}

describe('the log of an instance', () => {
  it('holds its facts in their order and at their moments, those before the journal was open as well', async () => {
    log.note('instance.started', { version: '1', node: '26' });
    await clock.advance(50);
    log.note('phase.passed', { phase: 'configuration', detail: 'fine' });
    log.open('one', journal);
    await clock.advance(50);
    log.note('operator.acted', { callId: 'c', command: 'hangUp', name: 'Ann' });
    expect(await facts()).toEqual([
      { instance: 'one', at: 1_000, type: 'instance.started', detail: { version: '1', node: '26' } },
      {
        instance: 'one',
        at: 1_050,
        type: 'phase.passed',
        detail: { phase: 'configuration', detail: 'fine' },
      },
      {
        instance: 'one',
        at: 1_100,
        type: 'operator.acted',
        detail: { callId: 'c', command: 'hangUp', name: 'Ann' },
      },
    ]);
  });

  it('tells what strangers do at most once a minute for each kind, with a count', async () => {
    log.open('one', journal);
    for (let index = 0; index < 10_000; index += 1) refused('unsigned');
    refused('malformed');
    await clock.advance(tellEveryMs - 1);
    expect(await told()).toEqual([
      { type: 'request.refused', where: 'webhook', why: 'unsigned', count: 1 },
      { type: 'request.refused', where: 'webhook', why: 'malformed', count: 1 },
    ]);
    await clock.advance(1);
    expect((await told()).slice(2)).toEqual([
      { type: 'request.refused', where: 'webhook', why: 'unsigned', count: 9_999 },
    ]);
    refused('unsigned');
    expect(await told()).toHaveLength(3);
    await clock.advance(tellEveryMs);
    expect((await told()).slice(3)).toEqual([
      { type: 'request.refused', where: 'webhook', why: 'unsigned', count: 1 },
    ]);
    await clock.advance(tellEveryMs);
    expect(clock.pendingTimers).toBe(0);
  });

  it('counts what comes many at once', async () => {
    log.open('one', journal);
    for (let index = 0; index < 12; index += 1) log.count('calls.moved', {});
    await log.stop(0);
    expect((await told()).slice(0, 2)).toEqual([
      { type: 'calls.moved', count: 1 },
      { type: 'calls.moved', count: 11 },
    ]);
  });

  it('tells a bounded number of kinds apart', async () => {
    log.open('one', journal);
    for (let index = 0; index < 1_000; index += 1) refused(`invented-${index}`);
    await clock.advance(tellEveryMs);
    const all = (await told()) as { why: string; count: number }[];
    expect(all.length).toBeLessThan(50);
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
    expect(all.filter(({ why }) => why === 'other')).toHaveLength(2);
  });

  it('waits for a journal that is away, bounded, and says how much was lost', async () => {
    const comeBack = stall();
    log.open('one', journal);
    for (let index = 0; index < queueLimit + 7; index += 1) log.note('drain.begun', { withinMs: index });
    await clock.advance(10_000);
    comeBack();
    await clock.advance(60_000);
    const all = await told();
    expect(all.slice(0, queueLimit)).toEqual(
      Array.from({ length: queueLimit }, (_, withinMs) => ({ type: 'drain.begun', withinMs })),
    );
    expect(all.slice(queueLimit)).toEqual([{ type: 'facts.dropped', count: 7 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends with the stop, and with what was still counted', async () => {
    log.open('one', journal);
    refused('unsigned');
    refused('unsigned');
    await log.stop(0);
    log.note('drain.begun', { withinMs: 1 });
    refused('unsigned');
    await log.stop(1);
    expect(await told()).toEqual([
      { type: 'request.refused', where: 'webhook', why: 'unsigned', count: 1 },
      { type: 'request.refused', where: 'webhook', why: 'unsigned', count: 1 },
      { type: 'instance.stopped', exitCode: 0 },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('holds up no stop where the journal never answers, or was never opened', async () => {
    await new InstanceLog(clock).stop(1);
    log.open('one', journal);
    journal.noteInstance = () => new Promise(() => undefined);
    log.note('drain.begun', { withinMs: 1 });
    const stopped = log.stop(0);
    await clock.advance(stopGraceMs);
    await stopped;
    expect(clock.pendingTimers).toBe(0);
  });

  it('cuts what is long', async () => {
    log.open('one', journal);
    log.note('phase.failed', { phase: 'journal', detail: 'x'.repeat(10_000) });
    expect((await facts())[0]?.detail.detail).toHaveLength(300);
  });
});
