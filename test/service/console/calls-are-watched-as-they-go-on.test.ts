/** Pages that watch a call are told of each commit, whichever process wrote it, and nothing is left when they go. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryJournal } from '../../../src/adapters/journal/memory.ts';
import { RetryError } from '../../../src/runtime/ports/errors.ts';
import type { Journal } from '../../../src/runtime/ports/journal.ts';
import type { CallPatch, CallView } from '../../../src/runtime/ports/operator.ts';
import { retryMs } from '../../../src/service/console/call-watcher.ts';
import { CallWatchers, lingerMs } from '../../../src/service/console/call-watchers.ts';
import { LocalSteps, mostSteps } from '../../../src/service/console/local-steps.ts';
import { callSid, type Process, Rig } from '../rig.ts';
import { applyPatch } from './support/apply-patch.ts';

let rig: Rig;
let journal: Journal;
let watchers: CallWatchers;
/** Reads of the log, by the entry after which they asked. */
let reads: number[];
let followers: number;
let isAway: boolean;
/** How late news come: SQLite looks every 20 ms. */
let newsAfterMs: number;
/** The console is one of this process. */
let home: Process | null;
beforeEach(() => {
  rig = new Rig();
  home = null;
  journal = openMemoryJournal(rig.store, { clock: rig.clock });
  reads = [];
  followers = 0;
  isAway = false;
  newsAfterMs = 0;
  const local = new LocalSteps({
    watchSteps: (callId, listener) => home?.assembly.live.watchSteps(callId, listener) ?? (() => undefined),
    durableSeqOf: (callId) => home?.assembly.registry.get(callId)?.durableSeq ?? null,
  });
  const { clock } = rig;
  watchers = new CallWatchers({ journal: async () => watched(journal), clock, isDrawn: () => true, local });
});
afterEach(() => watchers.stop());

function watched(inner: Journal): Journal {
  return {
    ...inner,
    list: (query) => inner.list(query),
    readPayloads: (callId) => inner.readPayloads(callId),
    readAfter: (callId, seq, limit) => {
      reads.push(seq);
      if (isAway) return Promise.reject(new RetryError('journal.unavailable', ''));
      return inner.readAfter(callId, seq, limit);
    },
    follow: (callId, listener) => {
      followers += 1;
      const tell = (): void =>
        newsAfterMs === 0 ? listener() : void rig.clock.setTimeout(listener, newsAfterMs);
      const stop = inner.follow(callId, tell);
      return () => {
        followers -= 1;
        stop();
      };
    },
  };
}

class Page {
  view: CallView;
  readonly patches: CallPatch[] = [];
  readonly failures: unknown[] = [];
  readonly stop: () => void;

  constructor(view: CallView, callId = callSid()) {
    this.view = view;
    this.stop = watchers.watch(callId, view.call.lastSeq, {
      patch: (patch) => {
        this.patches.push(patch);
        this.view = applyPatch(this.view, patch);
      },
      failed: (error) => this.failures.push(error),
    });
  }

  static async open(callId = callSid()): Promise<Page> {
    return new Page(await watchers.read(callId), callId);
  }
}

const places: [string, (process: Process) => void][] = [
  [
    'here',
    (process) => {
      home = process;
    },
  ],
  ['elsewhere', () => undefined],
];

