import { describe, expect, it } from 'vitest';
import {
  type AppendFate,
  createMemoryStore,
  type MemoryJournalOptions,
} from '../../src/adapters/journal/memory.ts';
import { RetryError } from '../../src/runtime/ports/errors.ts';
import type { Signal } from '../../src/runtime/ports/signal.ts';
import { freeze } from '../../src/runtime/step.ts';
import { lingerMs } from '../../src/runtime/writer.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import {
  answered,
  callEnded,
  callerStarts,
  carrierReported,
  modelOpened,
  streamStarted,
} from '../machines/support/facts.ts';
import { createdSignal, type Process, startProcess } from './support/process.ts';

function twoProcesses(beforeAppend?: MemoryJournalOptions['beforeAppend']) {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const one = startProcess('one', store, clock, beforeAppend);
  const two = startProcess('two', store, clock, beforeAppend);
  return { clock, store, one, two };
}

const created = ({ registry }: Process) => registry.create('call1', createdSignal(), [answered]);
const entryTypes = async ({ journal }: Process): Promise<string[]> =>
  (await journal.read('call1', { fromStart: true })).commits.flatMap(({ entries }) =>
    entries.map(({ type }) => type),
  );
const statusSignal: Signal = { entry: carrierReported('in-progress') };

describe('a call that is created', () => {
  it('lives here once its first entries are durable, in one commit', async () => {
    const { one } = twoProcesses();
    const call = await created(one);
    expect(one.registry.get('call1')).toBe(call);
    expect(one.registry.size).toBe(1);
    expect([...one.registry.calls()]).toEqual([call]);
    const { commits } = await one.journal.read('call1');
    expect(commits).toHaveLength(1);
    expect(await entryTypes(one)).toEqual(['call.created', 'owner.claimed', 'call.answered']);
    expect(call.row.owner).toBe('one');
  });

  it('is a duplicate where it lives here already, and goes on living', async () => {
    const { one } = twoProcesses();
    const call = await created(one);
    await expect(created(one)).rejects.toMatchObject({ code: 'call.exists' });
    expect(one.registry.get('call1')).toBe(call);
    expect(call.stopped).toBe(false);
  });

  it('is a duplicate where another process was quicker', async () => {
    const { one, two } = twoProcesses();
    const outcomes = await Promise.allSettled([created(one), created(two)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'call.exists' } });
    expect([one.registry.size, two.registry.size]).toEqual([1, 0]);
    expect(two.diary.commands).toEqual([]);
  });

  it('can be abandoned while the journal stalls: nothing comes of it here', async () => {
    const { clock, one } = twoProcesses(() => new Promise<AppendFate>(() => undefined));
    const creating = expect(created(one)).rejects.toMatchObject({ code: 'call.released' });
    one.registry.abandon('call1');
    await creating;
    expect(one.registry.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    one.registry.abandon('nobody');
  });

  it('leaves the registry when it is over (I4)', async () => {
    const { clock, one } = twoProcesses();
    const call = await created(one);
    call.signal({ entry: carrierReported('completed') });
    call.signal({ entry: callEnded });
    await clock.advance(0);
    expect(one.registry.size).toBe(0);
    expect(one.diary.over).toEqual([call]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a call that is claimed', () => {
  it('comes to the process that claims it, with what came with the claim in one commit', async () => {
    const { one, two } = twoProcesses();
    await created(one);
    const claim = { why: 'stream', attempt: 1 } as const;
    const call = await two.registry.claim('call1', claim, [{ entry: streamStarted(1) }]);
    expect(two.registry.get('call1')).toBe(call);
    expect(call?.row).toMatchObject({ owner: 'two', startedAt: expect.any(Number), direction: 'incoming' });
    const { commits } = await one.journal.read('call1');
    expect(commits.at(-1)?.entries.map(({ type }) => type)).toEqual(['owner.claimed', 'stream.started']);
    expect(two.diary.commands).toEqual(['joinStream call1/5/0', 'openModel call1/4/0']);
  });

  it('lives here already where this process owns it', async () => {
    const { one } = twoProcesses();
    const call = await created(one);
    expect(await one.registry.claim('call1', { why: 'stream', attempt: 1 }, [])).toBe(call);
    expect(call.state.snapshot.context.stream.attempt).toBe(1);
    expect(one.diary.commands).toEqual(['openModel call1/3/0']);
  });

  it('is read and claimed again where another claim was quicker', async () => {
    const { one, two, store, clock } = twoProcesses();
    const three = startProcess('three', store, clock);
    await created(one);
    const claims = await Promise.all(
      [two, three].map(({ registry }) => registry.claim('call1', { why: 'orphan' }, [])),
    );
    expect(claims.every((call) => call !== null)).toBe(true);
    expect(await entryTypes(one)).toEqual([
      'call.created',
      'owner.claimed',
      'call.answered',
      'owner.claimed',
      'owner.claimed',
    ]);
    expect(claims.filter((call) => !call?.stopped)).toHaveLength(2);
    claims[0]?.signal({ entry: callerStarts });
    await clock.advance(lingerMs);
    expect(claims.filter((call) => !call?.stopped)).toHaveLength(1);
  });

  it('is claimed once by two claims of one process that come together', async () => {
    const { one, two } = twoProcesses();
    await created(one);
    const mayClaim = (state: { snapshot: { context: { stream: { attempt: number } } } }): boolean =>
      state.snapshot.context.stream.attempt < 1;
    const claim = { why: 'stream', attempt: 1 } as const;
    const claims = await Promise.all([1, 2].map(() => two.registry.claim('call1', claim, [], mayClaim)));
    expect(claims.filter((call) => call !== null)).toHaveLength(1);
    expect(two.registry.get('call1')).toBe(claims.find((call) => call !== null));
    expect((await entryTypes(one)).filter((type) => type === 'owner.claimed')).toHaveLength(2);
  });

  it('does not come to live here where the claim is refused, whoever its owner is', async () => {
    const { one, two, store, clock } = twoProcesses();
    await created(one);
    expect(await two.registry.claim('call1', { why: 'orphan' }, [], () => false)).toBeNull();
    expect(two.registry.size).toBe(0);
    const restarted = startProcess('one', store, clock);
    expect(await restarted.registry.claim('call1', { why: 'restarted' }, [], () => false)).toBeNull();
    expect(restarted.registry.size).toBe(0);
    expect(await entryTypes(one)).toHaveLength(3);
  });

  it('lives on where a second claim is refused', async () => {
    const { one } = twoProcesses();
    const call = await created(one);
    expect(await one.registry.claim('call1', { why: 'stream', attempt: 1 }, [], () => false)).toBeNull();
    expect(one.registry.get('call1')).toBe(call);
    expect(call.stopped).toBe(false);
  });

  it('must be one that there is', async () => {
    const { one } = twoProcesses();
    await expect(one.registry.claim('nobody', { why: 'orphan' }, [])).rejects.toMatchObject({
      code: 'call.unknown',
    });
  });

  it('fails where the journal cannot be read', async () => {
    const { one, two } = twoProcesses();
    await created(one);
    two.journal.read = () => Promise.reject(new RetryError('journal.unavailable', ''));
    await expect(two.registry.claim('call1', { why: 'orphan' }, [])).rejects.toMatchObject({
      code: 'journal.unavailable',
    });
    expect(two.registry.size).toBe(0);
  });

  it('is given up where other claims are always quicker', async () => {
    const { one, two } = twoProcesses();
    await created(one);
    const { append } = two.journal;
    let others = 0;
    two.journal.append = async (commit) => {
      others++;
      one.registry.get('call1')?.signal({ entry: callerStarts });
      await one.registry.get('call1')?.durable();
      return append.call(two.journal, commit);
    };
    await expect(two.registry.claim('call1', { why: 'orphan' }, [])).rejects.toMatchObject({
      code: 'journal.unavailable',
    });
    expect(others).toBe(20);
    expect(two.registry.size).toBe(0);
  });

  it('has no owner any more where it is over', async () => {
    const { clock, one, two } = twoProcesses();
    const call = await created(one);
    call.signal({ entry: carrierReported('completed') });
    call.signal({ entry: callEnded });
    await clock.advance(0);
    await two.registry.claim('call1', { why: 'orphan' }, []);
    expect((await one.journal.list({ callId: 'call1' }))[0]).toMatchObject({ owner: null });
    expect(two.registry.size).toBe(0);
    expect(two.diary.commands).toEqual([]);
  });

  it('fails where this process stops meanwhile', async () => {
    const { one, two } = twoProcesses();
    await created(one);
    const claiming = two.registry.claim('call1', { why: 'orphan' }, []);
    const failed = expect(claiming).rejects.toMatchObject({ code: 'call.released' });
    for (let turns = 0; turns < 50 && two.registry.size === 0; turns++) await Promise.resolve();
    two.registry.stop();
    await failed;
  });
});

describe('a call that is read', () => {
  it('is the living one here, and the folded one elsewhere', async () => {
    const { one, two } = twoProcesses();
    const call = await created(one);
    call.signal({ entry: modelOpened() });
    await call.durable();
    expect(await one.registry.read('call1')).toBe(call.state);
    const folded = await two.registry.read('call1');
    expect(folded && freeze(folded)).toEqual(freeze(call.state));
    expect(two.registry.size).toBe(0);
    expect(await one.registry.read('nobody')).toBeNull();
  });
});

describe('the inbox', () => {
  it('brings a signal to the process where the call lives, once, by any process', async () => {
    const { clock, one, two } = twoProcesses();
    await created(one);
    one.registry.watchInbox();
    await two.registry.deliver('call1', statusSignal, 'status:1');
    await two.registry.deliver('call1', statusSignal, 'status:1');
    await clock.advance(0);
    expect((await entryTypes(one)).filter((type) => type === 'carrier.reported')).toHaveLength(1);
    expect(await one.journal.pending('one')).toEqual([]);
  });

  it('keeps the order', async () => {
    const { clock, one, two } = twoProcesses();
    const call = await created(one);
    one.registry.watchInbox();
    for (let attempt = 1; attempt <= 5; attempt++)
      await two.registry.deliver('call1', { entry: { type: 'stream.requested', attempt } }, `key${attempt}`);
    await clock.advance(0);
    const attempts = one.diary.entries.flatMap((entry) =>
      entry.type === 'stream.requested' ? [entry.attempt] : [],
    );
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    expect(call.state.seq).toBe(8);
  });

  it('brings what was put before anybody watched', async () => {
    const { clock, one, two } = twoProcesses();
    await created(one);
    await two.registry.deliver('call1', statusSignal, 'status:1');
    one.registry.watchInbox();
    one.registry.watchInbox();
    await clock.advance(0);
    expect((await entryTypes(one)).filter((type) => type === 'carrier.reported')).toHaveLength(1);
  });

  it('brings it to whoever claims the call next, at once', async () => {
    const { clock, one, two } = twoProcesses();
    await created(one);
    two.registry.watchInbox();
    one.registry.stop();
    await one.registry.deliver('call1', statusSignal, 'status:1');
    await clock.advance(0);
    expect(await entryTypes(one)).toHaveLength(3);
    await two.registry.claim('call1', { why: 'orphan' }, []);
    await clock.advance(0);
    expect(await entryTypes(one)).toContain('carrier.reported');
    expect(two.diary.entries.map(({ type }) => type)).toEqual(['owner.claimed', 'carrier.reported']);
  });

  it('is read again where the journal did not answer', async () => {
    const { clock, one, two } = twoProcesses();
    await created(one);
    one.registry.watchInbox();
    await clock.advance(0);
    const pending = one.journal.pending.bind(one.journal);
    let failures = 2;
    one.journal.pending = (owner) =>
      failures-- > 0 ? Promise.reject(new RetryError('journal.unavailable', '')) : pending(owner);
    await two.registry.deliver('call1', statusSignal, 'status:1');
    await clock.advance(1_999);
    expect(await entryTypes(one)).not.toContain('carrier.reported');
    await clock.advance(1);
    expect(await entryTypes(one)).toContain('carrier.reported');
  });

  it('is read once more where a signal comes while it is being read, and never twice at a time', async () => {
    const { clock, one, two } = twoProcesses();
    await created(one);
    const pending = one.journal.pending.bind(one.journal);
    let reading = 0;
    let most = 0;
    one.journal.pending = async (owner) => {
      most = Math.max(most, ++reading);
      const signals = await pending(owner);
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 5));
      reading--;
      return signals;
    };
    one.registry.watchInbox();
    await clock.advance(2);
    for (const key of ['a', 'b', 'c']) await two.registry.deliver('call1', statusSignal, key);
    await clock.advance(20);
    expect(most).toBe(1);
    expect((await entryTypes(one)).filter((type) => type === 'carrier.reported')).toHaveLength(3);
  });

  it('leaves a signal to the next owner where the call is lost while it is taken in', async () => {
    const { clock, one, two } = twoProcesses();
    await created(one);
    await two.registry.claim('call1', { why: 'orphan' }, []);
    await two.registry.deliver('call1', statusSignal, 'status:1');
    const pending = await two.journal.pending('two');
    one.journal.pending = async () => pending;
    one.registry.watchInbox();
    await clock.advance(0);
    expect(one.diary.lost).toHaveLength(1);
    two.registry.watchInbox();
    await clock.advance(0);
    expect((await entryTypes(one)).filter((type) => type === 'carrier.reported')).toHaveLength(1);
  });

  it('is not held up by a call that ends with a signal while the journal is lost', async () => {
    let stalled = false;
    const { clock, one } = twoProcesses(() => (stalled ? new Promise<AppendFate>(() => undefined) : 'store'));
    const call = await created(one);
    one.registry.watchInbox();
    call.signal({ entry: streamStarted() });
    await clock.advance(0);
    stalled = true;
    call.signal({ entry: modelOpened() });
    await clock.advance(60_000);
    call.signal({ entry: carrierReported('completed') });
    await one.registry.deliver('call1', { entry: callEnded }, 'end');
    await clock.advance(0);
    expect(one.diary.over).toEqual([call]);
    stalled = false;
    const next = await one.registry.create('call2', createdSignal(), [answered]);
    await one.registry.deliver('call2', statusSignal, 'status:2');
    await clock.advance(0);
    expect(next.state.seq).toBe(4);
  });
});

describe('calls that end while the journal is lost', () => {
  it('leave no more to be written than is bounded: the oldest one is dropped', async () => {
    const gate = Promise.withResolvers<AppendFate>();
    let fate: AppendFate | Promise<AppendFate> = 'store';
    const { clock, one } = twoProcesses(() => fate);
    const names = Array.from({ length: 1_001 }, (_, index) => `call${index}`);
    const calls = await Promise.all(
      names.map((name) => one.registry.create(name, createdSignal(), [answered])),
    );
    fate = gate.promise;
    for (const call of calls) call.signal({ entry: streamStarted() });
    await clock.advance(61_000);
    for (const call of calls) call.signalAll([{ entry: carrierReported('completed') }, { entry: callEnded }]);
    expect(one.registry.size).toBe(0);
    expect(names.filter((name) => !one.registry.has(name))).toEqual(['call0']);
    gate.resolve('store');
    await clock.advance(1_000);
    expect(names.filter((name) => one.registry.has(name))).toEqual([]);
    const rows = await one.journal.list({ live: true, limit: 2_000 });
    expect(rows.map(({ callId }) => callId)).toEqual(['call0']);
  });
});

describe('a process that stops', () => {
  it('lets go of its calls with all that is known of them in their logs', async () => {
    const { clock, one } = twoProcesses();
    const call = await created(one);
    call.signal({ entry: modelOpened() });
    one.registry.stop();
    await clock.advance(0);
    expect((await entryTypes(one)).at(-1)).toBe('model.opened');
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets go of every call without a word, and listens no more', async () => {
    const { clock, one, two } = twoProcesses();
    const call = await created(one);
    one.registry.watchInbox();
    one.registry.stop();
    expect(one.registry.size).toBe(0);
    expect(call.stopped).toBe(true);
    await two.registry.deliver('call1', statusSignal, 'status:1');
    await clock.advance(60_000);
    expect(await entryTypes(one)).toHaveLength(3);
    expect(one.diary.over).toEqual([]);
    expect(one.diary.lost).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
