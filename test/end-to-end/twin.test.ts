/** `npm run twin` beside `npm start`: two processes that know each other by their addresses only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { findPort } from '../support/free-port.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'holdfast-twin-'));
const running: { child: ChildProcess; closed: Promise<number | null> }[] = [];

afterEach(async () => {
  // A call is live: a gentler signal would wait for its end.
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map(({ closed }) => closed));
  rmSync(directory, { recursive: true, force: true });
});

function start(script: string, options: string[], environment: Record<string, string> = {}) {
  const parameters = ['--conditions=holdfast-source', join(root, script), ...options];
  const child = spawn(process.execPath, parameters, { cwd: root, env: { ...process.env, ...environment } });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  running.push({ child, closed });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const shows = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (let attempt = 0; attempt < 300; attempt++) {
      const match = pattern.exec(output);
      if (match) return match;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${script} never showed ${pattern}:\n${output}`);
  };
  return { child, closed, shows };
}

test('the twin says how to start the service beside it, and places a call that the service answers', async () => {
  const port = await findPort();
  const service = `http://127.0.0.1:${port}`;
  const twin = start('src/twin/main.ts', ['--service', service, '--twilio-port', '0', '--openai-port', '0']);
  await twin.shows(/Press Enter/);
  const [told] = await twin.shows(/TWILIO_ACCOUNT_SID=[\s\S]*npm start/);
  const environment = Object.fromEntries(
    [...told.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const npmStart = start('src/service/main.ts', [], {
    ...environment,
    ADMIN_PORT: String(await findPort()),
    JOURNAL_URL: `sqlite:${join(directory, 'calls.db')}`,
    LOG_LEVEL: 'silent',
  });
  await npmStart.shows(/Ready for calls/);
  twin.child.stdin?.write('\n');
  await twin.shows(/streamStarted/);
  await twin.shows(/agentStarted/);
}, 60_000);

test('the twin says what was wrong where nobody answers for the call', async () => {
  const service = `http://127.0.0.1:${await findPort()}`;
  const twin = start('src/twin/main.ts', ['--service', service, '--twilio-port', '0', '--openai-port', '0']);
  await twin.shows(/Press Enter/);
  twin.child.stdin?.write('\n');
  await twin.shows(/Twilio: 11205 HTTP connection failure: .+/);
}, 60_000);

test('the twin refuses a policy that it does not know, and names those there are', async () => {
  const twin = start('src/twin/main.ts', ['--policy', 'chance']);
  await twin.shows(/action, hold or end/);
  expect(await twin.closed).toBe(2);
});
