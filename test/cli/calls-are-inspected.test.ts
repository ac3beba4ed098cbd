/** `inspect`: the call as the Stately inspector is told of it, by a file or by a page that asks first. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { replay } from '../../src/runtime/history.ts';
import type { Journal, StoredEntry } from '../../src/runtime/ports/journal.ts';
import { type Browser, hasChromium, needChromium, openBrowser } from '../console/support/browser.ts';
import { callerNumber } from '../service/rig.ts';
import { type CallFolder, endedCall, folderWithCalls, liveCall } from './journal-of-calls.ts';
import { run } from './run-command.ts';
import { heardBy, standInForInspector } from './stand-in-inspector.ts';

let folder: CallFolder;
let journal: Journal;
beforeAll(async () => {
  folder = await folderWithCalls();
  journal = await openSqliteJournal(folder.journalPath, { clock });
});
afterAll(async () => {
  await journal.close();
  folder.remove();
});

const environment = () => ({ JOURNAL_URL: `sqlite:${folder.journalPath}` });
const linesIn = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

/** Another process writes a further entry of the live call, and with `end` its last one. */
async function goOn(end = false): Promise<void> {
  const [row] = await journal.list({ callId: liveCall });
  if (!row) throw new Error('no live call');
  const seq = row.lastSeq + 1;
  const at = Date.parse('2026-02-01') + seq;
  const entry: StoredEntry = end
    ? { seq, at, type: 'call.ended', reason: 'caller.hungUp' }
    : { seq, at, type: 'digit.pressed', digit: { bytes: 1 } };
  const over = end ? { endedAt: at, endReason: 'caller.hungUp', owner: null } : {};
  await journal.append({
    callId: liveCall,
    entries: [entry],
    payloads: [],
    row: { ...row, ...over, lastSeq: seq },
    checkpoint: null,
    taken: [],
  });
}

/** The page of a running `inspect`, until the work is done. */
async function withPage(callId: string, work: (address: string) => Promise<void>): Promise<void> {
  const interrupted = new AbortController();
  const printed = Promise.withResolvers<string>();
  const command = run(`inspect ${callId}`, environment(), {
    interrupted: interrupted.signal,
    onPrint: printed.resolve,
  });
  const address = /http:\S+/.exec(
    await Promise.race([printed.promise, command.then(({ error }) => error)]),
  )?.[0];
  try {
    await work(String(address));
  } finally {
    interrupted.abort();
    expect((await command).code).toBe(0);
  }
}

