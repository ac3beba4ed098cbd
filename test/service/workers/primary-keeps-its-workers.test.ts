/** The primary in this process, with real workers: it starts them, starts them anew, and ends when they have ended. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { childrenOf } from '../../../scripts/process-figures.ts';
import type { Environment } from '../../../src/config/dotenv.ts';
import { stopMs } from '../../../src/machines/service.ts';
import { isProcessAlive } from '../../../src/platform/process.ts';
import { Primary } from '../../../src/service/workers/primary.ts';
import { silentLimitMs } from '../../../src/service/workers/shares.ts';
import { findPort } from '../../support/free-port.ts';
import { get, Host, leave, occupy, root, until } from '../support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

const program = join(root, 'src/service/main.ts');

const workers = (): number[] =>
  childrenOf(process.pid)
    .filter(({ words }) => words.includes(program) && words.includes('worker'))
    .map(({ pid }) => pid);

/** Also by somebody who never answers. */
const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

async function run(changes: Environment) {
  const printed: string[] = [];
  const environment = {
    ...host.environment({ WORKERS: '2', INSTANCE_ID: 'shop', ...changes }),
    PATH: process.env.PATH,
    NODE_OPTIONS: '--conditions=holdfast-source --disable-warning=ExperimentalWarning',
  };
  const primary = new Primary({ count: 2, program, environment, print: (text) => printed.push(text) });
  const exitCode = primary.run();
  host.onClose(async () => {
    primary.request('the end of the test');
    primary.request('the end of the test');
    await exitCode;
  });
  return { primary, exitCode, printed };
}

it('a worker that is killed is started anew, the other one serves meanwhile, and a request to stop ends both', async () => {
  const port = await findPort();
  const { primary, exitCode, printed } = await run({ PORT: String(port) });
  await until(() => printed.some((line) => line.startsWith('Running.')));
  expect(workers()).toHaveLength(2);
  const [victim = 0] = workers();
  process.kill(victim, 'SIGKILL');
  await until(() => printed.some((line) => line.includes('ended (SIGKILL). It is started anew in 3 s.')));
  expect((await get(port, '/ready'))?.status).toBe(200);
  await until(() => printed.some((line) => /^worker \d: Running\./.test(line)));
  expect(workers()).toHaveLength(2);
  // Without any that serves meanwhile one of them comes at once.
  for (const pid of workers()) process.kill(pid, 'SIGKILL');
  await until(() => printed.some((line) => /It is started anew (at once|in 1 s)\./.test(line)));
  await until(() => printed.filter((line) => line.includes('ended (SIGKILL)')).length === 3);
  const all = workers();
  primary.request('SIGTERM');
  expect(await exitCode).toBe(0);
  expect(printed.at(-1)).toBe('Stopped.');
  expect(all.filter(isProcessAlive)).toEqual([]);
  expect(await get(port, '/live')).toBeNull();
}, 60_000);

it('a worker that is frozen gets no connection, though it was handed none since', async () => {
  const port = await findPort();
  const { printed } = await run({ PORT: String(port) });
  await until(() => printed.some((line) => line.startsWith('Running.')));
  const [frozen = 0] = workers();
  process.kill(frozen, 'SIGSTOP');
  host.onClose(async () => void process.kill(frozen, 'SIGCONT'));
  await sleep(silentLimitMs + 500);
  const answers = await Promise.all(Array.from({ length: 4 }, () => get(port, '/live')));
  expect(answers.map((answer) => answer?.status)).toEqual([200, 200, 200, 200]);
}, 60_000);

it('a worker that is frozen holds up no stop: the port closes without it, and it is killed', async () => {
  const port = await findPort();
  const { primary, exitCode, printed } = await run({ PORT: String(port), DRAIN_MS: '1' });
  await until(() => printed.some((line) => line.startsWith('Running.')));
  const all = workers();
  const [frozen = 0, other = 0] = all;
  process.kill(frozen, 'SIGSTOP');
  host.onClose(async () => isProcessAlive(frozen) && void process.kill(frozen, 'SIGKILL'));
  primary.request('SIGTERM');
  await until(() => !isProcessAlive(other));
  await until(async () => !(await isTaken(port)));
  // It is killed only when its own time would be over.
  expect(isProcessAlive(frozen)).toBe(true);
  expect(await exitCode).toBe(0);
  expect(printed.slice(-2)).toEqual([
    expect.stringMatching(/^worker \d: does not end\. It is killed\.$/),
    'Stopped.',
  ]);
  expect(all.filter(isProcessAlive)).toEqual([]);
}, 60_000);

it('a second request does not wait for a worker that is frozen', async () => {
  const { primary, exitCode, printed } = await run({ DRAIN_MS: '600000' });
  await until(() => printed.some((line) => line.startsWith('Running.')));
  const all = workers();
  for (const pid of all) process.kill(pid, 'SIGSTOP');
  host.onClose(async () => {
    for (const pid of all.filter(isProcessAlive)) process.kill(pid, 'SIGKILL');
  });
  primary.request('SIGTERM');
  const askedAtMs = performance.now();
  primary.request('SIGTERM');
  expect(await exitCode).toBe(0);
  expect(performance.now() - askedAtMs).toBeLessThan(stopMs);
  expect(all.filter(isProcessAlive)).toEqual([]);
}, 60_000);

it('a port that is taken is told once, and ends with 1', async () => {
  const { port, server } = await occupy(0);
  const { exitCode, printed } = await run({ PORT: String(port) });
  expect(await exitCode).toBe(1);
  const text = printed.join('\n');
  expect(text.match(/the port is taken: 127\.0\.0\.1:\d+/g)).toEqual([
    `the port is taken: 127.0.0.1:${port}`,
  ]);
  expect(printed.at(-1)).toBe('Not started.');
  expect(workers()).toEqual([]);
  await leave(server);
}, 60_000);

it('a request while the workers start ends them', async () => {
  const { primary, exitCode, printed } = await run({});
  await until(() => workers().length === 2);
  primary.request('SIGINT');
  primary.request('SIGINT');
  expect(await exitCode).toBe(0);
  expect(printed.at(-1)).toBe('Stopped.');
  expect(workers()).toEqual([]);
}, 60_000);
