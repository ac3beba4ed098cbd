/** One browser and one server for the tests of a file, and a page at a place of the console. */
import type { Locator, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { WebSocket } from 'ws';
import { type Browser, hasChromium, needChromium, openBrowser } from './browser.ts';
import { type ConsoleServer, openConsole } from './console-server.ts';
import { FakeDesk } from './fake-desk.ts';
import type { ToldCall } from './told-call.ts';

/** What a page will show, on a machine that is busy as well. */
export const soon = <Value>(read: () => Value | Promise<Value>) => expect.poll(read, { timeout: 15_000 });

/** As it is seen: what is hidden is not in it. */
export async function textOf(locator: Locator): Promise<string> {
  await locator.first().waitFor();
  return (await locator.allInnerTexts()).join('\n');
}

export class Stage {
  browser!: Browser;
  server!: ConsoleServer;
  desk!: FakeDesk;
  page!: Page;
  /** Is told of each media stream that a page opens. */
  onStream: (stream: WebSocket) => void = () => undefined;
  /** What any page asked for, wherever. */
  readonly requests: Request[] = [];
  /** What went wrong in any page. */
  readonly faults: string[] = [];

  get folder(): string {
    return this.browser.folder;
  }

  async goTo(hash: string): Promise<void> {
    await this.page.goto('about:blank');
    await this.page.goto(`${this.server.url}/${hash}`);
    await this.page.locator('h1').first().waitFor();
  }

  async openCall(callId: string, seq?: number): Promise<void> {
    await this.goTo(`#/calls/${callId}${seq === undefined ? '' : `?seq=${seq}`}`);
    await this.page.locator('.chart').waitFor();
  }
}

export function useStage(calls: () => readonly ToldCall[]): Stage {
  const stage = new Stage();
  beforeEach((context) => needChromium(context));
  beforeAll(async () => {
    if (!hasChromium) return;
    stage.desk = new FakeDesk(calls());
    stage.server = await openConsole(stage.desk, (stream) => stage.onStream(stream));
    stage.browser = await openBrowser();
    const { context } = stage.browser;
    context.on('request', (request) => stage.requests.push(request));
    context.on('weberror', (error) => stage.faults.push(String(error.error())));
    stage.page = await context.newPage();
    stage.page.on('console', (message) => {
      if (message.type() === 'error' && !/status of (503|40\d)/.test(message.text()))
        stage.faults.push(message.text());
    });
  }, 60_000);
  afterAll(async () => {
    await stage.browser?.close();
    await stage.server?.close();
  });
  return stage;
}
