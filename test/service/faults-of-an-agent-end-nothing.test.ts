/** Processes in which the agent's code leaves something unhandled. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'holdfast-fault-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

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

let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

interface Started {
  process: ChildProcess;
  /** With the exit code. */
  closed: Promise<number | null>;
  output(): string;
  until(text: string): Promise<void>;
}

/** @param code of the agent's file, beside its definition */
function start(code: string, more: Record<string, string> = {}): Started {
  writeFileSync(
    environment.AGENT,
    `${code}\nexport default { name: 'faulty', instructions: 'Answer.', greeting: 'Hello.' };\n`,
  );
  const main = join(root, 'src', 'service', 'main.ts');
  const started = spawn(process.execPath, ['--conditions=holdfast-source', main], {
    cwd: root,
    env: { ...environment, ...more },
  });
  child = started;
  let output = '';
  for (const stream of [started.stdout, started.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  return {
    process: started,
    closed: new Promise((resolve) => started.once('close', resolve)),
    output: () => output,
    until: async (text) => {
      for (let attempt = 0; attempt < 150 && !output.includes(text); attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(output).toContain(text);
    },
  };
}

const noted = 'something failed outside of any call';

describe('a rejection that nobody handles', () => {
  it('is logged without its words, and the service goes on', async () => {
    const service = start(
      "setTimeout(() => Promise.reject(new RangeError('the caller said something private')), 300);",
    );
    await service.until(noted);
    expect(service.output()).toContain('RangeError');
    expect(service.output()).not.toContain('private');
    expect(service.process.exitCode).toBeNull();
    service.process.kill('SIGTERM');
    expect(await service.closed).toBe(0);
  }, 30_000);

  it('is logged also where it cannot be read, and the service goes on', async () => {
    const service = start(
      "setTimeout(() => Promise.reject(Object.assign(new RangeError('x'), { stack: { frames: [] } })), 300);",
    );
    await service.until(noted);
    expect(service.process.exitCode).toBeNull();
    service.process.kill('SIGTERM');
    expect(await service.closed).toBe(0);
  }, 30_000);
});

/** Runs the code as soon as the test says so, and not again. */
const onceTold = (code: string, path: string): string => `
import { existsSync } from 'node:fs';
import { EventEmitter } from 'node:events';
const looks = setInterval(() => {
  if (!existsSync('${path}')) return;
  clearInterval(looks);
  ${code}
}, 20);`;

const uncaught: [string, string][] = [
  ['thrown in a timer', "throw new RangeError('the caller said something private');"],
  [
    'an error that an emitter tells nobody of',
    "new EventEmitter().emit('error', new RangeError('private'));",
  ],
  ['that cannot be read', "throw Object.assign(new RangeError('private'), { stack: { frames: [] } });"],
];

describe('an exception that nobody catches', () => {
  it.each(uncaught)(
    'is logged without its words, and the service goes on: %s',
    async (what, code) => {
      const told = join(directory, `told ${what}`);
      const service = start(onceTold(code, told));
      await service.until('console http');
      writeFileSync(told, '');
      await service.until(noted);
      expect(service.output()).toContain('RangeError');
      expect(service.output()).not.toContain('private');
      expect(service.process.exitCode).toBeNull();
      service.process.kill('SIGTERM');
      expect(await service.closed).toBe(0);
    },
    30_000,
  );

  it('ends no worker', async () => {
    const told = join(directory, 'told workers');
    const service = start(onceTold("throw new RangeError('x');", told), { WORKERS: '2' });
    await service.until('console http');
    writeFileSync(told, '');
    await service.until(noted);
    service.process.kill('SIGTERM');
    expect(await service.closed).toBe(0);
    expect(service.output().split(noted)).toHaveLength(3);
    expect(service.output()).not.toContain('started anew');
  }, 30_000);

  it('ends a start, before any call could come, and is told whole', async () => {
    const service = start("setTimeout(() => { throw new RangeError('too early'); });");
    expect(await service.closed).toBe(1);
    expect(service.output()).toContain('RangeError: too early');
  }, 30_000);
});
