/** Several processes behind one port: the calls are spread, a worker's death is survived, and all end together. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { childrenOf } from '../../scripts/process-figures.ts';
import { isProcessAlive } from '../../src/platform/process.ts';
import { readEntries } from '../../src/runtime/history.ts';
import type { CallHandle } from '../../src/twin/twilio/call/call-handle.ts';
import { get, Host, until } from './support/host.ts';
import { type Scrape, spawnPrimary, Workers } from './support/workers.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

const streams = (calls: readonly CallHandle[]): number =>
  calls.filter(({ events }) => {
    const last = events.findLast(({ event }) => event === 'streamStarted' || event === 'streamEnded');
    return last?.event === 'streamStarted';
  }).length;

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

function goneBack(before: Scrape, after: Scrape): string[] {
  const lost = [...before.counts].filter(([sample, value]) => !((after.counts.get(sample) ?? -1) >= value));
  return lost.map(([sample, value]) => `${sample} ${value} -> ${after.counts.get(sample)}`);
}

it('40 calls differ by at most 2 between two workers, each is served where its first session is, and one that is killed loses none', async () => {
  const workers = await Workers.start(host);
  expect(workers.adminPorts).toHaveLength(2);
  const looks = workers.openai.sessions.length;
  // One by one and all at once: in turn, the first ones would all come to one worker, and their streams to the other.
  const calls: CallHandle[] = [];
  for (const count of [1, 1, 1, 1, 1, 1, 34]) {
    calls.push(...workers.place(count));
    await until(() => streams(calls) === calls.length);
  }
  await until(() => streams(calls) === 40);
  const loads = await workers.loads();
  expect(Object.keys(loads)).toEqual(['1', '2']);
  expect(sum(Object.values(loads))).toBe(40);
  expect(Math.abs((loads[1] ?? 0) - (loads[2] ?? 0))).toBeLessThanOrEqual(2);
  // The session that was opened with the call's answer hears its caller: whichever worker the stream came to.
  expect(workers.openai.sessions.length - looks).toBe(40);
  for (const { sid } of calls) expect(new Set(await workers.owners(sid)).size).toBe(1);

  let before = await workers.scrape();
  expect(before.samples.get('holdfast_calls_live')).toBe(40);
  expect(before.samples.get('holdfast_entries_total{type="call.created"}')).toBe(40);
  expect(goneBack(before, await workers.scrape(workers.adminPorts[1]))).toEqual([]);

  const { 'shop-1': victim = 0, 'shop-2': survivor } = await workers.pids();
  process.kill(victim, 'SIGKILL');
  const admin = workers.adminPorts[1];
  await until(async () => {
    const after = await workers.scrape(admin);
    expect(goneBack(before, after)).toEqual([]);
    before = after;
    return after.samples.get('holdfast_workers_lost_total') === 1 && streams(calls) === 40;
  });
  await until(() => workers.primary.output().includes('worker 1: Ready for calls.'));
  const after = await workers.scrape(admin);
  expect(goneBack(before, after)).toEqual([]);
  expect(after.samples.get('holdfast_calls_live')).toBe(40);
  expect(after.samples.get('holdfast_entries_total{type="call.created"}')).toBe(40);
  expect(calls.filter(({ hasEnded }) => hasEnded)).toEqual([]);
  // The new worker is there, under the same name.
  const now = await workers.pids();
  expect(now['shop-2']).toBe(survivor);
  expect(now['shop-1']).not.toBe(victim);
  const next = workers.place(1);
  await until(() => streams(next) === 1);
  expect(await workers.owners(next[0]?.sid ?? '')).toContain('shop-1');
  expect(workers.primary.output()).toContain('worker 1: ended (SIGKILL). It is started anew in 3 s.');
}, 60_000);

it('Ctrl-C ends all workers, and the exit code is 0', async () => {
  const signal = 'SIGINT';
  const workers = await Workers.start(host);
  const { child, output, ended } = workers.primary;
  const pids = childrenOf(child.pid ?? 0).map(({ pid }) => pid);
  expect(pids).toHaveLength(2);
  const calls = workers.place(2);
  await until(() => streams(calls) === 2);
  // A terminal tells the workers, too.
  for (const pid of [...pids, child.pid ?? 0]) process.kill(pid, signal);
  await until(() => output().includes(`${signal}: no new calls are taken.`));
  expect((await get(workers.port, '/ready'))?.status).toBe(503);
  expect(pids.map(isProcessAlive)).toEqual([true, true]);
  child.kill(signal);
  expect(await ended).toBe(0);
  expect(output()).toContain('stopping at once.');
  expect(output().trimEnd().endsWith('Stopped.')).toBe(true);
  expect(pids.map(isProcessAlive)).toEqual([false, false]);
}, 40_000);

it('the calls of a service that is told to stop move to another one on the same port', async () => {
  const old = await Workers.start(host, { INSTANCE_ID: 'old' });
  const calls = old.place(6);
  await until(() => streams(calls) === 6);
  const { port, openai, twilio } = old;
  const next = spawnPrimary(
    host,
    host.environment({
      PORT: String(port),
      ADMIN_PORT: String(old.adminPorts[0]),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      OPENAI_REALTIME_URL: openai.url,
      TWILIO_API_URL: twilio.url,
      INSTANCE_ID: 'new',
      WORKERS: '2',
    }),
  );
  await until(() => next.output().includes('Ready for calls.'));
  old.primary.child.kill('SIGTERM');
  expect(await old.primary.ended).toBe(0);
  await until(() => streams(calls) === 6);
  for (const { sid } of calls) expect((await old.owners(sid)).at(-1)).toMatch(/^new-[12]$/);
}, 60_000);

it('workers whose primary is killed let go of their calls and end', async () => {
  const workers = await Workers.start(host, { DRAIN_MS: '500' });
  const { child } = workers.primary;
  const pids = childrenOf(child.pid ?? 0).map(({ pid }) => pid);
  const calls = workers.place(1);
  await until(() => streams(calls) === 1);
  child.kill('SIGKILL');
  await until(() => !pids.some(isProcessAlive));
  for (const { sid } of calls) {
    const types = (await readEntries(workers.journal, sid)).map(({ type }) => type);
    expect(types).toContain('move.requested');
    expect(types).toContain('stream.closed');
    expect(types).not.toContain('call.ended');
  }
  const facts = await workers.journal.readInstanceLog({});
  const stopped = facts.filter(({ type }) => type === 'instance.stopped');
  expect(stopped.map(({ instance, detail }) => [instance, detail.exitCode]).sort()).toEqual([
    ['shop-1', 0],
    ['shop-2', 0],
  ]);
}, 40_000);

it('what is wrong with the configuration is told once, and nothing is left running', async () => {
  const workers = await Workers.start(host, { TWILIO_AUTH_TOKEN: 'two words' });
  expect(await workers.primary.ended).toBe(1);
  const output = workers.primary.output();
  expect(output.match(/TWILIO_AUTH_TOKEN/g)).toHaveLength(1);
  expect(output.match(/Not started\./g)).toHaveLength(1);
  expect(output).not.toContain('two words');
  expect(output).not.toMatch(/^\s+at /m);
}, 20_000);

it('WORKERS itself is told with everything else that is wrong', async () => {
  const { output, ended } = host.spawn(
    'src/service/main.ts',
    host.environment({ WORKERS: 'many', OPENAI_API_KEY: '' }),
  );
  expect(await ended).toBe(1);
  for (const name of ['WORKERS', 'OPENAI_API_KEY']) expect(output()).toContain(name);
}, 20_000);