describe.each(places)('a page on a call that is live %s', (place, isAt) => {
  it('is told of each commit without a moment passing, and shows what a new page shows', async () => {
    const one = rig.open();
    isAt(one);
    await one.answer();
    await rig.settle();
    const page = await Page.open();
    const line = await one.connect(await one.askNext());
    await rig.clock.advance(100);
    one.model.session.says('greeting', 'Hello, this is the clerk.', 1_000);
    expect(line).not.toBeNull();
    for (let step = 0; step < 12; step++) {
      await rig.clock.advance(100);
      // Whoever reads comes after those who were told before.
      await watchers.read(callSid());
      const seq = (await one.row())?.lastSeq;
      expect(page.view.call.lastSeq).toBe(seq);
      expect(page.view.steps.length).toBe(seq);
    }
    expect(page.view).toEqual(await watchers.read(callSid()));
    expect(page.view.lines.map(({ who, text }) => [who, text])).toEqual([
      ['agent', 'Hello, this is the clerk.'],
    ]);
  });

  it('goes on with the call in another process', async () => {
    const one = rig.open('one');
    const two = rig.open('two');
    isAt(one);
    const { line } = await one.begin();
    const page = await Page.open();
    one.dies();
    line.ends();
    await two.connect(await two.askNext());
    await rig.clock.advance(200);
    await watchers.read(callSid());
    expect(page.view.call.owner).toBe('two');
    expect(page.view.call.lastSeq).toBe((await two.row())?.lastSeq);
    expect(page.view.recoveries.map(({ rung }) => rung)).toContain('process');
    expect(page.view.troubles.map(({ title, cause }) => `${title}: ${cause}`)).toContain(
      'The call left the process one: its new stream came to two',
    );
  });

  it('shares the reading with every other page on the call', async () => {
    const one = rig.open();
    isAt(one);
    await one.begin();
    const pages = [await Page.open(), await Page.open(), await Page.open()];
    await rig.settle();
    newsAfterMs = 20;
    const before = reads.length;
    one.model.session.callerStarts('item1');
    await rig.written();
    await rig.clock.advance(newsAfterMs);
    // What this process has written is not read again.
    expect(reads.length - before).toBeLessThanOrEqual(place === 'here' ? 0 : 2);
    await watchers.read(callSid());
    expect(followers).toBe(1);
    for (const { patches } of pages)
      expect(patches.at(-1)?.steps.map(({ entry }) => entry.type)).toEqual(['caller.startedSpeaking']);
  });

  it('that comes back is told only what it has missed', async () => {
    const one = rig.open();
    isAt(one);
    await one.begin();
    const page = await Page.open();
    page.stop();
    one.model.session.callerStarts('item1');
    await rig.written();
    expect(page.patches).toEqual([]);
    const again = new Page(page.view);
    await rig.settle();
    await watchers.read(callSid());
    expect(again.patches.map(({ steps }) => steps.length)).toEqual([1]);
    expect(again.view).toEqual(await watchers.read(callSid()));
  });
});

describe('a journal that does not answer', () => {
  it('is told to the page once, and asked again until it does', async () => {
    const one = rig.open();
    await one.begin();
    const page = await Page.open();
    await rig.settle();
    isAway = true;
    one.model.session.callerStarts('item1');
    await rig.written();
    expect(page.failures).toMatchObject([{ code: 'journal.unavailable' }]);
    await rig.clock.advance(3 * retryMs);
    expect(page.failures).toHaveLength(1);
    isAway = false;
    await rig.clock.advance(retryMs);
    await watchers.read(callSid());
    expect(page.view.call.lastSeq).toBe((await one.row())?.lastSeq);
    expect(page.view).toEqual(await watchers.read(callSid()));
    isAway = true;
    one.model.session.callerStops('item1', 'Hello?');
    await rig.written();
    expect(page.failures).toHaveLength(2);
  });
});

describe('a call that there is not', () => {
  it('is refused to whoever reads it, and told to whoever watches it', async () => {
    await expect(watchers.read('CA-none')).rejects.toMatchObject({ code: 'call.unknown' });
    const failures: unknown[] = [];
    const stop = watchers.watch('CA-none', 0, {
      patch: () => expect.unreachable(),
      failed: (error) => failures.push(error),
    });
    await rig.settle();
    expect(failures).toMatchObject([{ code: 'call.unknown' }]);
    stop();
  });
});

