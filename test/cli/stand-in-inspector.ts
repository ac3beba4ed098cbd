/**
 * Owns: a page in the place of https://stately.ai/inspect, which is never contacted: it hears by the receiver of
 * `@statelyai/inspect` itself and keeps what the receiver emits.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { inspectorOrigin } from '../../src/cli/inspector-page.ts';
import { root } from './run-command.ts';

const module = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;

/** What the package's other functions need is not there: the receiver uses none of it. */
const imports = {
  '@statelyai/inspect': '/node_modules/@statelyai/inspect/dist/index.mjs',
  xstate: '/node_modules/xstate/dist/xstate.esm.js',
  'fast-safe-stringify': module('export default null'),
  'safe-stable-stringify': module('export default null'),
  'isomorphic-ws': module('export default null'),
  partysocket: module('export default null'),
  superjson: module('export const stringify = null'),
  '#uuid': module('export const uuid = null'),
};

const page = `<!doctype html><title>stand-in</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  import { createBrowserReceiver } from '@statelyai/inspect';
  window.heard = [];
  createBrowserReceiver().subscribe((message) => window.heard.push(message));
</script>`;

export async function standInForInspector(context: BrowserContext): Promise<void> {
  await context.route(`${inspectorOrigin}/**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/inspect') await route.fulfill({ contentType: 'text/html', body: page });
    else if (pathname.startsWith('/node_modules/'))
      await route.fulfill({
        contentType: 'text/javascript',
        body: await readFile(join(root, pathname), 'utf8'),
      });
    else await route.fulfill({ status: 404 });
  });
}

/** Once the receiver has emitted as many. */
export async function heardBy(inspector: Page, count: number): Promise<unknown[]> {
  await inspector.waitForFunction(
    (wanted) => (globalThis as unknown as Heard).heard?.length >= wanted,
    count,
  );
  return await inspector.evaluate(() => (globalThis as unknown as Heard).heard);
}

interface Heard {
  heard: unknown[];
}