describe('inspect to a file', () => {
  it('writes a past call whole, a message a line, and no personal data', async () => {
    const path = join(folder.path, 'past.jsonl');
    const { code, out } = await run(`inspect ${endedCall} --file ${path}`, environment());
    const messages = linesIn(path).map((line) => JSON.parse(line));
    const steps = await replay(journal, endedCall);
    expect([code, out]).toEqual([0, `${path}: ${2 * steps.length - 1} messages`]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(messages.filter(({ snapshot }) => snapshot).map(({ snapshot }) => snapshot.value)).toEqual(
      steps.map(({ state }) => state.snapshot.value),
    );
    const text = readFileSync(path, 'utf8');
    for (const { content } of await journal.readPayloads(endedCall)) expect(text).not.toContain(content);
    expect(text).not.toContain(callerNumber);
  });

  it('refuses a call that nobody knows', async () => {
    const path = join(folder.path, 'none.jsonl');
    expect((await run(`inspect nobody --file ${path}`, environment())).code).toBe(1);
    expect((await run('inspect nobody', environment())).code).toBe(1);
    expect((await run('inspect', environment())).code).toBe(2);
  });

  it('says where a log does not fold', async () => {
    const broken = await folderWithCalls((commit, index) =>
      index === 3
        ? { ...commit, entries: commit.entries.map((entry) => ({ ...entry, type: 'none.such' })) }
        : commit,
    );
    const url = { JOURNAL_URL: `sqlite:${broken.journalPath}` };
    const { code, error } = await run(`inspect ${endedCall} --file ${join(broken.path, 'x')}`, url);
    expect([code, error]).toEqual([1, expect.stringContaining('none.such')]);
    broken.remove();
  });
});

describe('the page of inspect', () => {
  it('is shown to nobody who does not know its path, or who comes by another name', async () => {
    await withPage(endedCall, async (address) => {
      const { origin, port, pathname } = new URL(address);
      const status = async (url: string, init?: RequestInit) => (await fetch(url, init)).status;
      expect(await status(address)).toBe(200);
      expect(await status(`${origin}/`)).toBe(404);
      expect(await status(`${origin}/messages`)).toBe(404);
      expect(await status(address, { method: 'POST' })).toBe(404);
      expect(await status(`http://localhost:${port}${pathname}`).catch(() => 404)).toBe(404);
    });
  });

  it('streams the call in events, and says when that was all', async () => {
    await withPage(endedCall, async (address) => {
      const response = await fetch(`${address}messages`);
      const events = (await response.text()).split('\n\n').slice(0, -1);
      const steps = await replay(journal, endedCall);
      expect(events).toHaveLength(2 * steps.length);
      expect(events.at(-1)).toBe('event: ended\ndata: The call has ended: that is all of it.');
    });
  });
});

describe('in Chromium', () => {
  let browser: Browser | undefined;
  let requests: string[];

  beforeAll(async () => {
    if (!hasChromium) return;
    browser = await openBrowser();
    await standInForInspector(browser.context);
    browser.context.on('request', (request) => requests.push(request.url()));
  });
  afterAll(() => browser?.close());

  const context = () => (browser as Browser).context;

  async function openPage(address: string): Promise<Page> {
    requests = [];
    const page = await context().newPage();
    await page.goto(address);
    return page;
  }

  async function clickThrough(page: Page): Promise<Page> {
    const opened = context().waitForEvent('page');
    await page.getByRole('button').click();
    return await opened;
  }

  it('a past call is sent after the click alone, and the inspector’s own receiver hears all of it', async (test) => {
    needChromium(test);
    const path = join(folder.path, 'heard.jsonl');
    await run(`inspect ${endedCall} --file ${path}`, environment());
    const sent = linesIn(path).map((line) => JSON.parse(line));
    await withPage(endedCall, async (address) => {
      const page = await openPage(address);
      await page.getByText('that is all of it').waitFor();
      const own = new URL(address).origin;
      expect(requests.filter((url) => !url.startsWith(own))).toEqual([]);
      expect(await page.getByText('https://stately.ai/inspect').count()).toBeGreaterThan(0);
      const inspector = await clickThrough(page);
      expect(await heardBy(inspector, sent.length)).toEqual(sent);
      expect(
        requests.filter((url) => !url.startsWith(own) && !url.startsWith('https://stately.ai/')),
      ).toEqual([]);
      // One that is loaded again is told everything again.
      await inspector.reload();
      expect(await heardBy(inspector, sent.length)).toEqual(sent);
      await inspector.close();
      await page.close();
    });
  });

  it('a live call is sent as it goes on, until it ends', async (test) => {
    needChromium(test);
    await withPage(liveCall, async (address) => {
      const page = await openPage(address);
      const inspector = await clickThrough(page);
      const count = 2 * (await replay(journal, liveCall)).length - 1;
      await heardBy(inspector, count);
      await goOn();
      const heard = (await heardBy(inspector, count + 2)) as { type: string; event?: { type: string } }[];
      expect(heard.slice(count).map(({ type, event }) => [type, event?.type])).toEqual([
        ['@xstate.event', 'digit.pressed'],
        ['@xstate.snapshot', 'digit.pressed'],
      ]);
      await goOn(true);
      await page.getByText('that is all of it').waitFor();
      await inspector.close();
      await page.close();
    });
  });
});
