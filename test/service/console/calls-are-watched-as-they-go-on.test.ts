/** Pages that watch a call are told of each commit, whichever process wrote it, and nothing is left when they go. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryJournal } from '../../../src/adapters/journal/memory.ts';
import { RetryError } from '../../../src/runtime/ports/errors.ts';
import type { Journal } from '../../../src/runtime/ports/journal.ts';
import type { CallPatch, CallView } from '../../../src/runtime/ports/operator.ts';
import { retryMs } from '../../../src/service/console/call-watcher.ts';
import { CallWatchers, lingerMs } from '../../../src/service/console/call-watchers.ts';
import { callSid, Rig } from '../rig.ts';
import { applyPatch } from './support/apply-patch.ts';

let rig: Rig;
let journal: Journal;
let watchers: CallWatchers;
/** Reads of the log, by the entry after which they asked. */
let reads: number[];
let followers: number;
let isAway: boolean;
beforeEach(() => {
  rig = new Rig();
  journal = openMemoryJournal(rig.store, { clock: rig.clock });
  reads = [];
  followers = 0;
  isAway = false;
  watchers = new CallWatchers({
    journal: async () => watched(journal),
    clock: rig.clock,
    isDrawn: () => true,
  });
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
      const stop = inner.follow(callId, listener);
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

describe('a page on a live call', () => {
  it('is told of each commit without a moment passing, and shows what a new page shows', async () => {
    const one = rig.open();
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
    await one.begin();
    const pages = [await Page.open(), await Page.open(), await Page.open()];
    const before = reads.length;
    one.model.session.callerStarts('item1');
    await rig.settle();
    await watchers.read(callSid());
    expect(followers).toBe(1);
    expect(reads.length - before).toBeLessThanOrEqual(3);
    for (const { patches } of pages)
      expect(patches.at(-1)?.steps.map(({ entry }) => entry.type)).toEqual(['caller.startedSpeaking']);
  });

  it('that comes back is told only what it has missed', async () => {
    const one = rig.open();
    await one.begin();
    const page = await Page.open();
    page.stop();
    one.model.session.callerStarts('item1');
    await rig.settle();
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
    await rig.settle();
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
    await rig.settle();
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
