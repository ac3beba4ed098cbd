/** Lists of calls: pages of all there are, and the live ones as they change. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryJournal } from '../../../src/adapters/journal/memory.ts';
import { RetryError } from '../../../src/runtime/ports/errors.ts';
import type { CallListQuery, Journal } from '../../../src/runtime/ports/journal.ts';
import type { CallSummary } from '../../../src/runtime/ports/operator.ts';
import { CallList, liveEveryMs } from '../../../src/service/console/call-list.ts';
import { retryMs } from '../../../src/service/console/call-watcher.ts';
import { callerNumber, callSid, Rig, shopNumber } from '../rig.ts';

let rig: Rig;
let list: CallList;
let asked: CallListQuery[];
let payloadReads: string[];
let followers: number;
let isAway: boolean;
let troubles: unknown[];
beforeEach(() => {
  rig = new Rig();
  [asked, payloadReads, troubles] = [[], [], []];
  followers = 0;
  isAway = false;
  const inner = openMemoryJournal(rig.store, { clock: rig.clock });
  const journal: Journal = Object.assign(Object.create(inner), {
    list: (query: CallListQuery) => {
      asked.push(query);
      return isAway ? Promise.reject(new RetryError('journal.unavailable', '')) : inner.list(query);
    },
    readPayloads: (callId: string) => {
      payloadReads.push(callId);
      return inner.readPayloads(callId);
    },
    follow: (callId: string | null, listener: () => void) => {
      followers += 1;
      const stop = inner.follow(callId, listener);
      return () => {
        followers -= 1;
        stop();
      };
    },
  });
  list = new CallList({
    journal: async () => journal,
    clock: rig.clock,
    figuresOf: (callId) => (callId === callSid(1) ? { latencyMs: 640, recoveries: 2 } : null),
    onTrouble: (error) => troubles.push(error),
  });
});
afterEach(() => list.stop());

const refused = { type: 'input.refused', peer: 'carrier', kind: 'message.malformed' } as const;

function watch(): { told: CallSummary[][]; stop: () => void } {
  const told: CallSummary[][] = [];
  return { told, stop: list.watch((calls) => told.push(calls)) };
}

describe('the live calls', () => {
  it('are told at once, with their parties, state and what this process knows of them', async () => {
    await rig.open().begin();
    const { told } = watch();
    await rig.settle();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject([
      {
        callId: callSid(1),
        from: callerNumber,
        to: shopNumber,
        owner: 'one',
        endedAt: null,
        stateText: 'live: carrier streaming, model ready, media flowing, turn listening',
        latencyMs: 640,
        recovering: false,
        recoveries: 2,
      },
    ]);
  });

  it('are told to recover while something is being brought back', async () => {
    const one = rig.open();
    const { line } = await one.begin();
    const { told } = watch();
    await rig.settle();
    line.drops();
    await rig.clock.advance(2 * liveEveryMs);
    expect(told.map(([call]) => call?.recovering)).toEqual([false, true]);
    await one.connect(await one.askNext());
    await rig.clock.advance(2 * liveEveryMs);
    expect(told.at(-1)?.[0]?.recovering).toBe(false);
  });

  it('are told when they change, and at most four times a second', async () => {
    const one = rig.open();
    await one.answer();
    const { told } = watch();
    await rig.clock.advance(4 * liveEveryMs);
    const before = told.length;
    const write = () => one.assembly.registry.get(callSid())?.signal({ entry: refused });
    write();
    await rig.written();
    expect(told.length).toBe(before + 1);
    for (let times = 0; times < 20; times++) {
      write();
      await rig.clock.advance(liveEveryMs / 10);
    }
    await rig.clock.advance(liveEveryMs);
    expect(told.length - before).toBeLessThanOrEqual(4);
    expect(told.at(-1)?.[0]?.lastSeq).toBe((await one.row())?.lastSeq);
  });

  it('are not told again while nothing has changed, nor read while nothing is written', async () => {
    await rig.open().answer();
    await rig.clock.advance(1_000);
    const { told } = watch();
    await rig.clock.advance(10 * liveEveryMs);
    expect(told).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  it('come and go, and who is in them is read once', async () => {
    const one = rig.open();
    await one.begin(callSid(1));
    const { told } = watch();
    await rig.clock.advance(liveEveryMs);
    const { line } = await one.begin(callSid(2));
    await rig.clock.advance(liveEveryMs);
    expect(told.at(-1)?.map(({ callId }) => callId)).toEqual([callSid(2), callSid(1)]);
    line.ends();
    await one.report('completed', 'over', callSid(2));
    await rig.clock.advance(1_000);
    expect(told.at(-1)?.map(({ callId }) => callId)).toEqual([callSid(1)]);
    expect(payloadReads.filter((callId) => callId === callSid(1))).toHaveLength(1);
  });

  it('are read once for all who watch, whoever comes later', async () => {
    await rig.open().begin();
    const first = watch();
    await rig.settle();
    const second = watch();
    expect(second.told).toEqual(first.told);
    expect(asked).toHaveLength(1);
    expect(followers).toBe(1);
  });

  it('are tried again where the journal does not answer', async () => {
    await rig.open().begin();
    isAway = true;
    const { told } = watch();
    await rig.clock.advance(retryMs);
    expect(told).toEqual([]);
    expect(troubles.length).toBeGreaterThan(0);
    isAway = false;
    await rig.clock.advance(retryMs);
    expect(told).toHaveLength(1);
  });

  it('leave nothing behind when nobody watches any more', async () => {
    await rig.open().begin();
    const timers = rig.clock.pendingTimers;
    const first = watch();
    const second = watch();
    await rig.settle();
    first.stop();
    expect(followers).toBe(1);
    second.stop();
    expect([followers, rig.clock.pendingTimers]).toEqual([0, timers]);
    const third = watch();
    third.stop();
    await rig.clock.advance(1_000);
    expect(followers).toBe(0);
    expect(third.told).toEqual([]);
    expect(rig.clock.pendingTimers).toBeLessThanOrEqual(timers);
  });
});

describe('all calls', () => {
  it('come in pages, newest first, each once', async () => {
    const one = rig.open();
    for (let number = 1; number <= 7; number++) {
      await one.answer(callSid(number));
      await rig.clock.advance(10);
    }
    const ids: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await list.page({ limit: 3, ...(cursor ? { cursor } : {}) });
      ids.push(...page.calls.map(({ callId }) => callId));
      cursor = page.cursor ?? undefined;
      pages += 1;
    } while (cursor !== undefined);
    expect(ids).toEqual([7, 6, 5, 4, 3, 2, 1].map(callSid));
    expect(pages).toBe(3);
  });

  it('are filtered by the journal', async () => {
    await rig.open().answer();
    await list.page({ live: true, direction: 'incoming', text: 'bike', startedAfter: 5, limit: 10 });
    expect(asked.at(-1)).toEqual({
      live: true,
      direction: 'incoming',
      text: 'bike',
      startedAfter: 5,
      limit: 11,
    });
  });

  it.each(['nonsense', Buffer.from('{"startedAt":"x"}').toString('base64url')])(
    'are not continued from a cursor that is none: %s',
    async (cursor) => {
      await expect(list.page({ cursor })).rejects.toMatchObject({ code: 'command.invalid' });
    },
  );
});
