/**
 * A call of the version before is taken over by this one: the log folds by the old chart up to `chart.changed`, and by
 * the new one from what was carried. Taken are the calls that version 0.1.0 wrote, at each of their commits.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore, type MemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { charts, current } from '../../src/machines/charts/table.ts';
import type { Command } from '../../src/machines/commands.ts';
import { type Entry, entryFault } from '../../src/machines/entries.ts';
import { readEntries, readState, replay } from '../../src/runtime/history.ts';
import { asCurrent, type CallState, chartChange, fold, freeze, step, thaw } from '../../src/runtime/step.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { created, factsAt } from '../journals/chart-1-facts.ts';
import { type Recording, recordingsOf } from '../journals/recording.ts';
import { isConversation, stepsUntilOver, stepsUntilWell } from '../machines/support/walk.ts';
import { startProcess } from './support/process.ts';

const before = charts.at(-2)?.number ?? 0;
const recordings = recordingsOf('0.1.0');

interface Moment {
  title: string;
  recording: Recording;
  commits: number;
}

/** Every live moment of every call. */
const moments: Moment[] = recordings.flatMap((recording) =>
  recording.commits.flatMap(({ frozen }, index) =>
    frozen.status === 'active'
      ? [{ title: `${recording.name} ${index + 1}`, recording, commits: index + 1 }]
      : [],
  ),
);

/** One moment of each kind: the states differ. */
const kinds = [
  ...new Map(moments.map((moment) => [JSON.stringify(frozenAt(moment).value), moment])).values(),
];

function frozenAt({ recording, commits }: Moment) {
  const { frozen } = recording.commits[commits - 1] ?? {};
  if (!frozen) throw new Error('no such commit');
  return frozen;
}

async function storeOf({ recording, commits }: Moment, clock: VirtualClock): Promise<MemoryStore> {
  const store = createMemoryStore();
  const journal = openMemoryJournal(store, { clock });
  const { callId } = recording;
  for (const { entries, payloads, state } of recording.commits.slice(0, commits)) {
    const row = {
      callId,
      carrierCallId: callId,
      direction: 'incoming',
      owner: 'one',
      startedAt: recording.commits[0]?.entries[0]?.at ?? 0,
      endedAt: null,
      endReason: null,
      lastSeq: entries.at(-1)?.seq ?? 0,
      state,
    } as const;
    await journal.append({ callId, entries, payloads, row, checkpoint: null, taken: [] });
  }
  return store;
}

async function takeOver(moment: Moment) {
  const clock = new VirtualClock();
  const process = startProcess('newer', await storeOf(moment, clock), clock);
  const { callId } = moment.recording;
  const call = await process.registry.claim(callId, { why: 'orphan' }, []);
  if (!call) throw new Error('not claimed');
  return { ...process, clock, call, callId };
}

const asked = (commands: readonly { command: Command }[], type: Command['type']) =>
  commands.filter(({ command }) => command.type === type).map(({ command }) => command.params);

it('there is an older chart, and many moments to take its calls over at', () => {
  expect(before).toBeGreaterThan(0);
  expect(kinds.length).toBeGreaterThan(20);
});

