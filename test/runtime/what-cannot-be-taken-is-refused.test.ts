import { describe, expect, test } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { entryFormat } from '../../src/machines/entries.ts';
import { readEntries, readState, replay } from '../../src/runtime/history.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { answered } from '../machines/support/facts.ts';
import { createdSignal, startProcess } from './support/process.ts';

describe('a registry that was stopped', () => {
  test('neither creates nor claims a call, also where the claim was on its way', async () => {
    const [clock, store] = [new VirtualClock(), createMemoryStore()];
    const first = startProcess('one', store, clock);
    await first.registry.create('call1', createdSignal(), [answered]);
    const second = startProcess('two', store, clock);
    const onItsWay = second.registry.claim('call1', { why: 'orphan' }, []);
    second.registry.stop();
    await expect(onItsWay).rejects.toMatchObject({ code: 'call.released' });
    await expect(second.registry.create('call2', createdSignal(), [answered])).rejects.toMatchObject({
      code: 'call.released',
    });
    expect(second.registry.size).toBe(0);
  });
});

describe('a journal that does not answer', () => {
  test('shows in how long the oldest entry has waited, from the first moment until it answers', async () => {
    const [clock, store] = [new VirtualClock(), createMemoryStore()];
    let answer = (): void => undefined;
    const stall = (): Promise<'store'> =>
      new Promise((resolve) => {
        answer = () => resolve('store');
      });
    const process = startProcess('one', store, clock, stall);
    const creating = process.registry.create('call1', createdSignal(), [answered]);
    expect(process.registry.stalledMs).toBe(0);
    await clock.advance(1_500);
    expect(process.registry.stalledMs).toBe(1_500);
    answer();
    await creating;
    expect(process.registry.stalledMs).toBe(0);
  });
});

describe('a log from the future', () => {
  test('is refused as such, though its entries have fields that this version does not know', async () => {
    const clock = new VirtualClock();
    const log = openMemoryJournal(createMemoryStore(), { clock });
    const entry = { seq: 1, at: 1, type: 'call.created', format: entryFormat + 1, invented: true };
    const row = {
      callId: 'call1',
      carrierCallId: null,
      direction: 'incoming',
      owner: null,
      startedAt: 1,
      endedAt: null,
      endReason: null,
      lastSeq: 1,
      state: 'ringing',
    } as const;
    await log.append({ callId: 'call1', entries: [entry], payloads: [], row, checkpoint: null, taken: [] });
    for (const read of [readEntries, readState, replay]) {
      await expect(read(log, 'call1')).rejects.toMatchObject({ code: 'journal.future' });
    }
  });
});
