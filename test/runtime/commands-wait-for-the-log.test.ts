/** A1: a reflex is performed with the step, every other command once its entry is durable. */
import { describe, expect, it } from 'vitest';
import { type AppendFate, createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { type Command, takesBack } from '../../src/machines/commands.ts';
import type { Draft } from '../../src/machines/entries.ts';
import { checkpointEvery } from '../../src/runtime/call.ts';
import type { StoredEntry } from '../../src/runtime/ports/journal.ts';
import { lingerMs } from '../../src/runtime/writer.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import {
  callEnded,
  callerStarts,
  callerStops,
  carrierReported,
  claimed,
  modelOpened,
  quietCall,
  replyStarted,
  replyVoiced,
  streamStarted,
  toolFinished,
  toolReplyFinished,
  toolRequested,
  transcribed,
} from '../machines/support/facts.ts';
import { createdSignal, Diary, firstSignals, newCall } from './support/process.ts';

/** A journal whose appends wait until they are let through. */
function gatedCall() {
  const clock = new VirtualClock();
  const gates: ((fate: AppendFate) => void)[] = [];
  const appends: StoredEntry[][] = [];
  const journal = openMemoryJournal(createMemoryStore(), {
    clock,
    beforeAppend: (_, entries) => {
      appends.push([...entries]);
      return new Promise((resolve) => gates.push(resolve));
    },
  });
  const diary = new Diary();
  const call = newCall(journal, clock, diary);
  /** What nobody waits for is handed over meanwhile. */
  const letThrough = async (fate: AppendFate = 'store'): Promise<void> => {
    gates.shift()?.(fate);
    await clock.advance(lingerMs);
  };
  return { clock, journal, diary, call, appends, gates, letThrough };
}

const signalAll = (call: ReturnType<typeof newCall>, ...facts: Draft[]): void => {
  for (const entry of facts) call.signal({ entry });
};

