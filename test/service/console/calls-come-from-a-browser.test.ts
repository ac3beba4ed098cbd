/** A page in a browser plays the carrier of a call: everything else is as for a phone. */
import { describe, expect, it } from 'vitest';
import type { BrowserInstruction, Operator } from '../../../src/runtime/ports/operator.ts';
import { isBrowserCall } from '../../../src/service/console/browser-call-id.ts';
import { absenceLimitMs, BrowserCalls } from '../../../src/service/console/browser-calls.ts';
import { RoutedControl } from '../../../src/service/routed-control.ts';
import { callSid, type Process, Rig } from '../rig.ts';
import type { FakeLine } from '../support/fake-line.ts';

const operator: Operator = { name: 'Night desk', via: 'console' };

class Page {
  readonly rig = new Rig();
  readonly process: Process;
  readonly calls: BrowserCalls;
  line: FakeLine | null = null;
  callId = '';

  constructor() {
    let calls: BrowserCalls | null = null;
    this.process = this.rig.open('one', {
      routeControl: (phone) => new RoutedControl(phone, () => calls ?? phone),
    });
    calls = new BrowserCalls({
      desk: this.process.desk,
      clock: this.rig.clock,
      calledNumber: '+15550100000',
    });
    this.calls = calls;
  }

  async connect(instruction: BrowserInstruction): Promise<FakeLine> {
    if (instruction.do !== 'connect') throw new Error(`told to ${instruction.do}`);
    this.callId = instruction.callId;
    const line = this.rig.line();
    const listener = await this.calls.desk.admitStream({
      carrierCallId: instruction.callId,
      token: instruction.token,
      line,
    });
    if (!listener) throw new Error('the stream was refused');
    line.carriesTo(listener);
    this.line = line;
    return line;
  }

  /** In conversation. */
  async talk(): Promise<FakeLine> {
    const line = await this.connect(await this.calls.begin(operator));
    await this.rig.clock.advance(100);
    this.process.model.session.says('greeting', 'Hello, this is the clerk.', 1_000);
    await this.rig.clock.advance(1_200);
    return line;
  }

  async row() {
    return this.process.row(this.callId);
  }
}

describe('a call from a browser', () => {
  it('is a call like any other, with a caller who has no number', async () => {
    const page = new Page();
    const line = await page.talk();
    expect(isBrowserCall(page.callId)).toBe(true);
    expect(line.sentMs).toBe(1_000);
    const payloads = await page.process.journal.readPayloads(page.callId);
    expect(payloads.find(({ name }) => name === 'from')?.content).toBe('client:Night_desk');
    expect(page.process.value(page.callId)).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
  });

  it('ends where the person at it hangs up', async () => {
    const page = new Page();
    const line = await page.talk();
    await page.calls.leave(page.callId);
    line.ends();
    await page.rig.clock.advance(1_000);
    expect(await page.row()).toMatchObject({ endReason: 'caller.hungUp' });
    expect(page.calls.size).toBe(0);
    await page.rig.expectNothingLeft();
  });

  it('ends where the agent hangs up, and the page is told so', async () => {
    const page = new Page();
    const line = await page.talk();
    page.process.model.session.asksFor('bye', 'hang_up', {});
    page.process.model.session.says('goodbye', 'Goodbye.', 500);
    await page.rig.clock.advance(3_000);
    expect(line.isClosed).toBe(true);
    expect(await page.row()).toMatchObject({ endReason: 'agent.hungUp' });
    expect(await page.calls.continue(page.callId)).toMatchObject({ do: 'end' });
    await page.rig.expectNothingLeft();
  });

  it('goes on by another stream where one breaks', async () => {
    const page = new Page();
    (await page.talk()).drops();
    await page.rig.settle();
    const instruction = await page.calls.continue(page.callId);
    expect(instruction).toMatchObject({ do: 'connect', attempt: 2 });
    await page.connect(instruction);
    await page.rig.settle();
    expect(page.process.value(page.callId)).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
  });

  it('ends where the page is gone', async () => {
    const page = new Page();
    (await page.talk()).drops();
    await page.rig.clock.advance(absenceLimitMs + 1_000);
    expect(await page.row()).toMatchObject({ endReason: 'stream.lost' });
    expect(page.calls.size).toBe(0);
    await page.rig.expectNothingLeft();
  });

  it('does not end while the page is on the line, however long it is silent', async () => {
    const page = new Page();
    await page.talk();
    for (let second = 0; second < 60; second++) {
      page.line?.brings(1_000);
      await page.rig.clock.advance(1_000);
    }
    expect(await page.row()).toMatchObject({ endedAt: null });
    expect(await page.calls.fetchStatus(page.callId)).toBe('in-progress');
  });

  it('comes back to the agent where it would be put through', async () => {
    const page = new Page();
    const line = await page.talk();
    const transfer = {
      type: 'transfer.requested',
      by: 'operator',
      destination: { bytes: 12 },
      toolCallId: null,
    } as const;
    await page.process.desk.report(
      page.callId,
      { entry: transfer, payloads: { destination: '+15550109999' } },
      'transfer',
    );
    await page.rig.clock.advance(200);
    expect(line.isClosed).toBe(true);
    expect(await page.calls.continue(page.callId)).toMatchObject({ do: 'wait' });
    await page.rig.clock.advance(500);
    await page.connect(await page.calls.continue(page.callId));
    await page.rig.clock.advance(200);
    expect(page.process.control.asked).toEqual([]);
    expect(await page.process.types(page.callId)).toContain('transfer.finished');
    expect(page.process.value(page.callId)).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
  });

  it('can be nobody else\u2019s', async () => {
    const page = new Page();
    const answer = await page.process.answer(callSid());
    if (answer.do !== 'connect') throw new Error('declined');
    const start = { carrierCallId: callSid(), token: answer.token, line: page.rig.line() };
    expect(await page.calls.desk.admitStream(start)).toBeNull();
    await expect(page.calls.continue(callSid())).rejects.toMatchObject({ code: 'call.unknown' });
    await expect(page.calls.leave(callSid())).rejects.toMatchObject({ code: 'call.unknown' });
  });

  it('is told where it is not taken', async () => {
    const page = new Page();
    page.process.isReady = false;
    expect(await page.calls.begin(operator)).toMatchObject({ do: 'end' });
    expect(page.calls.size).toBe(0);
  });
});
