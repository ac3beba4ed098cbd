/** I1: for every prefix of every log, the fold equals the live state: value, context, status, timers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { chartNumber } from '../../src/machines/call/context.ts';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import { checkpointEvery } from '../../src/runtime/call.ts';
import { parseEntry, readEntries, readState, replay } from '../../src/runtime/history.ts';
import { type CallState, fold, freeze, step, thaw } from '../../src/runtime/step.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { created, likelyFactsAt } from '../machines/alphabet.ts';
import { callerStarts, callerStops, quietCall } from '../machines/support/facts.ts';
import { Diary, newCall } from './support/process.ts';

const throughJson = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));

interface Recorded {
  log: Entry[];
  states: CallState[];
}

function record(numbers: readonly number[]): Recorded {
  const first = { ...created, seq: 1, at: 1_000 } as Entry;
  const log = [first];
  const states = [step('call1', null, first)[0]];
  for (const number of numbers) {
    const state = states.at(-1) as CallState;
    const facts = likelyFactsAt(state);
    const entry = {
      ...facts[number % facts.length],
      seq: state.seq + 1,
      at: state.at + (number % 900),
    } as Entry;
    log.push(entry);
    states.push(step('call1', state, entry)[0]);
  }
  return { log, states };
}

const walks = fc.array(fc.nat(9_999), { minLength: 1, maxLength: 60, size: 'max' });

describe('every prefix of a log', () => {
  it('folds to the state that was live then, after a round trip through JSON', () => {
    fc.assert(
      fc.property(walks, (numbers) => {
        const { log, states } = record(numbers);
        for (const length of [1, 2, Math.ceil(log.length / 2), log.length]) {
          const folded = fold('call1', throughJson(log.slice(0, length)));
          expect(folded && freeze(folded)).toEqual(
            freeze(states[Math.min(length, log.length) - 1] as CallState),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('folds to the same from any checkpoint on', () => {
    fc.assert(
      fc.property(walks, fc.nat(59), (numbers, at) => {
        const { log, states } = record(numbers);
        const from = Math.min(at, log.length - 1);
        const checkpoint = throughJson(freeze(states[from] as CallState));
        const thawed = thaw('call1', checkpoint);
        expect(thawed && freeze(thawed)).toEqual(checkpoint);
        const folded = fold('call1', throughJson(log.slice(from + 1)), thawed);
        expect(folded && freeze(folded)).toEqual(freeze(states.at(-1) as CallState));
        expect(folded?.snapshot.status).toBe(states.at(-1)?.snapshot.status);
      }),
      { numRuns: 300 },
    );
  });

  it('asks for the same commands, whoever folds it and from wherever', () => {
    fc.assert(
      fc.property(walks, (numbers) => {
        const { log, states } = record(numbers);
        log.slice(1).forEach((entry, index) => {
          const before = states[index] as CallState;
          const thawed = thaw('call1', throughJson(freeze(before)));
          expect(step('call1', thawed, throughJson(entry))[1]).toEqual(step('call1', before, entry)[1]);
        });
      }),
      { numRuns: 100 },
    );
  });
});

describe('a live call', () => {
  const clock = new VirtualClock();

  async function liveCall(facts: readonly Draft[]) {
    const journal = openMemoryJournal(createMemoryStore(), { clock });
    const diary = new Diary();
    const call = newCall(journal, clock, diary);
    for (const entry of facts) {
      call.signal({ entry });
      await clock.advance(entry.type.length * 10);
    }
    return { journal, diary, call };
  }

  it('is what its log replays to, entry by entry', async () => {
    const { journal, diary } = await liveCall([...quietCall(), callerStarts, callerStops]);
    const replayed = await replay(journal, 'call1');
    expect(replayed.map(({ entry }) => entry)).toEqual(throughJson(diary.entries));
    expect(replayed.map(({ state }) => freeze(state))).toEqual(
      diary.observed.map(({ after }) => freeze(after)),
    );
    expect(replayed.every(({ matches, stored }) => matches && stored !== undefined)).toBe(true);
    expect(replayed.flatMap(({ commands }) => commands)).toEqual(
      diary.observed.flatMap(({ commands }) => commands),
    );
  });

  it('is read from its newest checkpoint, and the rest', async () => {
    const turns = Array.from({ length: 150 }, () => [callerStarts, callerStops]).flat();
    const { journal, call } = await liveCall([...quietCall(), ...turns]);
    const { checkpoint, commits } = await journal.read('call1');
    expect(checkpoint?.seq).toBeGreaterThan(200);
    const tail = commits.flatMap(({ entries }) => entries);
    expect(tail.length).toBeLessThanOrEqual(checkpointEvery);
    const state = await readState(journal, 'call1');
    expect(state && freeze(state)).toEqual(freeze(call.state));
    expect(await readEntries(journal, 'call1')).toHaveLength(call.state.seq);
  });

  it('is read from its start where another chart wrote the checkpoint', async () => {
    const turns = Array.from({ length: 60 }, () => [callerStarts, callerStops]).flat();
    const { journal, call } = await liveCall([...quietCall(), ...turns]);
    const read = journal.read.bind(journal);
    journal.read = async (callId, options) => {
      const stored = await read(callId, options);
      const { checkpoint } = stored;
      return checkpoint
        ? {
            ...stored,
            checkpoint: { ...checkpoint, state: { ...(checkpoint.state as object), chart: chartNumber + 1 } },
          }
        : stored;
    };
    const state = await readState(journal, 'call1');
    expect(state && freeze(state)).toEqual(freeze(call.state));
  });
});

describe('a replay', () => {
  it('tells where the fold differs from what was stored', async () => {
    const clock = new VirtualClock();
    const journal = openMemoryJournal(createMemoryStore(), { clock });
    const call = newCall(journal, clock, new Diary());
    for (const entry of quietCall()) call.signal({ entry });
    await clock.advance(0);
    const read = journal.read.bind(journal);
    for (const stored of ['ringing', { live: 'elsewhere' }, { live: {} }, null]) {
      journal.read = async (callId, options) => {
        const log = await read(callId, options);
        return { ...log, commits: log.commits.map((commit) => ({ ...commit, state: stored })) };
      };
      const replayed = await replay(journal, 'call1');
      expect(replayed.at(-1)?.matches).toBe(false);
    }
  });

  it('does not mind that regions come in another order, and knows only the ends of commits', async () => {
    const clock = new VirtualClock();
    const journal = openMemoryJournal(createMemoryStore(), { clock });
    const call = newCall(journal, clock, new Diary());
    call.signalAll(quietCall().map((entry) => ({ entry })));
    await clock.advance(0);
    const read = journal.read.bind(journal);
    const turned = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, turned(inner)]),
          )
        : value;
    journal.read = async (callId, options) => {
      const log = await read(callId, options);
      return {
        ...log,
        commits: log.commits.map((commit) => ({ ...commit, state: turned(commit.state) as never })),
      };
    };
    const replayed = await replay(journal, 'call1');
    expect(replayed.at(-1)).toMatchObject({ matches: true });
    expect(replayed.at(0)).toMatchObject({ matches: true, stored: undefined });
  });
});

describe('a log that is not ours', () => {
  it('is refused with the number of the entry that is wrong', () => {
    expect(() => parseEntry('call1', { seq: 7, at: 1, type: 'call.dreamt' })).toThrow(
      /call call1, entry 7: unknown/,
    );
  });

  it('is null where there is none', async () => {
    const journal = openMemoryJournal(createMemoryStore(), { clock: new VirtualClock() });
    expect(await readState(journal, 'nobody')).toBeNull();
    expect(await readEntries(journal, 'nobody')).toEqual([]);
    expect(await replay(journal, 'nobody')).toEqual([]);
  });
});
