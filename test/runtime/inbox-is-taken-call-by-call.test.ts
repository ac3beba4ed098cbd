/** B1 to B3: each signal once, in order within its call, whatever becomes of other calls and of other signals. */
import { describe, expect, it } from 'vitest';
import { type AppendFate, createMemoryStore } from '../../src/adapters/journal/memory.ts';
import type { Json } from '../../src/runtime/ports/journal.ts';
import type { Signal } from '../../src/runtime/ports/signal.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { answered } from '../machines/support/facts.ts';
import { createdSignal, type Process, startProcess } from './support/process.ts';

const requested = (attempt: number): Signal => ({ entry: { type: 'stream.requested', attempt } });

async function attemptsOf({ journal }: Process, callId = 'call1'): Promise<unknown[]> {
  const { commits } = await journal.read(callId, { fromStart: true });
  return commits.flatMap(({ entries }) =>
    entries.flatMap(({ type, attempt }) => (type === 'stream.requested' ? [attempt] : [])),
  );
}

/** Appends of the calls in `stalled` wait until they are let go. */
function twoProcesses() {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const stalled = new Map<string, PromiseWithResolvers<AppendFate>>();
  const fate = (callId: string) => stalled.get(callId)?.promise ?? 'store';
  const one = startProcess('one', store, clock, fate);
  const two = startProcess('two', store, clock);
  const create = (callId = 'call1') => one.registry.create(callId, createdSignal(), [answered]);
  const stall = (callId: string) => stalled.set(callId, Promise.withResolvers());
  const release = (callId: string) => {
    stalled.get(callId)?.resolve('store');
    stalled.delete(callId);
  };
  return { clock, one, two, create, stall, release };
}

/** Something that is put past `deliver`, as a process of another version might. */
const put = ({ journal }: Process, id: string, signal: Json, callId = 'call1') =>
  journal.put({ id, callId, signal });

describe('a call whose log takes nothing', () => {
  it('keeps no other call from its signals, and gets its own in order and once when it does', async () => {
    const { clock, one, two, create, stall, release } = twoProcesses();
    await create('call1');
    await create('call2');
    one.registry.watchInbox();
    stall('call1');
    for (const attempt of [1, 2, 3]) {
      await two.registry.deliver('call1', requested(attempt), `call1:${attempt}`);
      await clock.advance(10);
    }
    for (const attempt of [1, 2]) await two.registry.deliver('call2', requested(attempt), `call2:${attempt}`);
    await clock.advance(10);
    expect(await attemptsOf(one, 'call2')).toEqual([1, 2]);
    expect(await attemptsOf(one, 'call1')).toEqual([]);

    release('call1');
    await two.registry.deliver('call1', requested(4), 'call1:4');
    await clock.advance(10);
    expect(await attemptsOf(one, 'call1')).toEqual([1, 2, 3, 4]);
    expect(await one.journal.pending('one')).toEqual([]);
    expect(one.diary.lost).toEqual([]);
  });

  it('has at most one signal at a time on its way', async () => {
    const { clock, one, two, create, stall } = twoProcesses();
    const call = await create();
    one.registry.watchInbox();
    stall('call1');
    for (let attempt = 1; attempt <= 50; attempt++)
      await two.registry.deliver('call1', requested(attempt), `key${attempt}`);
    await clock.advance(10);
    expect(call.state.seq).toBe(4);
  });
});

describe('a signal', () => {
  it('is not taken again where a reading that began before shows it once more', async () => {
    const { clock, one, two, create } = twoProcesses();
    await create();
    const pending = one.journal.pending.bind(one.journal);
    let delayMs = 0;
    one.journal.pending = async (owner) => {
      const signals = await pending(owner);
      await new Promise<void>((resolve) => clock.setTimeout(resolve, delayMs));
      return signals;
    };
    one.registry.watchInbox();
    await clock.advance(1);
    const append = one.journal.append.bind(one.journal);
    one.journal.append = async (commit) => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 20));
      await append(commit);
    };
    await two.registry.deliver('call1', requested(1), 'first');
    await clock.advance(1);
    // This reading sees the first one, and ends only when its entry is long durable.
    delayMs = 100;
    await two.registry.deliver('call1', requested(2), 'second');
    await clock.advance(500);
    expect(await attemptsOf(one)).toEqual([1, 2]);
    expect(one.diary.lost).toEqual([]);
  });

  it('comes to the call again where the call left before it was in the log, and came back', async () => {
    const { clock, one, two, create, stall, release } = twoProcesses();
    await create();
    one.registry.watchInbox();
    stall('call1');
    await two.registry.deliver('call1', requested(1), 'first');
    await two.registry.deliver('call1', requested(2), 'second');
    await clock.advance(10);
    await two.registry.claim('call1', { why: 'orphan' }, []);
    release('call1');
    await clock.advance(100);
    expect(one.diary.lost).toHaveLength(1);
    expect(await attemptsOf(one)).toEqual([]);
    await one.registry.claim('call1', { why: 'orphan' }, []);
    await clock.advance(10);
    expect(await attemptsOf(one)).toEqual([1, 2]);
  });
});

describe('a signal that can be no entry', () => {
  const strangers: [string, Json][] = [
    ['of an unknown type', { entry: { type: 'no.such' } }],
    ['with a wrong field', { entry: { type: 'stream.requested', attempt: 'x' } }],
    ['without an entry', { payloads: {} }],
    ['with payloads that are none', { entry: { type: 'stream.requested', attempt: 9 }, payloads: null }],
    ['that is nothing', null],
    ['that is a word', 'stream.requested'],
  ];

  it.each(strangers)('%s is told of once, however often the inbox is read', async (_, signal) => {
    const { clock, one, two, create } = twoProcesses();
    const call = await create();
    one.registry.watchInbox();
    await put(two, 'stranger', signal);
    for (const attempt of [1, 2, 3]) {
      await two.registry.deliver('call1', requested(attempt), `key${attempt}`);
      await clock.advance(10);
    }
    expect(one.diary.refused).toHaveLength(1);
    expect(await attemptsOf(one)).toEqual([1, 2, 3]);
    expect(call.state.seq).toBe(6);
    expect((await one.journal.pending('one')).map(({ id }) => id)).toEqual(['stranger']);
  });

  it('and that is a timer which is not due is left alone as well', async () => {
    const { clock, one, two, create } = twoProcesses();
    const call = await create();
    one.registry.watchInbox();
    await put(two, 'stranger', { entry: { type: 'timer.elapsed', timer: 'none' } });
    await two.registry.deliver('call1', requested(1), 'first');
    await clock.advance(10);
    expect(call.state.seq).toBe(4);
  });

  it('is not told of again by the next owner that is the same, but by another one', async () => {
    const { clock, one, two, create } = twoProcesses();
    await create();
    one.registry.watchInbox();
    two.registry.watchInbox();
    await put(two, 'stranger', { entry: { type: 'no.such' } });
    await clock.advance(10);
    await two.registry.claim('call1', { why: 'orphan' }, []);
    await clock.advance(10);
    expect([one.diary.refused.length, two.diary.refused.length]).toEqual([1, 1]);
  });
});
