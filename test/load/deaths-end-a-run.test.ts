/** `npm run load`, whatever of it dies: it says so, and nothing that it started is left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Peers } from '../../scripts/load/peers.ts';
import { whileAlive } from '../../scripts/load/while-alive.ts';
import { childrenOf } from '../../scripts/process-figures.ts';
import { isProcessAlive } from '../../src/platform/process.ts';

const root = join(import.meta.dirname, '../..');
const limit = { timeout: 30_000, interval: 50 };

describe('the load tool', () => {
  /** Where the measured processes have their folders. */
  let folder: string;
  let tool: ChildProcess;
  let output: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-deaths-'));
    output = '';
    const parameters = ['--subject', 'relay', '--calls', '2', '--ramp', '100ms', '--minutes', '5'];
    tool = spawn(
      process.execPath,
      ['--conditions=holdfast-source', join(root, 'scripts/load.ts'), ...parameters],
      {
        env: { PATH: process.env.PATH, TMPDIR: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [tool.stdout, tool.stderr]) stream?.on('data', (text) => (output += text));
  });
  afterEach(() => {
    tool.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function children(): Promise<{ measured: number; peers: number }> {
    // The second one is sampled from: the run is under way.
    await expect.poll(() => output, limit).toContain('2 calls, p99');
    const found = childrenOf(tool.pid ?? 0);
    const pidOf = (file: string): number =>
      found.find(({ words }) => words.some((word) => word.endsWith(file)))?.pid ?? 0;
    return { measured: pidOf('relay-json.ts'), peers: pidOf('peers-process.ts') };
  }

  const strike = (pid: number): void => {
    expect(pid).toBeGreaterThan(0);
    process.kill(pid, 'SIGKILL');
  };

  it.each([
    ['what is measured', 'measured', 'no report: relay ended by SIGKILL'],
    ['the peers', 'peers', 'no report: the load peers ended by SIGKILL'],
  ] as const)(
    'ends with 1 and a sentence where %s dies',
    { timeout: 60_000 },
    async (_, victim, sentence) => {
      const pids = await children();
      strike(pids[victim]);
      const [code] = await once(tool, 'close');
      expect(code).toBe(1);
      expect(output).toContain(sentence);
      expect(output).not.toMatch(/^\s+at /m);
      expect(Object.values(pids).filter(isProcessAlive)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('takes what it started along where it is killed itself', { timeout: 60_000 }, async () => {
    const pids = await children();
    strike(tool.pid ?? 0);
    await expect.poll(() => Object.values(pids).filter(isProcessAlive), limit).toEqual([]);
  });
});

describe('the peers that are gone', () => {
  const running = (): number[] =>
    childrenOf(process.pid).flatMap(({ pid, words }) =>
      words.some((word) => word.endsWith('peers-process.ts')) ? [pid] : [],
    );

  it('refuse what is asked of them, before and after', { timeout: 30_000 }, async () => {
    const others = running();
    const peers = await Peers.start();
    const [pid = 0, ...more] = running().filter((each) => !others.includes(each));
    expect(more).toEqual([]);
    const asked = peers.place({ address: 'http://127.0.0.1:9', calls: 2, rampMs: 60_000, scenario: 'talk' });
    process.kill(pid, 'SIGKILL');
    await expect(asked).rejects.toThrow('the load peers ended by SIGKILL');
    await expect(peers.roll()).rejects.toThrow('the load peers ended by SIGKILL');
  });
});

describe('work that needs others', () => {
  it('ends by their death, and waits for nothing any more', async () => {
    const died = Promise.reject(new Error('gone'));
    let signal: AbortSignal | undefined;
    const work = (given: AbortSignal): Promise<never> => {
      signal = given;
      return new Promise(() => undefined);
    };
    await expect(whileAlive([died], work)).rejects.toThrow('gone');
    expect(signal?.aborted).toBe(true);
    expect(await whileAlive([new Promise<never>(() => undefined)], async () => 5)).toBe(5);
  });
});