describe('nothing is left', () => {
  it('of a call that nobody has looked at for a while', async () => {
    await rig.open().begin();
    const timers = rig.clock.pendingTimers;
    const page = await Page.open();
    await rig.settle();
    page.stop();
    await rig.clock.advance(lingerMs - 1);
    expect([watchers.size, followers]).toEqual([1, 1]);
    await rig.clock.advance(1);
    expect([watchers.size, followers]).toEqual([0, 0]);
    expect(rig.clock.pendingTimers).toBeLessThanOrEqual(timers);
  });

  it('of pages that went before the journal was open', async () => {
    await rig.open().begin();
    const stop = watchers.watch(callSid(), 0, {
      patch: () => expect.unreachable(),
      failed: () => expect.unreachable(),
    });
    stop();
    await rig.clock.advance(lingerMs);
    expect([watchers.size, followers]).toEqual([0, 0]);
  });

  it('once the console is closed, and nothing is told any more', async () => {
    const one = rig.open();
    await one.begin();
    const page = await Page.open();
    await rig.settle();
    watchers.stop();
    one.model.session.callerStarts('item1');
    await rig.clock.advance(1_000);
    expect(page.patches).toEqual([]);
    expect([watchers.size, followers]).toEqual([0, 0]);
    await watchers.read(callSid()).catch(() => undefined);
    expect([watchers.size, followers]).toEqual([0, 0]);
  });
});

describe('the steps of a call that lives here', () => {
  const opened = (process: Process) => {
    home = process;
    return new LocalSteps({
      watchSteps: (callId, listener) => process.assembly.live.watchSteps(callId, listener),
      durableSeqOf: (callId) => process.assembly.registry.get(callId)?.durableSeq ?? null,
    });
  };
  const seqs = (steps: LocalSteps, after: number) =>
    steps.after(callSid(), after).map(({ entry }) => entry.seq);
  const write = (process: Process, times = 1): void => {
    for (let time = 0; time < times; time++)
      process.assembly.registry
        .get(callSid())
        ?.signal({ entry: { type: 'input.refused', peer: 'carrier', kind: 'message.malformed' } });
  };

  it('are handed out once they are durable, without a gap, and only while somebody follows', async () => {
    let isStalled = false;
    const one = rig.open('one', {
      beforeAppend: () => (isStalled ? new Promise(() => undefined) : 'store'),
    });
    const steps = opened(one);
    await one.answer();
    await rig.clock.advance(100);
    const last = (await one.row())?.lastSeq ?? 0;
    write(one);
    expect(seqs(steps, last)).toEqual([]);
    const stop = steps.follow(callSid());
    await rig.written();
    write(one, 2);
    expect(seqs(steps, last + 1)).toEqual([]);
    await rig.written();
    expect(seqs(steps, last + 1)).toEqual([last + 2, last + 3]);
    expect(seqs(steps, last)).toEqual([]);
    isStalled = true;
    write(one);
    await rig.written();
    expect(seqs(steps, last + 3)).toEqual([]);
    stop();
    expect(seqs(steps, last + 1)).toEqual([]);
  });

  it('are of one life of the call here: what was lost with a conflict is never shown', async () => {
    let stall: Promise<'store'> | 'store' = 'store';
    const one = rig.open('one', { beforeAppend: () => stall });
    const two = rig.open('two');
    const steps = opened(one);
    await one.answer();
    await rig.clock.advance(100);
    const stop = steps.follow(callSid());
    const last = (await one.row())?.lastSeq ?? 0;
    const { promise, resolve } = Promise.withResolvers<'store'>();
    stall = promise;
    write(one);
    one.assembly.registry.get(callSid())?.flush();
    await two.assembly.registry.claim(callSid(), { why: 'orphan' }, []);
    stall = 'store';
    resolve('store');
    await rig.clock.advance(100);
    expect(one.assembly.registry.get(callSid())).toBeUndefined();
    expect(seqs(steps, last)).toEqual([]);
    await one.assembly.registry.claim(callSid(), { why: 'orphan' }, []);
    await rig.clock.advance(100);
    expect(seqs(steps, last)).toEqual([]);
    const back = steps.after(callSid(), last + 1);
    expect(back[0]?.entry).toMatchObject({ seq: last + 2, type: 'owner.claimed', instance: 'one' });
    stop();
  });

  it('are bounded', async () => {
    const one = rig.open();
    const steps = opened(one);
    await one.answer();
    await rig.clock.advance(100);
    steps.follow(callSid());
    const last = (await one.row())?.lastSeq ?? 0;
    write(one, mostSteps + 5);
    await rig.written();
    expect(seqs(steps, last)).toEqual([]);
    expect(seqs(steps, last + 5)).toHaveLength(mostSteps);
  });
});
