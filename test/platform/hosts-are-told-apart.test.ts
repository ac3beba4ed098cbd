/** By what a process knows that the process ids of another one are those that it sees itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { hostDigest, type PidSpaceFiles } from '../../src/platform/process.ts';
import { leaveOut } from '../support/leave-out.ts';

const source = new URL('../../src/platform/process.ts', import.meta.url).href;
const program = `import { hostDigest } from '${source}'; console.log(hostDigest());`;
const node = [process.execPath, '--input-type=module', '--eval', program] as const;

function filesOf(bootId: string, pidSpace: string): PidSpaceFiles {
  const contents: Record<string, string> = {
    '/proc/sys/kernel/random/boot_id': `${bootId}\n`,
    '/proc/self/ns/pid': `pid:[${pidSpace}]`,
  };
  const read = (path: string): string => contents[path] ?? '';
  return { readFile: read, readLink: read };
}

const none: PidSpaceFiles = {
  readFile: () => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  },
  readLink: () => {
    throw Object.assign(new Error('permission denied'), { code: 'EACCES' });
  },
};

const ownPidSpace = ['--pid', '--fork', '--mount-proc'];
const maySplit = spawnSync('unshare', [...ownPidSpace, 'true']).status === 0;

describe('processes that share a host name', () => {
  it.each([
    ['another machine', filesOf('other', '1')],
    ['another container of one machine', filesOf('boot', '2')],
    ['a system that does not say', none],
  ])('are two hosts to each other, whatever they share besides: %s', (_, files) => {
    expect(hostDigest(files)).not.toBe(hostDigest(filesOf('boot', '1')));
    expect(hostDigest(files)).toMatch(/^[0-9a-f]{16}$/);
  });

  it('are one host to each other where they share the boot and the process ids', () => {
    expect(hostDigest(filesOf('boot', '1'))).toBe(hostDigest(filesOf('boot', '1')));
    expect(hostDigest(none)).toBe(hostDigest(none));
    const [path, ...parameters] = node;
    expect(execFileSync(path, parameters, { encoding: 'utf8' }).trim()).toBe(hostDigest());
  });

  it('are two hosts to each other where each has process ids of its own', (context) => {
    if (!maySplit) leaveOut(context, 'this account may make no namespace of process ids');
    const digest = execFileSync('unshare', [...ownPidSpace, ...node], { encoding: 'utf8' }).trim();
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(digest).not.toBe(hostDigest());
  });
});
