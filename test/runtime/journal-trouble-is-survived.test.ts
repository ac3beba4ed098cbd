/** W1 to W3: what becomes of a call whose journal does not answer, answers late, or loses its answer. */
import { describe, expect, it } from 'vitest';
import { type AppendFate, createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { GiveUpError, RetryError } from '../../src/runtime/ports/errors.ts';
import type { Commit, Log } from '../../src/runtime/ports/journal.ts';
import { lingerMs, queueLimit, stallLimitMs, type WrittenLog } from '../../src/runtime/writer.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import {
  callEnded,
  callerStarts,
  callerStops,
  carrierReported,
  claimed,
  hangUpRequested,
  modelClosed,
  modelOpened,
  quietCall,
  replyFinished,
  streamClosed,
  toolRequested,
  transcribed,
} from '../machines/support/facts.ts';
import { Diary, firstSignals, newCall } from './support/process.ts';

/** Each append meets the next fate; afterwards all are stored. `hang` never answers. */
function callWithFates(...fates: (AppendFate | 'hang')[]) {
  const clock = new VirtualClock();
  const journal = openMemoryJournal(createMemoryStore(), {
    clock,
    beforeAppend: () => {
      const fate = fates.shift() ?? 'store';
      return fate === 'hang' ? new Promise<AppendFate>(() => undefined) : fate;
    },
  });
  const diary = new Diary();
  const call = newCall(journal, clock, diary);
  return { clock, journal, diary, call };
}

const seqsOf = async (log: Log): Promise<number[]> =>
  (await log.read('call1', { fromStart: true })).commits.flatMap(({ entries }) =>
    entries.map(({ seq }) => seq),
  );

describe('an append that fails', () => {
  it('is tried again until it is stored, and nothing overtakes it', async () => {
    const { clock, journal, diary, call } = callWithFates('refuse', 'refuse', 'refuse');
    call.signalAll(firstSignals);
    await clock.advance(0);
    call.signal({ entry: modelOpened() });
    await clock.advance(49);
    expect(diary.commands).toEqual(['joinModel call1/4/0']);
    await clock.advance(1_000);
    expect(await seqsOf(journal)).toEqual([1, 2, 3, 4]);
    expect(diary.commands).toEqual(['joinModel call1/4/0', 'openModel call1/3/0']);
  });

  it('is tried at growing distances, at most a second', async () => {
    const clock = new VirtualClock();
    const tries: number[] = [];
    const log: WrittenLog = {
      append: async () => {
        tries.push(clock.monotonic());
        throw new RetryError('journal.unavailable', '');
      },
      readAfter: async () => [],
    };
    newCall(log, clock, new Diary()).signalAll(firstSignals);
    await clock.advance(5_000);
    const distances = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(distances.slice(0, 7)).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
  });

  it('is tried at small distances again after one that was stored', async () => {
    const { clock, journal, call } = callWithFates('refuse', 'refuse', 'refuse', 'store', 'refuse');
    call.signalAll(firstSignals);
    await clock.advance(1_000);
    call.signal({ entry: modelOpened() });
    await clock.advance(lingerMs + 50);
    expect(await seqsOf(journal)).toEqual([1, 2, 3, 4]);
  });

  it('is settled by reading where only the answer was lost: nothing is stored or performed twice', async () => {
    const { clock, journal, diary, call } = callWithFates('loseReply', 'store', 'loseReply');
    call.signalAll(firstSignals);
    await clock.advance(60);
    call.signal({ entry: modelOpened() });
    await clock.advance(0);
    call.signal({
      entry: replyFinished('r', {
        usage: {
          inputTextTokens: 1,
          inputAudioTokens: 1,
          inputCachedTokens: 0,
          outputTextTokens: 1,
          outputAudioTokens: 1,
        },
      }),
    });
    call.signal({ entry: transcribed, payloads: { transcript: 'hello' } });
    await clock.advance(2_000);
    expect(await seqsOf(journal)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(diary.commands.filter((command) => command.startsWith('openModel'))).toEqual([
      'openModel call1/3/0',
    ]);
    expect(diary.lost).toEqual([]);
  });

  it('is settled by reading also where the journal gives the fields in another order', async () => {
    const { clock, journal, diary, call } = callWithFates('loseReply');
    const readAfter = journal.readAfter.bind(journal);
    const turned = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, turned(inner)]),
          )
        : value;
    journal.readAfter = async (...asked) =>
      (await readAfter(...asked)).map((each) => ({ ...each, entries: each.entries.map(turned) as never }));
    call.signalAll(firstSignals);
    await clock.advance(100);
    expect(diary.lost).toEqual([]);
    expect(diary.commands).toEqual(['openModel call1/3/0']);
  });

  it('is asked about again where the journal cannot be read either', async () => {
    const { clock, journal, diary, call } = callWithFates('loseReply');
    const readAfter = journal.readAfter.bind(journal);
    let failures = 3;
    journal.readAfter = (...asked) => {
      if (failures-- > 0) return Promise.reject(new RetryError('journal.unavailable', ''));
      return readAfter(...asked);
    };
    call.signalAll(firstSignals);
    await clock.advance(2_000);
    expect(failures).toBe(-1);
    expect(diary.commands).toEqual(['openModel call1/3/0']);
  });

  it('is no loss of the call where its first try arrives after its second was sent', async () => {
    const clock = new VirtualClock();
    const store = openMemoryJournal(createMemoryStore(), { clock });
    const diary = new Diary();
    const late: Commit[] = [];
    const log: WrittenLog = {
      readAfter: store.readAfter.bind(store),
      append: async (commit) => {
        if (late.length === 0) {
          late.push(commit);
          throw new RetryError('journal.unavailable', 'no answer in time');
        }
        for (const earlier of late.splice(0, 1)) await store.append(earlier);
        late.push(commit);
        await store.append(commit);
      },
    };
    const call = newCall(log, clock, diary);
    call.signalAll(firstSignals);
    await clock.advance(1_000);
    expect(diary.lost).toEqual([]);
    expect(await seqsOf(store)).toEqual([1, 2, 3]);
    expect(diary.commands).toEqual(['openModel call1/3/0']);
  });
});