describe.each(kinds.map((moment) => [moment.title, moment] as const))('a call at %s', (_, moment) => {
  it('changes its chart in the commit of the claim, and replays to every state', async () => {
    const { journal, call, callId, diary, registry } = await takeOver(moment);
    const { commits } = await journal.read(callId, { fromStart: true });
    const [changed, claimed] = commits.at(-1)?.entries ?? [];
    expect([changed?.type, claimed?.type, commits.at(-1)?.entries.length]).toEqual([
      'chart.changed',
      'owner.claimed',
      2,
    ]);
    expect(changed).toMatchObject({ from: before, to: current.number, format: current.format });
    expect(entryFault(changed as { type: string })).toBeNull();
    expect(call.state.chart).toBe(current.number);

    const steps = await replay(journal, callId);
    expect(steps.filter(({ matches }) => !matches)).toEqual([]);
    expect(steps.slice(-2).map(({ state }) => freeze(state))).toEqual(
      diary.observed.slice(-2).map(({ after }) => freeze(after)),
    );
    const folded = await readState(journal, callId);
    expect(folded && freeze(folded)).toEqual(freeze(call.state));
    const checkpoint = freeze(call.state);
    expect(freeze(thaw(callId, checkpoint) as CallState)).toEqual(checkpoint);
    registry.stop();
  });

  it('holds nothing personal in what is carried', async () => {
    const { journal, callId, registry } = await takeOver(moment);
    const changed = (await readEntries(journal, callId)).find(({ type }) => type === 'chart.changed');
    const text = JSON.stringify(changed);
    for (const { content } of await journal.readPayloads(callId)) {
      if (content.length > 4) expect(text).not.toContain(content);
    }
    expect(text.length).toBeLessThan(4_000);
    registry.stop();
  });

  it('keeps where it was, and asks anew for all that the older process had', async () => {
    const { call, diary, registry } = await takeOver(moment);
    const { value, context } = frozenAt(moment);
    const generation = (context.model as { generation: number }).generation;
    const now = call.state.snapshot;
    expect(typeof now.value === 'string' ? now.value : Object.keys(now.value)[0]).toBe(
      typeof value === 'string' ? value : Object.keys(value as object)[0],
    );
    expect(now.context).toMatchObject({
      tools: context.tools,
      endReason: context.endReason,
      startedAt: context.startedAt,
    });
    expect(now.context.settings).toMatchObject(context.settings as object);
    if (now.matches('live')) {
      expect(asked(diary.performed, 'openModel')).toEqual([{ generation: generation + 1 }]);
      expect(asked(diary.performed, 'recoverTool')).toEqual(
        (context.tools as string[]).map((toolCallId) => ({ toolCallId })),
      );
      expect(now.context.stream.id).toBeNull();
    }
    if (now.matches('ending')) {
      expect(diary.performed.map(({ command }) => command.type)).toContainEqual(
        expect.stringMatching(/^(hangUp|concludeCall)$/),
      );
    }
    registry.stop();
  });

  it('comes to a conversation or an end where all answer, and to an end where nobody does', async () => {
    const { call, registry } = await takeOver(moment);
    const { state } = call;
    registry.stop();
    expect(stepsUntilWell(state, 30)).toBeLessThan(30);
    expect(stepsUntilOver(state, 80)).toBeLessThan(80);
  });

  it('is shown, without a claim, as it would be taken over, and its log is left alone', async () => {
    const clock = new VirtualClock();
    const { registry, journal } = startProcess('newer', await storeOf(moment, clock), clock);
    const { callId } = moment.recording;
    const stored = await journal.read(callId, { fromStart: true });
    const shown = (await registry.read(callId)) as CallState;
    const raw = (await readState(journal, callId)) as CallState;
    expect([raw.chart, shown.chart, shown.seq]).toEqual([before, current.number, raw.seq]);
    expect(shown.snapshot.context.instance).toBe(raw.snapshot.context.instance);
    expect(shown.snapshot.context.stream.attempt).toBe(raw.snapshot.context.stream.attempt);
    expect(shown.snapshot.hasTag('ending')).toBe(raw.snapshot.hasTag('ending'));
    expect(await journal.read(callId, { fromStart: true })).toEqual(stored);
  });
});

