/** I1: a state that goes on from the last reading is the one that a fold of the whole log gives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { Folds, keptFolds } from '../../src/runtime/folds.ts';
import { readState } from '../../src/runtime/history.ts';
import { type CallState, freeze } from '../../src/runtime/step.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import {
  callEnded,
  callerStarts,
  callerStops,
  carrierReported,
  created,
  quietCall,
} from '../machines/support/facts.ts';
import { Diary, newCall } from './support/process.ts';

const frozen = (state: CallState | null): unknown => state && freeze(state);

function openLog() {
  const clock = new VirtualClock();
  const journal = openMemoryJournal(createMemoryStore(), { clock });
  const read: string[] = [];
  const log = {
    ...journal,
    append: journal.append.bind(journal),
    list: journal.list.bind(journal),
    readPayloads: journal.readPayloads.bind(journal),
    findByCarrierId: journal.findByCarrierId.bind(journal),
    read: (callId: string) => {
      read.push('whole');
      return journal.read(callId);
    },
    readAfter: (callId: string, seq: number, limit: number) => {
      read.push(`after ${seq}`);
      return journal.readAfter(callId, seq, limit);
    },
  };
  return { clock, journal, read, folds: new Folds(log) };
}

describe('a reading', () => {
  it('gives what a fold of the whole log gives, however the log grew between two of them', async () => {
    const growth = fc.array(fc.nat(80), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(growth, async (steps) => {
        const { clock, journal, folds } = openLog();
        const call = newCall(journal, clock, new Diary());
        for (const entry of quietCall()) call.signal({ entry });
        await clock.advance(100);
        for (const turns of steps) {
          for (let turn = 0; turn < turns; turn++)
            for (const entry of [callerStarts, callerStops]) call.signal({ entry });
          await clock.advance(100);
          expect(frozen(await folds.read('call1'))).toEqual(frozen(await readState(journal, 'call1')));
        }
        call.stop();
      }),
      { numRuns: 20 },
    );
  });

  it('reads a log whole once, and then what came after', async () => {
    const { clock, journal, read, folds } = openLog();
    const call = newCall(journal, clock, new Diary());
    for (const entry of quietCall()) call.signal({ entry });
    await clock.advance(100);
    const first = await folds.read('call1');
    await folds.read('call1');
    expect(read).toEqual(['whole', `after ${first?.seq}`]);
    folds.forget('call1');
    await folds.read('call1');
    expect(read.at(-1)).toBe('whole');
    call.stop();
  });

  it('keeps nothing of calls that nobody knows, or that are over', async () => {
    const { clock, journal, read, folds } = openLog();
    const call = newCall(journal, clock, new Diary());
    for (const entry of [...quietCall(), carrierReported('completed'), callEnded]) call.signal({ entry });
    await clock.advance(100);
    expect((await folds.read('call1'))?.snapshot.status).toBe('done');
    await folds.read('call1');
    expect(await folds.read('nobody')).toBeNull();
    expect(read).toEqual(['whole', 'whole', 'whole']);
  });

  it('keeps so many calls, the ones that were read last', async () => {
    const { clock, journal, read, folds } = openLog();
    const calls = Array.from({ length: keptFolds + 1 }, (_, index) => {
      const call = newCall(journal, clock, new Diary(), `call${index}`);
      for (const entry of [created({}, { carrierCallId: `CA${index}` }), ...quietCall().slice(1)])
        call.signal({ entry });
      return call;
    });
    await clock.advance(100);
    for (const { callId } of calls) await folds.read(callId);
    read.length = 0;
    await folds.read('call1');
    await folds.read('call0');
    expect(read.map((way) => way.split(' ')[0])).toEqual(['after', 'whole']);
    for (const call of calls) call.stop();
  });
});
