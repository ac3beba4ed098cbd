/** Every command in the guide about testing an agent does what it says, and its example is one that passes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readText } from '../rules/support/sources.ts';
import { findPort } from '../support/free-port.ts';
import { blockIn, commandsIn, root, run } from './support/commands.ts';

const guide = readText('docs/guides/testing-an-agent.md');
const [twin, scripted, calls, show, example, ...others] = commandsIn(guide);
const journal = join(root, 'data', 'test.db');
const patienceMs = 120_000;
const freePorts = '--twilio-port 0 --openai-port 0';

const removeJournal = (): void => {
  for (const end of ['', '-shm', '-wal']) rmSync(`${journal}${end}`, { force: true });
};
// Whoever followed the guide by hand has left one.
beforeAll(removeJournal);
afterAll(removeJournal);

/** What a twin prints until it can be called. */
async function printedBy(command: string): Promise<string> {
  const { output } = await run(command, {}, { prints: /(Press Enter)/, visit: async () => undefined });
  return output;
}

test('the commands are those that are tested here', () => {
  expect(others).toEqual([]);
  expect([twin, calls, show]).toEqual(['npm run twin', 'npx holdfast calls', 'npx holdfast show <callId>']);
  expect(scripted).toBe('npm run twin -- --script shop.json');
  expect(example).toBe('npx node --conditions=holdfast-source agents/front-desk.test.ts');
});

test('the twin says how the service is started, with and without a script', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-guide-'));
  const file = join(directory, 'shop.json');
  writeFileSync(file, blockIn(guide, 'json'));
  const outputs = [
    await printedBy(`${twin} -- ${freePorts}`),
    await printedBy(`${scripted?.replace('shop.json', file)} ${freePorts}`),
  ];
  for (const output of outputs) expect(output).toMatch(/OPENAI_REALTIME_URL=ws:[\s\S]*npm start/);
  rmSync(directory, { recursive: true });
}, 30_000);

test(
  'the example is the file that it names, passes, and leaves calls that can be shown',
  async () => {
    expect(blockIn(guide, 'ts')).toBe(readText('agents/front-desk.test.ts'));
    const passed = await run(example ?? '', { PORT: String(await findPort()) });
    expect(passed.output).toMatch(/pass 2/);
    expect(passed.code).toBe(0);
    const environment = { JOURNAL_URL: `sqlite:${journal}` };
    const { output } = await run(calls ?? '', environment);
    const ids = output.match(/CA[0-9a-f]{32}/g) ?? [];
    expect(ids.length).toBe(2);
    const shown = await run(show?.replace('<callId>', ids[0] ?? '') ?? '', environment);
    expect(shown.output).toContain('stream.failed');
    expect(shown.code).toBe(0);
  },
  patienceMs,
);

test('each fault that there is is named', () => {
  const named = (path: string, word: string): string[] => [
    ...new Set(
      [...readText(path).matchAll(new RegExp(`\\{ ${word}: '(\\w+)'`, 'g'))].map(([, name = '']) => name),
    ),
  ];
  const rows = [...guide.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => name);
  const ofStreams = named('src/twin/twilio/faults.ts', 'fault');
  const ofModel = named('src/twin/openai/faults.ts', 'kind');
  expect(ofStreams.length).toBe(10);
  expect(ofModel.length).toBe(10);
  expect([...ofStreams, ...ofModel].filter((name) => !rows.includes(name))).toEqual([]);
});