describe('what is carried', () => {
  it('arms the timers of the states that it begins with, in full, and asks for nothing', () => {
    for (const { recording, commits } of kinds) {
      const { callId } = recording;
      const entries = recording.commits.slice(0, commits).flatMap((commit) => commit.entries);
      const state = fold(callId, entries as never[]) as CallState;
      const changed = chartChange(state);
      if (!changed) throw new Error('the chart is the present one');
      const at = state.at + 70_000;
      const [after, commands] = step(callId, state, { ...changed, seq: state.seq + 1, at });
      expect(commands).toEqual([]);
      const timers = after.snapshot._nodes.flatMap((node) => node.after.map(({ eventType }) => eventType));
      expect([...after.due.keys()].sort()).toEqual([...new Set(timers)].sort());
      const { settings, startedAt } = after.snapshot.context;
      const fullMs: Record<string, number> = {
        streamStart: settings.streamStartMs,
        reattach: settings.reattachMs,
        askCarrier: settings.askCarrierMs,
        farewell: settings.farewellMs,
        ending: settings.endingMs,
        modelConnect: settings.modelConnectMs,
        replyStart: settings.replyStartMs,
        longestCall: Math.max(0, startedAt + settings.longestCallMs - at),
      };
      for (const [timer, dueAt] of after.due) {
        const named = fullMs[timer.split('.')[2] ?? ''];
        if (named !== undefined) expect([timer, dueAt - at]).toEqual([timer, named]);
        expect(dueAt).toBeGreaterThanOrEqual(at);
      }
    }
  });

  it('is all that the rest of the log needs', async () => {
    const moment = kinds.find((kind) => JSON.stringify(frozenAt(kind).value).includes('"tools":"running"'));
    const { journal, callId, call, registry } = await takeOver(moment as Moment);
    call.signal({
      entry: {
        type: 'model.opened',
        generation: call.state.snapshot.context.model.newest,
        sessionId: 's',
        expiresAt: null,
      },
    });
    await call.durable();
    const entries = await readEntries(journal, callId);
    const changed = entries.findIndex(({ type }) => type === 'chart.changed');
    const folded = fold(callId, entries.slice(changed)) as CallState;
    expect(freeze(folded)).toEqual(freeze(call.state));
    expect(isConversation(folded)).toBe(false);
    registry.stop();
  });

  it('is refused where it is no state of the chart, or changes from another chart than the log’s', () => {
    const recording = recordings[0] as Recording;
    const { callId } = recording;
    const state = fold(callId, recording.commits[0]?.entries as never[]) as CallState;
    const changed = { ...chartChange(state), seq: state.seq + 1, at: state.at } as never as Parameters<
      typeof step
    >[2] & {
      type: 'chart.changed';
    };
    const code = (entry: Parameters<typeof step>[2]) => {
      try {
        step(callId, state, entry);
      } catch (error) {
        return (error as { code: string }).code;
      }
      return null;
    };
    expect(code(changed)).toBeNull();
    expect(code({ ...changed, from: current.number })).toBe('log.invalid');
    expect(code({ ...changed, carried: { ...changed.carried, value: 'dreaming' } })).toBe('log.invalid');
    expect(code({ ...changed, to: current.number + 1 })).toBe('journal.future');
  });
});

describe('wherever a call of the older chart may be', () => {
  const walks = fc.array(fc.nat(9_999), { minLength: 1, maxLength: 60, size: 'max' });

  function walked(numbers: readonly number[]): CallState {
    let [state] = step('call1', null, { ...created, seq: 1, at: 1_000 } as Entry);
    for (const number of numbers) {
      const facts = factsAt(state);
      const fact = facts[number % facts.length];
      const [next] = step('call1', state, {
        ...fact,
        seq: state.seq + 1,
        at: state.at + (number % 900),
      } as Entry);
      if (next.snapshot.status !== 'active') break;
      state = next;
    }
    return state;
  }

  it('goes on in the newer one to a conversation or an end, from what was carried alone', () => {
    fc.assert(
      fc.property(walks, (numbers) => {
        const state = walked(numbers);
        const changed = JSON.parse(JSON.stringify(chartChange(state)));
        expect(entryFault({ ...changed, seq: 1, at: 1 })).toBeNull();
        const { seq, at, snapshot } = state;
        const instance = snapshot.context.instance ?? 'one';
        const entries = [
          { ...changed, seq: seq + 1, at },
          // Also where a process of the same name takes it over: nothing of the older one is left.
          { type: 'owner.claimed', instance, why: 'stream', attempt: 9, seq: seq + 2, at: at + 5 },
        ] as Entry[];
        const live = fold('call1', entries, state) as CallState;
        const { stream, model } = live.snapshot.context;
        if (live.snapshot.matches('live'))
          expect([stream.id, stream.attempt, model.sessionId]).toEqual([null, 9, null]);
        expect(freeze(fold('call1', entries) as CallState)).toEqual(freeze(live));
        expect(stepsUntilWell(live, 60)).toBeLessThan(60);
        expect(stepsUntilOver(live, 120)).toBeLessThan(120);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a call that is over', () => {
  it('keeps its chart, and is shown as it ended', async () => {
    const ended = recordings.find(({ name }) => name === 'quiet') as Recording;
    const moment = { title: '', recording: ended, commits: ended.commits.length };
    const clock = new VirtualClock();
    const { registry, journal } = startProcess('newer', await storeOf(moment, clock), clock);
    const state = (await registry.read(ended.callId)) as CallState;
    expect([state.chart, state.snapshot.status]).toEqual([before, 'done']);
    expect(asCurrent(state)).toBe(state);
    await registry.claim(ended.callId, { why: 'orphan' }, []);
    expect((await readEntries(journal, ended.callId)).map(({ type }) => type)).not.toContain('chart.changed');
  });
});
