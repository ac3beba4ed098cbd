/** What an operator does on the page of a call: find the cause, travel in time, compare, command; by keyboard alone as well. */
import { describe, expect, it, vi } from 'vitest';
import { soon, textOf, useStage } from './support/scene.ts';
import { everyday, faults, liveCalls, pastCalls } from './support/told-calls.ts';

const now = Date.now();
// Every step waits for a real page.
vi.setConfig({ testTimeout: 90_000 });
const stage = useStage(() => [...pastCalls(now), ...liveCalls(now)]);
const { callId: everydayId, lastSeq, projection } = everyday(now);

/** Of the everyday call. */
function seqOf(type: string, count = 1): number {
  const found = projection.view().steps.filter(({ entry }) => entry.type === type);
  return found[count - 1]?.entry.seq ?? 0;
}
const spoke = seqOf('reply.voiced');
const asked = seqOf('caller.transcribed');

const liveId = `CA${'31'.padStart(32, '0')}`;

const slider = () => stage.page.getByRole('slider', { name: 'Entry' });
/** What is lit and what was taken, as the picture names it. */
const lit = () => stage.page.locator('.chart .lit > .name').allTextContents();
const taken = () => stage.page.locator('.chart .caption.taken .label').allTextContents();

describe('the cause of a fault', () => {
  it.each(faults)('is one action away from the list of calls: $name', async ({ callId, cause }) => {
    const { page } = stage;
    await stage.goTo('#/past');
    await page.locator(`a[href="#/calls/${callId}"]`).click();
    await soon(() => textOf(page.locator('.troubles-panel'))).toMatch(cause);
    expect(await textOf(page.locator('.situation .wrong'))).toMatch(/What went wrong last/);
  });
});

describe('the list of past calls', () => {
  it('has no column that no past call fills, and shows each start to its end', async () => {
    const { page } = stage;
    await stage.goTo('#/past');
    await soon(() => page.locator('.rows a.row').count()).toBeGreaterThan(0);
    expect(await textOf(page.locator('.row.names'))).not.toMatch(/Latency|Recoveries/);
    const where = page.locator('.rows .where').first();
    expect(await where.evaluate((cell) => cell.scrollWidth > cell.clientWidth)).toBe(false);
    await stage.goTo('#/');
    await soon(() => textOf(page.locator('.row.names'))).toMatch(/Latency\s+Recoveries/);
  });
});

describe('time travel', () => {
  it('moves chart, transcript, details and slider together', async () => {
    const { page } = stage;
    await stage.openCall(everydayId, 3);
    expect(await page.getByText('Nothing has been said yet.').isVisible()).toBe(true);
    expect(await textOf(page.locator('.states'))).toMatch(/awaitingStream/);
    await slider().focus();
    for (let step = 3; step < spoke; step++) await page.keyboard.press('ArrowRight');
    await soon(() => textOf(page.locator('.detail-panel h2'))).toBe(`Entry ${spoke}`);
    expect(await textOf(page.locator('.entry[aria-selected=true] .seq'))).toBe(String(spoke));
    expect(await textOf(page.locator('.states'))).toMatch(/agentSpeaking/);
    expect(await lit()).toEqual(
      expect.arrayContaining(['live', 'turn', 'agentSpeaking', 'streaming', 'steady']),
    );
    expect(await lit()).not.toContain('awaitingStream');
    expect(await taken()).toContain('reply.voiced [currentReply]');
    await page.keyboard.press('End');
    await soon(() => textOf(page.locator('.states'))).toMatch(/ended/);
    expect(await lit()).toEqual(['ended']);
    expect(await taken()).toEqual(['call.ended']);
  });

  it('shows what was heard of a reply that was cut, and what was not', async () => {
    await stage.openCall(everydayId);
    const cut = stage.page.locator('.line.agent', { hasText: 'Your bike is ready' });
    expect(await textOf(cut.locator('del'))).toMatch(/open until six today/);
    expect(await textOf(cut)).toMatch(/cut/);
  });

  it('plays from an entry to the last one, and stops there', async () => {
    const { page } = stage;
    await stage.openCall(everydayId, lastSeq - 10);
    await page.getByLabel('Speed').selectOption('16');
    await page.getByRole('button', { name: 'Play' }).click();
    await soon(() => textOf(page.locator('.states'))).toMatch(/ended/);
    await soon(() => page.getByRole('button', { name: 'Play' }).count()).toBe(1);
  });

  it('compares two entries: states, context, words, commands', async () => {
    const { page } = stage;
    await stage.openCall(everydayId, spoke);
    await page.getByRole('button', { name: 'Compare from here' }).click();
    await page.locator('#entries-scroll').focus();
    for (let step = spoke; step < asked; step++) await page.keyboard.press('ArrowDown');
    const details = page.locator('.detail-panel');
    await soon(() => textOf(details.locator('h2'))).toBe(`Entry ${spoke} and ${asked}`);
    const text = await textOf(details);
    expect(text).toContain(`${asked - spoke} entries`);
    expect(text).toMatch(/− live\.turn\.agentSpeaking/);
    expect(text).toMatch(/\+ live\.turn\.\w+/);
    expect(text).toMatch(/is my bike ready/);
  });
});

