/** Every command in the README does what it says, in the order in which a stranger pastes them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandsIn, type Finished, root, run } from './support/commands.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

const commands = commandsIn(readme);

test('the commands of the README are those that are tested here or by the build', () => {
  expect(commands).toEqual([
    'npm ci && npm run demo',
    'npx holdfast calls',
    'npx holdfast show <callId>',
    'npx holdfast replay <callId>',
    'npm run demo -- --keep',
    'npm ci && npm test',
    'cp .env.example .env',
    'npm start',
  ]);
  const build = readFileSync(join(root, '.ci', 'run'), 'utf8');
  for (const command of ['npm ci', 'npm test', 'npm run demo']) expect(build).toContain(command);
});

describe('the demo', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-readme-'));
  const environment = { JOURNAL_URL: `sqlite:${join(directory, 'demo.db')}`, NO_COLOR: '1' };
  let demo: Finished;
  let page: string;
  let listed: unknown;

  beforeAll(async () => {
    demo = await run('npm run demo -- --keep', environment, {
      prints: /console is at (http:\S+)\. /,
      visit: async (console) => {
        page = await (await fetch(console)).text();
        listed = await (await fetch(`${console}/api/calls`)).json();
      },
    });
  }, 120_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('ends well, and shows who speaks, the interruption, the tool, the states and the times', () => {
    expect(demo.output).toMatch(/caller {2}“Hi, I'd like to know if my bike is ready\./);
    expect(demo.output).toMatch(/agent {3}“Spoke and Wheel, good day! How can I help you\?”/);
    expect(demo.output.match(/agent {3}“Good news:/g)).toHaveLength(1);
    expect(demo.output).toMatch(/speaks, \d\.\d\d s after the caller's last word/);
    expect(demo.output).toMatch(/cut {5}the caller interrupts; heard \d+\.\d s of \d+\.\d s/);
    expect(demo.output).toMatch(/tool {4}find_repair\(\{"number":"4712"\}\)/);
    expect(demo.output).toMatch(/chart {3}turn listening → callerSpeaking/);
    expect(demo.output).toMatch(/ended: agent\.hungUp/);
    expect(demo.output).toMatch(/the fold equals the stored states/);
  });

  test('stays, with a console that knows its call', () => {
    expect(page).toContain('<title>');
    expect(listed).toMatchObject({ calls: [{ endReason: 'agent.hungUp', from: '+15550123' }] });
    expect(demo.output).not.toMatch(/^\s+at /m);
  });

  test('leaves a call that can be listed, shown and replayed', async () => {
    const callId = /npx holdfast show (CA[0-9a-f]{32})/.exec(demo.output)?.[1] ?? 'none';
    const calls = await run('npx holdfast calls', environment);
    expect(calls).toMatchObject({ code: 0, output: expect.stringContaining(callId) });
    const show = await run(`npx holdfast show ${callId}`, environment);
    expect(show).toMatchObject({ code: 0, output: expect.stringContaining('reply.interrupted') });
    const replay = await run(`npx holdfast replay ${callId}`, environment);
    expect(replay).toMatchObject({
      code: 0,
      output: expect.stringContaining('the states are those that were stored'),
    });
  }, 60_000);
});

test('the demo says which options it has, and which it has not', async () => {
  const asked = await run('npm run demo -- --help', {});
  expect(asked).toMatchObject({ code: 0, output: expect.stringContaining('--keep') });
  const refused = await run('npm run demo -- --bogus', {});
  expect(refused).toMatchObject({ code: 2, output: expect.stringContaining('--keep') });
  expect(refused.output).not.toMatch(/^\s+at /m);
}, 30_000);

test('npm start with an empty .env names everything that is missing, without a stack trace', async () => {
  const nothing = Object.fromEntries(
    ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'OPENAI_API_KEY', 'PUBLIC_URL', 'NGROK_AUTHTOKEN'].map(
      (name) => [name, ''],
    ),
  );
  const { code, output } = await run('npm start', nothing);
  expect(code).toBe(1);
  for (const name of Object.keys(nothing)) expect(output).toContain(name);
  expect(output).not.toMatch(/^\s+at /m);
}, 30_000);
