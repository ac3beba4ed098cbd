/** A real browser logs in with the form, which needs no script, and is known by its name from then on. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Browser, hasChromium, needChromium, openBrowser } from './support/browser.ts';
import { type ConsoleServer, openConsole } from './support/console-server.ts';
import { FakeDesk } from './support/fake-desk.ts';

const token = 'the-token-of-the-console';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let browser: Browser;
let server: ConsoleServer;

beforeEach((context) => needChromium(context));
beforeAll(async () => {
  if (!hasChromium) return;
  server = await openConsole(new FakeDesk([]), () => undefined, token);
  browser = await openBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

it('is asked for the token, and let in by it', { timeout: 60_000 }, async () => {
  const page = await browser.context.newPage();
  // As what came through a proxy: directly on loopback nobody is asked.
  await page.setExtraHTTPHeaders({ 'x-forwarded-for': '203.0.113.7' });
  await page.goto(server.url);
  expect(page.url()).toBe(`${server.url}/login`);
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  expect(violations.map(({ id }) => id)).toEqual([]);

  const send = async (shown: string): Promise<void> => {
    await page.getByLabel(/token/i).fill(shown);
    await page.getByLabel(/name/i).fill('Ada');
    await page.keyboard.press('Enter');
  };
  await send('another-token');
  await page
    .getByText(/wrong|not/i)
    .first()
    .waitFor();
  await send(token);
  await page.getByText('Live calls').first().waitFor();
  await page.getByText('Ada').first().waitFor();
  expect(page.url()).toBe(`${server.url}/`);

  await browser.context.clearCookies();
  await page.getByText('Past calls').first().click();
  await page.waitForURL(`${server.url}/login`);
});
