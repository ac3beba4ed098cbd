import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
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

/** Bookings stay where the agent keeps them: each of these tests has its own, and leaves none. */
const testCall = `CA${randomUUID()}`;
const fileOf = (seq: number): string => `data/pickups/${testCall}%2F${seq}%2F0.json`;
const keyOf = (seq: number): string => `${testCall}/${seq}/0`;
afterAll(() => {
  for (const seq of [20, 30, 40]) rmSync(fileOf(seq), { force: true });
});

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
      key: keyOf(20),
      isUnderWay,
    };
    expect((await runner.run(agent, pickup)).result).toBe('Booked: repair 4712, Friday.');
    expect(await runner.recover(agent, pickup)).toEqual({
      outcome: 'completed',
      result: '{"repair":"4712","day":"Friday"}',
    });
  });

  it('finds in another process what was booked in this one', async () => {
    const book = { ...request('book_pickup', { number: '4712', day: 'Friday' }), key: keyOf(20) };
    await runner.run(agent, book);
    const code = `
      const { default: agent } = await import('./agents/front-desk.ts');
      const tool = agent.tools.find(({ name }) => name === 'book_pickup');
      console.log(JSON.stringify(await tool.find('${book.key}')));`;
    const words = ['--conditions=holdfast-source', '--input-type=module', '--eval', code];
    const found = execFileSync('node_modules/.bin/node', words, { encoding: 'utf8' });
    expect(JSON.parse(found)).toEqual({ found: true, result: { repair: '4712', day: 'Friday' } });
  });

  it('does not book again where a booking was cut short as its process died: nobody knows', async () => {
    mkdirSync('data/pickups', { recursive: true });
    writeFileSync(fileOf(40), '{"repair":');
    const reported = vi.fn();
    const lenient = new ToolRunner({ clock: systemClock, reportError: reported });
    const pickup = {
      ...request('book_pickup', { number: '4712', day: 'Monday' }),
      key: keyOf(40),
      isUnderWay,
    };
    expect((await lenient.recover(agent, pickup)).outcome).toBe('unknown');
    expect(reported).toHaveBeenCalled();
  });

  it('books what a process that died did not', async () => {
    const pickup = {
      ...request('book_pickup', { number: '4712', day: 'Monday' }),
      key: keyOf(30),
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
