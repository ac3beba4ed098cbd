/** I2: whatever two processes do at once, a call's seq is dense, and who lost the call does nothing more. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AppendFate,
  createMemoryStore,
  type MemoryStore,
  openMemoryJournal,
} from '../../src/adapters/journal/memory.ts';
import { reflexes } from '../../src/machines/commands.ts';
import type { Draft } from '../../src/machines/entries.ts';
import { readEntries, replay } from '../../src/runtime/history.ts';
import { freeze } from '../../src/runtime/step.ts';
import { lingerMs } from '../../src/runtime/writer.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import {
  answered,
  callerStarts,
  callerStops,
  modelClosed,
  modelOpened,
  replyStarted,
  toolRequested,
} from '../machines/support/facts.ts';
import { createdSignal, type Process, startProcess } from './support/process.ts';

interface Act {
  who: 0 | 1;
  what: 'create' | 'claim' | 'claimWithStream' | 'signal';
  fact: number;
  /** Until the next act. */
  pauseMs: number;
}

/** How the journal treats each append: after how long, and how it ends. */
interface Weather {
  delayMs: number;
  fate: AppendFate;
}

const facts: Draft[] = [
  callerStarts,
  callerStops,
  modelOpened(1),
  modelOpened(2),
  modelClosed(1),
  replyStarted(),
  toolRequested('tool1'),
  toolRequested('tool2'),
];

const act: fc.Arbitrary<Act> = fc.record({
  who: fc.constantFrom(0, 1),
  what: fc.constantFrom('create', 'claim', 'claimWithStream', 'signal', 'signal', 'signal'),
  fact: fc.nat(facts.length - 1),
  pauseMs: fc.constantFrom(0, 0, 1, 5, 30),
});
const weather: fc.Arbitrary<Weather> = fc.record({
  delayMs: fc.constantFrom(0, 0, 1, 4, 20),
  fate: fc.constantFrom('store', 'store', 'store', 'store', 'refuse', 'loseReply'),
});

async function play(acts: readonly Act[], forecast: readonly Weather[]) {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  let appends = 0;
  let isCalm = false;
  const beforeAppend = (): AppendFate | Promise<AppendFate> => {
    if (isCalm) return 'store';
    const { delayMs, fate } = forecast[appends++ % forecast.length] as Weather;
    return new Promise((resolve) => clock.setTimeout(() => resolve(fate), delayMs));
  };
  const processes = [
    startProcess('one', store, clock, beforeAppend),
    startProcess('two', store, clock, beforeAppend),
  ];
  for (const { who, what, fact, pauseMs } of acts) {
    const { registry } = processes[who] as Process;
    const ignored = (promise: Promise<unknown>): void => void promise.catch(() => undefined);
    if (what === 'create') ignored(registry.create('call1', createdSignal(), [answered]));
    else if (what === 'claim') ignored(registry.claim('call1', { why: 'orphan' }, []));
    else if (what === 'claimWithStream') ignored(registry.claim('call1', { why: 'stream', attempt: 1 }, []));
    else registry.get('call1')?.signal({ entry: facts[fact] as Draft });
    await clock.advance(pauseMs);
  }
  isCalm = true;
  await clock.advance(3_000);
  return { clock, store, processes };
}

async function check(clock: VirtualClock, store: MemoryStore, processes: readonly Process[]): Promise<void> {
  const journal = openMemoryJournal(store, { clock });
  const log = await readEntries(journal, 'call1');
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  const replayed = await replay(journal, 'call1');
  expect(replayed.every(({ matches }) => matches)).toBe(true);

  const lasting = processes.flatMap(({ diary }) =>
    diary.performed
      .filter(({ command }) => !reflexes.has(command.type))
      .map(({ key, call }) => ({ key, call, diary })),
  );
  expect(new Set(lasting.map(({ key }) => key)).size).toBe(lasting.length);
  for (const { key, call, diary } of lasting) {
    const seq = Number(key.split('/')[1]);
    const own = diary.observed.find((step) => step.call === call && step.entry.seq === seq);
    expect(own?.entry, `${key} belongs to an entry that is in the log`).toEqual(log[seq - 1]);
  }

  const living = processes.flatMap(({ registry }) => [...registry.calls()]);
  expect(living.length).toBeLessThanOrEqual(1);
  for (const call of living) {
    const steps = processes.flatMap(({ diary }) => diary.observed.filter((step) => step.call === call));
    const last = steps.find(({ entry }) => entry.seq === log.length);
    const stored = replayed.at(-1)?.state;
    expect(last && freeze(last.after)).toEqual(stored && freeze(stored));
  }
  for (const { diary } of processes) for (const call of diary.lost) expect(call.stopped).toBe(true);
}

describe('two processes and one call', () => {
  it('leave one log, whose every lasting command was performed by who wrote its entry', async () => {
    const begins: Act = { who: 0, what: 'create', fact: 0, pauseMs: 1 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 5, maxLength: 40, size: 'max' }),
        fc.array(weather, { minLength: 1, maxLength: 12 }),
        async (acts, forecast) => {
          const { clock, store, processes } = await play([begins, ...acts], forecast);
          // The one that does not own the call learns it with its next word.
          for (const { registry } of processes) registry.get('call1')?.signal({ entry: callerStarts });
          await clock.advance(3_000);
          await check(clock, store, processes);
          for (const { registry } of processes) registry.stop();
          // What the journal still had in hand.
          await clock.advance(50);
          expect(clock.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 250 },
    );
  }, 120_000);

  it('perform nothing more where they lost the call, whatever they are still told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(facts.length - 1), { minLength: 1, maxLength: 20 }), async (told) => {
        const clock = new VirtualClock();
        const store = createMemoryStore();
        const one = startProcess('one', store, clock);
        const two = startProcess('two', store, clock);
        const old = await one.registry.create('call1', createdSignal(), [answered]);
        await two.registry.claim('call1', { why: 'orphan' }, []);
        old.signal({ entry: callerStarts });
        await clock.advance(lingerMs);
        expect(one.diary.lost).toEqual([old]);
        expect(one.registry.get('call1')).toBeUndefined();
        const { length } = one.diary.performed;
        for (const fact of told) old.signal({ entry: facts[fact] as Draft });
        await clock.advance(60_000);
        expect(one.diary.performed).toHaveLength(length);
        expect(one.diary.lost).toHaveLength(1);
      }),
      { numRuns: 50 },
    );
  });
});
