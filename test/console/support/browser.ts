/** Chromium for the tests of the page: left out where it is not there, and said to be. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import type { TestContext } from 'vitest';
import { leaveOut } from '../../support/leave-out.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium = existsSync(executablePath);

export function needChromium(context: TestContext): void {
  if (hasChromium) return;
  const reason = `${executablePath} not found: install Chromium (Debian: apt-get install chromium), or name it in CHROMIUM`;
  leaveOut(context, reason);
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A sound that comes from no microphone, and no question whether it may be used.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

export interface Browser {
  /** For what a test leaves behind; gone with the browser. */
  folder: string;
  context: BrowserContext;
  close(): Promise<void>;
}

export async function openBrowser(): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-console-'));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath,
    headless: true,
    args: flags,
    viewport: { width: 1_280, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  return {
    folder,
    context,
    close: async () => {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
