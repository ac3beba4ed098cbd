import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadAgent } from '../../src/agent/load.ts';
import type { LoadedAgent } from '../../src/agent/loaded-agent.ts';
import { resolveAgent } from '../../src/agent/resolve.ts';
import { ToolRunner } from '../../src/agent/tool-runner.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { call, request } from './example.ts';

const loaded: LoadedAgent = await loadAgent('agents/front-desk.ts');
const agent = await resolveAgent(loaded, call, systemClock);
const runner = new ToolRunner({ clock: systemClock, reportError: () => expect.unreachable() });

afterEach(() => vi.restoreAllMocks());

/** The process that began it is gone. */
const isUnderWay = async () => false;

describe('the front desk', () => {
  it('greets for the shop', () => {
    expect(agent.record.greeting).toContain('Spoke and Wheel');
  });

  it('knows repair 4712, and that it does not know others', async () => {
    const found = await runner.run(agent, request('find_repair', { number: '4712' }));
    expect(JSON.parse(found.result)).toMatchObject({ state: 'ready' });
    expect((await runner.run(agent, request('find_repair', { number: '1111' }))).result).toBe(
      'There is no repair 1111.',
    );
    expect((await runner.run(agent, request('find_repair', { number: '47' }))).outcome).toBe('failed');
  });

  it('books a pickup once, and finds it again by its key', async () => {
    const pickup = {
      ...request('book_pickup', { number: '4712', day: 'Friday' }),
      key: 'CA1/20/0',
      isUnderWay,
    };
    expect((await runner.run(agent, pickup)).result).toBe('Booked: repair 4712, Friday.');
    expect(await runner.recover(agent, pickup)).toEqual({
      outcome: 'completed',
      result: '{"repair":"4712","day":"Friday"}',
    });
  });

  it('books what a process that died did not', async () => {
    const pickup = {
      ...request('book_pickup', { number: '4712', day: 'Monday' }),
      key: 'CA1/30/0',
      isUnderWay,
    };
    expect((await runner.recover(agent, pickup)).result).toBe('Booked: repair 4712, Monday.');
  });

  it('books nothing for a bicycle that is not ready', async () => {
    const pickup = request('book_pickup', { number: '4711', day: 'Friday' });
    expect((await runner.run(agent, pickup)).result).toBe('Repair 4711 cannot be collected yet.');
  });

  it('writes one line when a call is over, without a number', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await agent.onCallEnded?.(
      { call, startedAt: 1_000, endedAt: 43_400, reason: 'caller.hungUp', turns: [] },
      { key: 'CA1/ended' },
    );
    expect(log.mock.calls).toEqual([['Front desk: a call of 42 s is over (caller.hungUp).']]);
  });
});
