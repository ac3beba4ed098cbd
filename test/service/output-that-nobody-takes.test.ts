/** Processes whose log goes to a full disk, or to somebody who does not read it. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPort } from '../support/free-port.ts';
import { get, Host, pinnedNode, root, until } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

/** An agent whose faults are logged: with 1 ms between them, more than a pipe holds within a second. */
const faulty = (everyMs: number): string => `
setInterval(() => Promise.reject(new RangeError('x')), ${everyMs});
export default { name: 'faulty', instructions: 'Answer.', greeting: 'Hello.' };
`;

interface Started {
  child: ChildProcess;
  ended: Promise<number | string | null>;
}

/** Resolves when the service is ready and has logged for a second. */
async function start(output: StdioOptions, everyMs: number, workers = '1'): Promise<Started> {
  const agent = join(host.folder, 'agent.ts');
  writeFileSync(agent, faulty(everyMs));
  const ports = { PORT: String(await findPort()), ADMIN_PORT: String(await findPort()) };
  const environment = host.environment({ ...ports, AGENT: agent, LOG_LEVEL: 'error', WORKERS: workers });
  const main = join(root, 'src', 'service', 'main.ts');
  const child = spawn(pinnedNode, ['--conditions=holdfast-source', main], {
    cwd: host.folder,
    env: { PATH: process.env.PATH, ...environment } as NodeJS.ProcessEnv,
    stdio: output,
  });
  host.onClose(() => child.kill('SIGKILL'));
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  await until(async () => (await get(Number(ports.ADMIN_PORT), '/health')) !== null);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return { child, ended };
}

/** Nobody reads what comes there. */
const unread = (): StdioOptions => ['ignore', 'pipe', 'pipe'];

function onFullDisk(): StdioOptions {
  const descriptor = openSync('/dev/full', 'w');
  host.onClose(() => closeSync(descriptor));
  return ['ignore', descriptor, descriptor];
}

/** User and system time, seconds. */
function cpuSeconds({ pid }: ChildProcess): number {
  const [, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.join(') ').split(' ').slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / 100;
}

describe.each([
  ['that a full disk does not take', onFullDisk],
  ['that nobody reads', unread],
])('output %s', (_, output) => {
  it('holds up no end', async () => {
    const { child, ended } = await start(output(), 1);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  }, 30_000);

  it('holds up no end of workers and their primary', async () => {
    const { child, ended } = await start(output(), 1, '2');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  }, 30_000);
});

it('a line that cannot be written is no fault that would be logged again', async () => {
  const { child } = await start(onFullDisk(), 500);
  const before = cpuSeconds(child);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(cpuSeconds(child) - before).toBeLessThan(1);
}, 30_000);
