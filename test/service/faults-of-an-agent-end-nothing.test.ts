/** A process in which the agent's code leaves a rejection unhandled. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'holdfast-fault-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const agent = `
setTimeout(() => Promise.reject(new RangeError('the caller said something private')), 300);
export default { name: 'faulty', instructions: 'Answer.', greeting: 'Hello.' };
`;

const environment = {
  ...process.env,
  AGENT: join(directory, 'agent.ts'),
  PORT: '0',
  ADMIN_PORT: '0',
  PUBLIC_URL: 'http://127.0.0.1:8080',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_API_URL: 'http://127.0.0.1:9',
  OPENAI_API_KEY: 'sk-offline',
  OPENAI_REALTIME_URL: 'ws://127.0.0.1:9/v1/realtime',
  JOURNAL_URL: `sqlite:${join(directory, 'calls.db')}`,
  LOG_LEVEL: 'error',
};

test('a rejection that nobody handles is logged without its words, and the service goes on', async () => {
  writeFileSync(environment.AGENT, agent);
  const main = join(root, 'src', 'service', 'main.ts');
  const child = spawn(process.execPath, ['--conditions=holdfast-source', main], {
    cwd: root,
    env: environment,
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  for (let attempt = 0; attempt < 150 && !output.includes('outside of any call'); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(output).toContain('something failed outside of any call');
  expect(output).toContain('RangeError');
  expect(output).not.toContain('private');
  expect(child.exitCode).toBeNull();
  child.kill('SIGTERM');
  expect(await closed).toBe(0);
}, 30_000);