describe('an append that meets another process', () => {
  it('ends the call here: nothing is stepped, written or performed any more (I2)', async () => {
    const { clock, journal, diary, call } = callWithFates();
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    const { entries, row } = await commitOfAnother(journal, call.state.seq + 1);
    await journal.append({ callId: 'call1', entries, row, payloads: [], checkpoint: null, taken: [] });
    call.signal({ entry: callerStarts });
    const performed = diary.performed.length;
    await expect(call.durable()).rejects.toMatchObject({ code: 'journal.conflict' });
    expect(diary.lost).toEqual([call]);
    expect(clock.pendingTimers).toBe(0);
    call.signal({ entry: callerStops });
    await clock.advance(3_600_000);
    expect(diary.performed).toHaveLength(performed);
    expect(diary.lost).toHaveLength(1);
    expect((await seqsOf(journal)).length).toBe(call.state.seq);
  });

  it('ends the call here also where the answer was lost and somebody else has written', async () => {
    for (const fate of ['loseReply', 'refuse'] as const) {
      const { clock, journal, diary, call } = callWithFates('store', fate, 'store');
      call.signalAll(quietCall().map((entry) => ({ entry })));
      await clock.advance(0);
      call.signal({ entry: callerStarts });
      await clock.advance(lingerMs);
      const next = (await seqsOf(journal)).length + 1;
      const { entries, row } = await commitOfAnother(journal, next);
      await journal.append({ callId: 'call1', entries, row, payloads: [], checkpoint: null, taken: [] });
      await clock.advance(1_000);
      expect(diary.lost).toEqual([call]);
      expect(await seqsOf(journal)).toHaveLength(next);
    }
  });

  async function commitOfAnother(journal: Log, seq: number): Promise<Pick<Commit, 'entries' | 'row'>> {
    const [row] = await journal.list({ callId: 'call1' });
    if (!row) throw new Error('no such call');
    const entry = { ...claimed('two', { why: 'orphan' }), seq, at: 9_999_999_999_999 };
    return { entries: [entry], row: { ...row, lastSeq: seq, owner: 'two' } };
  }
});