describe('the log of a call', () => {
  it('has one append in flight, and what comes meanwhile joins the next', async () => {
    const { call, appends, gates, letThrough } = gatedCall();
    call.signalAll(firstSignals);
    signalAll(call, modelOpened(), claimed('one', { why: 'stream', attempt: 1 }), streamStarted());
    expect(appends.map((entries) => entries.map(({ seq }) => seq))).toEqual([[1, 2, 3]]);
    await letThrough();
    expect(appends.map((entries) => entries.map(({ seq }) => seq))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    signalAll(call, replyStarted());
    expect(gates).toHaveLength(1);
    await letThrough();
    expect(appends.at(-1)?.map(({ seq }) => seq)).toEqual([7]);
  });

  it('may be behind the state', async () => {
    const { call, letThrough } = gatedCall();
    call.signalAll(firstSignals);
    signalAll(call, modelOpened());
    expect(call.state.seq).toBe(4);
    expect(call.state.snapshot.matches({ live: { model: 'ready' } })).toBe(true);
    let durable = false;
    void call.durable().then(() => {
      durable = true;
    });
    await letThrough();
    expect(durable).toBe(false);
    await letThrough();
    expect(durable).toBe(true);
    await expect(call.durable()).resolves.toBeUndefined();
  });

  it('gets the payloads of each entry, and the index row after the last', async () => {
    const { clock, call, journal, letThrough } = gatedCall();
    const startedAt = clock.now();
    call.signalAll([
      { ...createdSignal({ carrierCallId: 'CA7' }), payloads: { from: '+15550100', to: '+15550199' } },
      ...firstSignals.slice(1),
    ]);
    await letThrough();
    call.signal({ entry: transcribed, payloads: { transcript: 'hello' } });
    await clock.advance(lingerMs);
    await letThrough();
    expect(await journal.readPayloads('call1')).toEqual([
      { seq: 1, name: 'from', content: '+15550100' },
      { seq: 1, name: 'to', content: '+15550199' },
      { seq: 4, name: 'transcript', content: 'hello' },
    ]);
    expect(await journal.findByCarrierId('CA7')).toMatchObject({
      callId: 'call1',
      direction: 'incoming',
      owner: 'one',
      startedAt,
      endedAt: null,
      lastSeq: 4,
      state: { live: { model: 'connecting' } },
    });
  });

  it('has a checkpoint with the first commit after a hundred entries, and after the next hundred', async () => {
    const { call, journal, letThrough } = gatedCall();
    call.signalAll(firstSignals);
    const checkpoints: (number | undefined)[] = [];
    for (let turn = 0; turn < 110; turn++) {
      signalAll(call, callerStarts, callerStops);
      await letThrough();
      checkpoints.push((await journal.read('call1')).checkpoint?.seq);
    }
    const seen = [...new Set(checkpoints)].filter((seq) => seq !== undefined);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBeGreaterThanOrEqual(checkpointEvery);
    expect((seen[1] ?? 0) - (seen[0] ?? 0)).toBeGreaterThanOrEqual(checkpointEvery);
  });
});

describe('an entry', () => {
  const written = (appends: StoredEntry[][]): number[][] =>
    appends.map((entries) => entries.map(({ seq }) => seq));

  /** Its log has three entries, and nothing is on its way. */
  async function settledCall() {
    const gated = gatedCall();
    gated.call.signalAll(firstSignals);
    await gated.letThrough();
    gated.appends.length = 0;
    return gated;
  }

  it('that nobody waits for goes at the next full moment, with what came meanwhile', async () => {
    const { clock, call, appends } = await settledCall();
    await clock.advance(lingerMs / 4);
    signalAll(call, modelOpened());
    await clock.advance(lingerMs / 2);
    signalAll(call, callerStarts);
    expect(appends).toEqual([]);
    await clock.advance(lingerMs / 4);
    expect(written(appends)).toEqual([[4, 5]]);
    expect(clock.monotonic() % lingerMs).toBe(0);
  });

  it('goes at once where somebody asks whether it is durable, and takes along what waits', async () => {
    const { call, appends } = await settledCall();
    signalAll(call, modelOpened());
    void call.durable();
    expect(written(appends)).toEqual([[4]]);
  });

  it('goes at once where a command waits for it', async () => {
    const { call, appends } = await settledCall();
    signalAll(call, modelOpened(), claimed('one', { why: 'stream', attempt: 1 }));
    expect(appends).toEqual([]);
    signalAll(call, streamStarted());
    expect(call.queuedEntries).toBe(3);
    expect(written(appends)).toEqual([[4, 5, 6]]);
  });

  it('goes at once where it tells what was done outside', async () => {
    const { call, appends } = await settledCall();
    signalAll(call, modelOpened(), toolRequested(), toolFinished());
    expect(written(appends)).toEqual([[4, 5]]);
  });

  it('goes at once where it took a signal out of the inbox', async () => {
    const { call, appends } = await settledCall();
    call.signal({ entry: modelOpened() }, ['status:1']);
    expect(written(appends)).toEqual([[4]]);
  });

  it('that came after what somebody waited for does not hurry', async () => {
    const { clock, call, appends, letThrough } = await settledCall();
    signalAll(call, modelOpened());
    void call.durable();
    await clock.advance(lingerMs / 4);
    await letThrough();
    await clock.advance(lingerMs / 4);
    signalAll(call, callerStarts);
    expect(written(appends)).toEqual([[4]]);
    await clock.advance(lingerMs);
    expect(written(appends)).toEqual([[4], [5]]);
  });

  it('waits no more where the call is let go', async () => {
    const { clock, call, appends } = await settledCall();
    signalAll(call, modelOpened());
    call.stop();
    await clock.advance(lingerMs);
    expect(appends).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a command', () => {
  it('waits until its entry is durable, and bears a key that is the same in every process', async () => {
    const { call, diary, letThrough } = gatedCall();
    call.signalAll(firstSignals);
    expect(diary.commands).toEqual([]);
    await letThrough();
    expect(diary.commands).toEqual(['openModel call1/3/0']);
  });

  it('does not wait where it is a reflex', async () => {
    const { call, diary, letThrough } = gatedCall();
    call.signalAll(quietCall().map((entry) => ({ entry })));
    signalAll(call, callerStarts);
    expect(diary.commands).toEqual([
      'joinModel call1/4/0',
      'joinStream call1/6/0',
      'interruptReply call1/11/0',
    ]);
    await letThrough();
    expect(diary.commands.slice(3)).toEqual(['openModel call1/3/0']);
  });

  it('that asks for a reply is taken back by the interruption that overtakes it, and no later one is', async () => {
    const { call, diary, letThrough } = gatedCall();
    const asked = (): string[] => diary.commands.filter((command) => command.startsWith('createReply'));
    call.signalAll([...quietCall(), callerStarts, callerStops].map((entry) => ({ entry })));
    await letThrough();
    expect(asked()).toEqual([]);
    signalAll(call, replyStarted(), toolRequested(), toolReplyFinished(), toolFinished());
    const askedAt = call.state.seq;
    await letThrough();
    await letThrough();
    expect(asked()).toEqual([expect.stringContaining(`createReply call1/${askedAt}/`)]);
  });

  it('that opens a session is taken back where that session is given up before its entry is durable', async () => {
    const { clock, call, diary, letThrough } = gatedCall();
    call.signalAll(firstSignals);
    const { modelConnectMs, modelBackoffLongestMs } = call.state.snapshot.context.settings;
    await clock.advance(modelConnectMs + modelBackoffLongestMs);
    await letThrough();
    await letThrough();
    const sessions = diary.performed.flatMap(({ command }) =>
      'generation' in command.params ? [[command.type, command.params.generation]] : [],
    );
    expect(sessions).toEqual([
      ['closeModel', 1],
      ['openModel', 2],
    ]);
  });

  it('that opens the next session stays where the one before it is closed', () => {
    const open = (generation: number): Command => ({ type: 'openModel', params: { generation } });
    const close: Command = { type: 'closeModel', params: { generation: 1 } };
    expect([1, 2].map((generation) => takesBack(close, open(generation)))).toEqual([true, false]);
  });

  it('is performed once its entry is stepped, with the state that the entry made', () => {
    const { call, diary } = gatedCall();
    const states: unknown[] = [];
    diary.onPerform = ({ call: performer }) => states.push(performer.state.seq);
    call.signalAll(firstSignals);
    signalAll(call, modelOpened());
    expect(states).toEqual([4]);
  });

  it('may signal at once: what it signals comes after the entries that asked for it', async () => {
    const { call, diary, appends, letThrough } = gatedCall();
    call.signalAll(quietCall().map((entry) => ({ entry })));
    signalAll(call, callerStarts, callerStops, replyStarted(), replyVoiced());
    diary.onPerform = ({ command }) => {
      if (command.type === 'interruptReply')
        call.signal({
          entry: { type: 'reply.interrupted', items: [{ itemId: 'x', receivedMs: 9, playedMs: 3 }] },
        });
    };
    signalAll(call, callerStarts, callerStops);
    const kinds = diary.entries.slice(-3).map(({ type }) => type);
    expect(kinds).toEqual(['caller.startedSpeaking', 'reply.interrupted', 'caller.stoppedSpeaking']);
    await letThrough();
    await letThrough();
    expect(appends.flat().map(({ seq }) => seq)).toEqual(diary.entries.map(({ seq }) => seq));
  });

  it('of several reflexes comes in order, though the first one signals', () => {
    const { call, diary } = gatedCall();
    call.signalAll(quietCall().map((entry) => ({ entry })));
    signalAll(call, claimed('one', { why: 'stream', attempt: 2 }), callerStarts, callerStops, replyStarted());
    signalAll(call, replyVoiced());
    const before = diary.performed.length;
    diary.onPerform = ({ command }) => {
      if (command.type === 'joinStream')
        call.signal({ entry: { type: 'media.resumed', streamId: 'stream2' } });
    };
    signalAll(call, streamStarted(2));
    expect(diary.performed.slice(before).map(({ command }) => command.type)).toEqual([
      'joinStream',
      'interruptReply',
    ]);
    expect(diary.entries.at(-1)?.type).toBe('media.resumed');
  });
});

describe('a fact', () => {
  it('that is no valid entry is reported and dropped', () => {
    const { call, diary } = gatedCall();
    call.signalAll(firstSignals);
    call.signal({ entry: { type: 'reply.started', replyId: '' } });
    call.signal({ entry: { type: 'call.dreamt' } as never });
    call.signal({} as never);
    expect(diary.refused.map((fault) => fault.split(':')[0])).toEqual([
      'reply.started',
      'call.dreamt',
      'undefined',
    ]);
    expect(call.state.seq).toBe(3);
  });

  it('that is a timer which was cancelled while it queued is dropped in silence', () => {
    const { call, diary } = gatedCall();
    call.signalAll(firstSignals);
    const timer = [...call.state.due.keys()].find((name) => name.includes('modelConnect')) ?? '';
    signalAll(call, modelOpened());
    signalAll(call, { type: 'timer.elapsed', timer });
    expect(diary.refused).toEqual([]);
    expect(call.state.seq).toBe(4);
  });

  it('changes nothing where there is none', () => {
    const { call, appends } = gatedCall();
    call.signalAll([]);
    expect(appends).toEqual([]);
    expect(() => call.state).toThrow(/has no entry yet/);
  });
});

describe('a call that is over', () => {
  it('is so once its last entry is durable, says so once, and lets go of everything (I4)', async () => {
    const { call, diary, clock, journal, letThrough } = gatedCall();
    call.signalAll([...quietCall(), carrierReported('completed'), callEnded].map((entry) => ({ entry })));
    expect(diary.over).toEqual([]);
    await letThrough();
    expect(diary.over).toEqual([call]);
    expect(call.stopped).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    signalAll(call, callerStarts);
    await clock.advance(3_600_000);
    expect(diary.over).toHaveLength(1);
    expect((await journal.list({ callId: 'call1' }))[0]).toMatchObject({
      owner: null,
      endReason: 'caller.hungUp',
      state: 'ended',
    });
  });

  it('takes in nothing more, in the same commit or a later one: its end is the last of its log', async () => {
    const late = { entry: { type: 'stream.closed', streamId: 'stream1', code: 1000 } } as const;
    const ended = [...quietCall(), carrierReported('completed'), callEnded].map((entry) => ({ entry }));
    const { call, diary, journal, letThrough } = gatedCall();
    call.signalAll([...ended, late]);
    expect(call.signal(late)).toBe(false);
    await letThrough();
    expect(diary.over).toEqual([call]);
    const { commits } = await journal.read('call1');
    expect(commits.at(-1)?.entries.at(-1)?.type).toBe('call.ended');
  });

  it('performs what was owed before it says so', async () => {
    const { call, diary, letThrough } = gatedCall();
    const order: string[] = [];
    diary.onPerform = ({ command }) => order.push(`${command.type}, over: ${diary.over.length}`);
    call.signalAll([...quietCall(), carrierReported('completed'), callEnded].map((entry) => ({ entry })));
    await letThrough();
    expect(order.at(-1)).toBe('concludeCall, over: 0');
  });
});

describe('a call that was let go', () => {
  it('writes and performs nothing more, and tells those who wait', async () => {
    const { call, diary, appends, clock, letThrough } = gatedCall();
    call.signalAll(firstSignals);
    const waiting = expect(call.durable()).rejects.toMatchObject({ code: 'call.released' });
    call.stop();
    await waiting;
    await expect(call.durable()).rejects.toMatchObject({ code: 'call.released' });
    await letThrough();
    signalAll(call, modelOpened());
    expect(diary.performed).toEqual([]);
    expect(appends).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('performs no further command where one of them let it go', async () => {
    const { call, diary, letThrough } = gatedCall();
    call.signalAll(quietCall().map((entry) => ({ entry })));
    diary.onPerform = ({ command }) => {
      if (command.type === 'openModel') call.stop();
    };
    const before = diary.performed.length;
    await letThrough();
    expect(diary.performed.slice(before).map(({ command }) => command.type)).toEqual(['openModel']);
  });
});