describe('a live call', () => {
  it('shows a step when it is told, and keeps still where the reader has gone back', async () => {
    const { page, desk } = stage;
    await stage.openCall(liveId);
    const call = desk.call(liveId);
    const before = call.lastSeq;
    await soon(lit).toContain('listening');
    call.caller('Can you do it today?');
    await soon(() => textOf(page.locator('.transcript-panel'))).toMatch(/Can you do it today/);
    expect(await textOf(page.locator('.states'))).toMatch(/turn\s+thinking/);
    await page.getByRole('button', { name: 'One entry back' }).click();
    call.agent('Yes, before six.', 1_200);
    await soon(() => textOf(page.locator('output'))).toMatch(new RegExp(`${before + 2} / ${call.lastSeq}`));
    await page.getByRole('button', { name: 'Now' }).click();
    await soon(() => textOf(page.locator('.transcript-panel'))).toMatch(/Yes, before six/);
    desk.sound(liveId, { at: Date.now(), windowMs: 100, caller: 0.2, agent: 0 });
    const meter = page.getByRole('meter', { name: 'Caller’s loudness' });
    await soon(() => meter.getAttribute('aria-valuenow')).not.toBe('0');
  });

  it('takes commands only after a second word, and says what it was told', async () => {
    const { page, desk } = stage;
    await stage.openCall(liveId);
    await page.getByRole('button', { name: 'Hang up…' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(desk.commands).toEqual([]);
    await page.getByRole('button', { name: 'Transfer…' }).click();
    await page.getByLabel('Number').fill('+44 1632 960002');
    await page.getByRole('button', { name: 'Put through' }).click();
    await page.getByText('The transfer has been asked for.').waitFor();
    await page.getByRole('button', { name: 'Say…' }).click();
    await page.getByLabel('Words').fill('One moment please.');
    await page.getByRole('button', { name: 'Say it' }).click();
    await page.getByText('The agent has been asked to say it.').waitFor();
    await page.getByRole('button', { name: 'Move…' }).click();
    await page.getByRole('button', { name: 'Move it' }).click();
    await page.getByText('The move has been asked for.').waitFor();
    await page.getByRole('button', { name: 'Hang up…' }).click();
    await page.getByRole('button', { name: 'Hang up', exact: true }).click();
    await page.getByText('The hang-up has been asked for.').waitFor();
    expect(desk.commands.map(({ command }) => command)).toEqual([
      { do: 'transfer', number: '+441632960002' },
      { do: 'say', words: 'One moment please.' },
      { do: 'move' },
      { do: 'hangUp' },
    ]);
    expect(desk.commands[0]?.operator).toEqual({ name: 'ada', via: 'console' });
  });

  it('tells why a command was refused', async () => {
    const { page, desk } = stage;
    await stage.openCall(liveId);
    await page.getByRole('button', { name: 'Hang up…' }).click();
    desk.call(liveId).hungUp();
    await page.getByRole('button', { name: 'Hang up', exact: true }).click();
    await soon(() => textOf(page.getByRole('alert'))).toMatch(/has ended/);
  });
});

describe('the Stately inspector', () => {
  it('is opened only after it was said what is sent, and then told through the window alone', async () => {
    const { page, browser } = stage;
    const { context } = browser;
    const visited: string[] = [];
    const stub = `<script>opener.postMessage({ type: '@statelyai.connected' }, '*');
      addEventListener('message', ({ data }) => { document.title = JSON.stringify(data); });</script>`;
    await context.route('https://stately.ai/**', (route) => {
      visited.push(route.request().url());
      return route.fulfill({ contentType: 'text/html', body: stub });
    });
    await stage.openCall(everydayId);
    await page.getByRole('button', { name: 'Stately inspector…' }).click();
    const dialog = page.getByRole('dialog');
    const says = await textOf(dialog);
    for (const part of [
      'https://stately.ai/inspect',
      `${lastSeq} entries`,
      'Nothing is sent before you agree',
    ]) {
      expect(says).toContain(part);
    }
    expect(visited).toEqual([]);
    const [opened] = await Promise.all([
      context.waitForEvent('page'),
      dialog.getByRole('button', { name: 'Open and send' }).click(),
    ]);
    await soon(() => opened.title()).toMatch(/@xstate\.actor/);
    expect(visited).toEqual(['https://stately.ai/inspect']);
    await opened.close();
  });
});

describe('the keyboard alone', () => {
  it('walks from the list to a call, through its entries, and into a command', async () => {
    const { page } = stage;
    await stage.goTo('#/past');
    await page.getByLabel('Search').focus();
    await page.keyboard.type('bike ready');
    await soon(() => page.locator('a.row').count()).toBe(2);
    expect(page.url()).toContain('text=bike+ready');
    await page.locator('a.row').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.locator('.chart').waitFor();
    await page.keyboard.press('ArrowLeft');
    await soon(() => textOf(page.locator('output'))).toMatch(new RegExp(`${lastSeq - 1} / ${lastSeq}`));
    const names: string[] = [];
    for (let tab = 0; tab < 30; tab++) {
      await page.keyboard.press('Tab');
      names.push(
        await page.evaluate<string>(
          "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()",
        ),
      );
    }
    expect(names).toEqual(
      expect.arrayContaining([
        'Erase…',
        'Export',
        'Play',
        'Entry',
        'Whole',
        'Transcript; scrolls',
        'Entries of the log',
      ]),
    );
    await page.getByRole('button', { name: 'Erase…' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await soon(() => page.getByRole('dialog').count()).toBe(0);
  });
});