describe('a journal that stalls', () => {
  const lossOf = (diary: Diary) => diary.entries.filter(({ type }) => type === 'journal.lost');

  it('ends the call after its limit, with an apology, though nothing else happens', async () => {
    const { clock, diary, call } = callWithFates('store', 'hang');
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    call.signal({ entry: callerStarts });
    await clock.advance(stallLimitMs - 1);
    expect(lossOf(diary)).toEqual([]);
    await clock.advance(1);
    expect(lossOf(diary)).toMatchObject([{ stalledMs: stallLimitMs }]);
    expect(call.state.snapshot.matches({ ending: 'apologising' })).toBe(true);
    expect(call.state.snapshot.context.endReason).toBe('journal.lost');
  });

  it('ends the call when too much waits', async () => {
    const { clock, diary, call } = callWithFates('store', 'hang');
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    for (let turn = 0; turn < queueLimit / 2; turn++) {
      call.signal({ entry: callerStarts });
      call.signal({ entry: callerStops });
    }
    expect(lossOf(diary)).toEqual([]);
    call.signal({ entry: callerStarts });
    expect(lossOf(diary)).toMatchObject([{ queuedEntries: queueLimit + 1, stalledMs: 0 }]);
    call.signal({ entry: callerStops });
    expect(lossOf(diary)).toHaveLength(1);
  });

  it('is not called lost where it keeps answering, however slowly', async () => {
    const clock = new VirtualClock();
    const journal = openMemoryJournal(createMemoryStore(), {
      clock,
      beforeAppend: () => new Promise((resolve) => clock.setTimeout(() => resolve('store'), 20_000)),
    });
    const diary = new Diary();
    const call = newCall(journal, clock, diary);
    call.signalAll(quietCall().map((entry) => ({ entry })));
    for (let turn = 0; turn < 10; turn++) {
      call.signal({ entry: callerStarts });
      call.signal({ entry: callerStops });
      await clock.advance(15_000);
    }
    expect(lossOf(diary)).toEqual([]);
    expect(diary.lost).toEqual([]);
  });

  it('lets go of a call whose caller is on no line here: another process may have it in conversation', async () => {
    const { clock, diary, call } = callWithFates('store', 'hang');
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    call.signal({ entry: streamClosed() });
    await clock.advance(stallLimitMs);
    expect(lossOf(diary)).toEqual([]);
    expect(diary.lost).toEqual([call]);
    expect(diary.commands.filter((command) => /^(askCarrier|redirectCall|hangUp) /.test(command))).toEqual(
      [],
    );
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends a call all the same that was to be ended before', async () => {
    const { clock, diary, call } = callWithFates('store', 'hang');
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    call.signal({ entry: hangUpRequested });
    const commands = () => diary.commands.filter((command) => command.startsWith('hangUp '));
    expect(commands()).toEqual([]);
    await clock.advance(stallLimitMs);
    expect(commands().length).toBeGreaterThan(0);
  });

  it('keeps nothing waiting any more: what is out of date is never done, and the call ends at once', async () => {
    const { clock, diary, call } = callWithFates('store', 'hang');
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    call.signal({ entry: toolRequested() });
    await clock.advance(stallLimitMs - 1);
    await clock.advance(10_001);
    expect(diary.commands.some((command) => command.startsWith('runTool'))).toBe(false);
    expect(diary.commands.at(-1)).toMatch(/^hangUp /);
    call.signal({ entry: carrierReported('completed') });
    expect(diary.commands.at(-1)).toMatch(/^concludeCall /);
    call.signal({ entry: callEnded });
    expect(diary.over).toEqual([call]);
    expect(call.stopped).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is noticed also where every append fails', async () => {
    const { clock, diary, call } = callWithFates(
      'store',
      ...Array.from({ length: 100 }, () => 'refuse' as const),
    );
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    call.signal({ entry: callerStarts });
    await clock.advance(stallLimitMs + 1_000);
    expect(lossOf(diary)).toHaveLength(1);
  });

  it('that comes back gets what waited, and performs nothing twice', async () => {
    const { clock, journal, diary, call } = callWithFates(
      'store',
      ...Array.from({ length: 66 }, () => 'refuse' as const),
    );
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    call.signal({ entry: modelClosed(1, { jitter: 0 }) });
    await clock.advance(stallLimitMs + 9_000);
    expect(await seqsOf(journal)).toHaveLength(call.state.seq);
    const keys = diary.performed.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('an error of another kind', () => {
  it('is treated like a journal that does not answer', async () => {
    const clock = new VirtualClock();
    const store = openMemoryJournal(createMemoryStore(), { clock });
    let failures = 2;
    const log: WrittenLog = {
      readAfter: store.readAfter.bind(store),
      append: (commit) =>
        failures-- > 0 ? Promise.reject(new GiveUpError('journal.corrupt', '')) : store.append(commit),
    };
    const diary = new Diary();
    newCall(log, clock, diary).signalAll(firstSignals);
    await clock.advance(1_000);
    expect(diary.commands).toEqual(['openModel call1/3/0']);
  });
});
