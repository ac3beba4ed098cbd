/** `node bin/holdfast.js` from a folder of the user's own, and from the package as it is published. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { blockIn } from '../end-to-end/support/commands.ts';
import { readText } from '../rules/support/sources.ts';
import { type CallFolder, endedCall, folderWithCalls, liveCall } from './journal-of-calls.ts';
import { holdfast, root } from './run-command.ts';

/** No call is to be served: the journal is a file of another kind. */
const startsUpToTheJournal = {
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'none',
  OPENAI_API_KEY: 'none',
  PUBLIC_URL: 'http://127.0.0.1:1',
  JOURNAL_URL: 'sqlite:package.json',
  LOG_LEVEL: 'silent',
};

let folder: CallFolder;
beforeAll(async () => {
  folder = await folderWithCalls((commit, index) =>
    index === 4 ? { ...commit, row: { ...commit.row, state: 'elsewhere' } } : commit,
  );
});
afterAll(() => folder.remove());

describe('holdfast', () => {
  it('finds the default journal in the folder where it is run', async () => {
    const { code, out, error } = await holdfast(['calls', '--json'], folder.path);
    expect([code, error]).toEqual([0, '']);
    expect(JSON.parse(out).map(({ callId }: { callId: string }) => callId)).toEqual([liveCall, endedCall]);
  });

  it('passes the exit code on: 1 where a replay differs, 2 where the words make no sense', async () => {
    const [shown, replayed, nonsense] = await Promise.all([
      holdfast(['show', endedCall], folder.path),
      holdfast(['replay', endedCall], folder.path),
      holdfast(['bogus'], folder.path),
    ]);
    expect([shown.code, replayed.code, nonsense.code]).toEqual([0, 1, 2]);
    expect(shown.out).toContain('call.created');
    expect(replayed.out).toContain('DIFFER');
    expect(nonsense.error).toContain('There is no command bogus');
  });

  it('reads .env where there is one', async () => {
    writeFileSync(join(folder.path, '.env'), 'JOURNAL_URL=sqlite:data/other.db\n');
    const { code, error } = await holdfast(['calls'], folder.path);
    rmSync(join(folder.path, '.env'));
    expect(code).toBe(1);
    expect(error).toContain('There is no journal at data/other.db');
  });

  it('takes no offence at a reader that has seen enough', () => {
    const { stdout, stderr } = spawnSync(
      'sh',
      ['-c', `node '${join(root, 'bin', 'holdfast.js')}' replay ${endedCall} | head -n 1`],
      { cwd: folder.path, encoding: 'utf8' },
    );
    expect(stdout).toContain(`call ${endedCall}`);
    expect(stderr).toBe('');
  });

  it('runs in this process the same way', async () => {
    const print = vi.spyOn(console, 'log').mockReturnValue();
    const before = process.exitCode;
    vi.spyOn(process, 'cwd').mockReturnValue(folder.path);
    vi.stubEnv('JOURNAL_URL', `sqlite:${folder.journalPath}`);
    process.argv.splice(2, Number.POSITIVE_INFINITY, 'replay', endedCall);
    await import('../../src/cli/main.ts');
    expect(process.exitCode).toBe(1);
    expect(print.mock.calls.flat().join()).toContain('DIFFER');
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
    process.stdout.listeners('error').at(-1)?.(new Error('EPIPE'));
    expect(exit).toHaveBeenCalledWith(0);
    process.stdout.removeAllListeners('error');
    process.exitCode = before;
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
});

describe('the published package', () => {
  it('has everything that the command line needs, and nothing of the sources', {
    timeout: 60_000,
  }, async () => {
    const place = mkdtempSync(join(tmpdir(), 'holdfast-package-'));
    try {
      // Built from a copy: other tests may be reading the clone.
      const clone = join(place, 'clone');
      mkdirSync(clone);
      for (const name of ['src', 'agents', 'scripts', 'bin', 'docs', 'package.json', 'tsconfig.json']) {
        cpSync(join(root, name), join(clone, name), { recursive: true });
      }
      for (const name of ['tsconfig.build.json', 'tsconfig.page.json'])
        cpSync(join(root, name), join(clone, name));
      symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
      const node = join(root, 'node_modules', '.bin', 'node');
      execFileSync(node, ['scripts/build.ts'], { cwd: clone, stdio: 'pipe' });
      execFileSync('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', place], {
        cwd: clone,
        stdio: 'pipe',
      });
      execFileSync('sh', ['-c', `tar -xzf '${place}'/holdfast-*.tgz -C '${place}'`]);
      const installed = join(place, 'package');
      symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'));
      expect(spawnSync('ls', [installed], { encoding: 'utf8' }).stdout.split('\n')).not.toContain('src');
      const { status, stdout, stderr } = spawnSync(
        'node',
        [join(installed, 'bin', 'holdfast.js'), 'calls', '--json'],
        { cwd: folder.path, encoding: 'utf8' },
      );
      expect([status, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toHaveLength(2);

      const project = join(place, 'project');
      mkdirSync(join(project, 'node_modules'), { recursive: true });
      writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
      symlinkSync(installed, join(project, 'node_modules', 'holdfast'));
      symlinkSync(join(root, 'node_modules', 'zod'), join(project, 'node_modules', 'zod'));
      for (const file of ['shop.ts', 'shop.js']) {
        writeFileSync(join(project, file), blockIn(readText('docs/guides/writing-an-agent.md'), 'ts'));
        const start = spawnSync(node, ['node_modules/holdfast/dist/src/service/main.js'], {
          cwd: project,
          encoding: 'utf8',
          env: { ...startsUpToTheJournal, AGENT: file },
        });
        expect(start.stdout).toMatch(new RegExp(`configuration +ok .*agent ${file}`));
        expect(start.stdout).toMatch(/journal +FAILED/);
      }
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });
});
