/** `calls`, `show` and `replay`: what a stranger reads, what a program reads, and the exit codes. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { version } from '../../src/platform/version.ts';
import { callerNumber, callSid } from '../service/rig.ts';
import { type CallFolder, type Change, endedCall, folderWithCalls, liveCall } from './journal-of-calls.ts';
import { run } from './run-command.ts';

let folder: CallFolder;
const runHere = (words: string) => run(words, { JOURNAL_URL: `sqlite:${folder.journalPath}` });
beforeAll(async () => {
  folder = await folderWithCalls();
});
afterAll(() => folder.remove());

/** What a command makes of a journal whose ended call is not as it was. */
async function withChanged(change: Change, words: string) {
  const changed = await folderWithCalls(change);
  const outcome = await run(words, { JOURNAL_URL: `sqlite:${changed.journalPath}` });
  changed.remove();
  return outcome;
}

describe('calls', () => {
  it('is a table, newest first, whose columns stand below their heads', async () => {
    const { code, out } = await runHere('calls');
    expect(code).toBe(0);
    const [head = '', first = '', second = '', ...more] = out.split('\n');
    expect(more).toEqual([]);
    expect(first.startsWith(liveCall)).toBe(true);
    expect(second.startsWith(endedCall)).toBe(true);
    expect(second).toMatch(/ 2026-01-01 00:00:00 UTC {4,}[\d.]+ s {2,}\d+ {2}caller\.hungUp$/);
    expect(first).toMatch(/ live {2,}\d+ {2}live: carrier streaming, model ready/);
    expect(second.indexOf('2026')).toBe(head.indexOf('started'));
    expect(second.indexOf('caller.hungUp')).toBe(head.indexOf('end or state'));
    expect(second.search(/ s {2}/) + 2).toBe(head.indexOf('duration') + 'duration'.length);
  });

  it('is as many calls as were asked for', async () => {
    const { out } = await runHere('calls --limit 1');
    expect(out.split('\n')).toHaveLength(2);
  });

  it('is JSON for programs', async () => {
    const { out } = await runHere('calls --json');
    const calls = JSON.parse(out);
    expect(calls.map(({ callId }: { callId: string }) => callId)).toEqual([liveCall, endedCall]);
    expect(calls[1]).toMatchObject({
      direction: 'incoming',
      startedAt: '2026-01-01T00:00:00.000Z',
      endReason: 'caller.hungUp',
      owner: null,
      state: 'ended',
    });
    expect(calls[0]).toMatchObject({ endedAt: null, durationMs: null, owner: 'one' });
  });

  it('shows no number', async () => {
    for (const words of ['calls', 'calls --json'])
      expect((await runHere(words)).out).not.toContain(callerNumber);
  });
});

describe('show', () => {
  it('is the log with times, fields and what they stand for', async () => {
    const { code, out } = await runHere(`show ${endedCall}`);
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(
      new RegExp(
        `^call ${endedCall}, incoming, 2026-01-01 00:00:00 UTC, lasted [\\d.]+ s, ended: caller.hungUp$`,
      ),
    );
    expect(lines[2]).toBe('  seq    seconds  entry');
    expect(out).toContain(`from="${callerNumber}"`);
    expect(out).toMatch(
      /^ +\d+ {6}1\.300 {2}tool\.requested +toolCallId=tool1 .*arguments="{\\"what\\":\\"it\\"}"$/m,
    );
    expect(out).toMatch(/call\.ended +reason=caller\.hungUp$/m);
    expect(out).not.toContain('settings');
  });

  it('is of a live call as far as it has come', async () => {
    expect((await runHere(`show ${liveCall}`)).out).toContain('still live, live: carrier streaming');
  });

  it('is JSON for programs, with payloads', async () => {
    const { out } = await runHere(`show ${endedCall} --json`);
    const { call, entries } = JSON.parse(out);
    expect(call).toMatchObject({ callId: endedCall, endReason: 'caller.hungUp' });
    expect(entries[0]).toMatchObject({ type: 'call.created', payloads: { from: callerNumber } });
    expect(entries.at(-1)).not.toHaveProperty('payloads');
    const transcripts = entries.flatMap(({ payloads }: { payloads?: { transcript?: string } }) =>
      payloads?.transcript === undefined ? [] : [payloads.transcript],
    );
    expect(transcripts).toEqual([
      'Hello, this is the clerk.',
      'Is it ready?',
      'It is ready and you can have it',
    ]);
  });

  it('shows what was erased as erased', async () => {
    const erase: Change = (commit) => ({ ...commit, payloads: [] });
    const shown = await withChanged(erase, `show ${endedCall}`);
    expect(shown.out).toContain('from=(erased)');
    expect(shown.out).not.toContain(callerNumber);
    const json = await withChanged(erase, `show ${endedCall} --json`);
    expect(JSON.parse(json.out).entries[0].payloads.from).toBeNull();
    expect((await withChanged(erase, `replay ${endedCall}`)).code).toBe(0);
  });

  it('puts long content and what no terminal should get into safe words', async () => {
    const strange: Change = (commit) => ({
      ...commit,
      entries: commit.entries.map((entry) =>
        entry.type === 'tool.requested' ? { ...entry, name: 'look\u001b[2Jup' } : entry,
      ),
      payloads: commit.payloads.map((payload) =>
        payload.name === 'arguments' ? { ...payload, content: `\u001b[2J${'a'.repeat(500)}` } : payload,
      ),
    });
    const { out } = await withChanged(strange, `show ${endedCall}`);
    expect(out).not.toContain('\u001b');
    expect(out).toContain('name="look\\u001b[2Jup"');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(400);
  });
});

describe('replay', () => {
  it('shows each entry, the states after it and what it asked for, and that all is as it was stored', async () => {
    const { code, out } = await runHere(`replay ${endedCall}`);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^ {4}3 {6}0\.000 {2}call\.answered\n +→ live: carrier awaitingStream.*\n +! openModel \(generation 1\)$/m,
    );
    expect(out).toMatch(/! runTool \(toolCallId tool1\)$/m);
    expect(out).toMatch(
      /→ ended\n\n(\d+) entries replayed: the states are those that were stored, (\d+) of \2\.$/,
    );
  });

  it('is JSON for programs', async () => {
    const { out, code } = await runHere(`replay ${endedCall} --json`);
    expect(code).toBe(0);
    const steps = JSON.parse(out);
    expect(steps[0]).toMatchObject({
      seq: 1,
      type: 'call.created',
      state: 'ringing',
      commands: [],
      matches: true,
    });
    expect(steps.at(-1)).toMatchObject({ type: 'call.ended', state: 'ended' });
  });

  it('fails where a stored state differs, and says where', async () => {
    const tamper: Change = (commit, index) =>
      index === 4 ? { ...commit, row: { ...commit.row, state: { live: { carrier: 'lost' } } } } : commit;
    const { code, out } = await withChanged(tamper, `replay ${endedCall}`);
    expect(code).toBe(1);
    const differing = out.match(/^ +(\d+) .*\n( +[→!].*\n)* +✗ stored was live: carrier lost$/m);
    expect(differing?.[1]).toBeDefined();
    expect(out).toMatch(
      new RegExp(`1 of \\d+ stored states DIFFER, the first one after entry ${differing?.[1]}\\.$`),
    );
    const json = await withChanged(tamper, `replay ${endedCall} --json`);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out).filter(({ matches }: { matches: boolean }) => !matches)).toHaveLength(1);
  });

  it('fails where an entry makes no sense, and names it', async () => {
    const tamper: Change = (commit) => ({
      ...commit,
      entries: commit.entries.map((entry) =>
        entry.type === 'call.answered' ? { ...entry, by: 'nobody' } : entry,
      ),
    });
    const { code, error } = await withChanged(tamper, `replay ${endedCall}`);
    expect(code).toBe(1);
    expect(error).toContain(`call ${endedCall}, entry 3`);
    expect(error).not.toMatch(/^\s+at /m);
  });

  it('fails for a log from a newer version, and says so', async () => {
    const future: Change = (commit) => ({
      ...commit,
      entries: commit.entries.map((entry) =>
        entry.type === 'call.created' ? { ...entry, chart: 99 } : entry,
      ),
    });
    const { code, error } = await withChanged(future, `replay ${endedCall}`);
    expect(code).toBe(1);
    expect(error).toContain('written by a newer Holdfast, with chart 99');
    expect((await withChanged(future, `show ${endedCall}`)).error).toBe(error);
  });
});

describe('what cannot be had', () => {
  it('is a call that is not there: named, with how to find those that are', async () => {
    for (const command of ['show', 'replay']) {
      const { code, out, error } = await runHere(`${command} ${callSid(9)}`);
      expect(code).toBe(1);
      expect(out).toBe('');
      expect(error).toBe(`There is no call ${callSid(9)}. \`holdfast calls\` lists those there are.`);
    }
  });

  it('is a journal that is not there, and none is made', async () => {
    const path = join(folder.path, 'nowhere.db');
    const { code, error } = await run('calls', { JOURNAL_URL: `sqlite:${path}` });
    expect(code).toBe(1);
    expect(error).toContain(`There is no journal at ${path}`);
    expect(existsSync(path)).toBe(false);
  });

  it('is a journal in memory', async () => {
    const { code, error } = await run('calls', { JOURNAL_URL: 'memory:' });
    expect([code, error]).toEqual([1, 'JOURNAL_URL is memory: what it holds ends with its process.']);
  });

  it('is a journal of another kind', async () => {
    const { code, error } = await run('calls', { JOURNAL_URL: 'mysql://root:secret@db/calls' });
    expect(code).toBe(1);
    expect(error).toContain('JOURNAL_URL');
    expect(error).not.toContain('secret');
  });

  it('is a file that is no journal', async () => {
    const path = join(folder.path, 'garbage.db');
    writeFileSync(path, 'garbage '.repeat(1_000));
    const { code, error } = await run('calls', { JOURNAL_URL: `sqlite:${path}` });
    expect(code).toBe(1);
    expect(error).toContain(path);
  });

  it('is nothing in an empty journal', async () => {
    const path = join(folder.path, 'empty.db');
    writeFileSync(path, '');
    const { code, out } = await run('calls', { JOURNAL_URL: `sqlite:${path}` });
    expect([code, out]).toEqual([0, 'No calls yet.']);
    expect((await run('calls --json', { JOURNAL_URL: `sqlite:${path}` })).out).toBe('[]');
  });
});

describe('a command line that makes no sense', () => {
  it.each([
    ['', /^holdfast: look at calls/],
    ['bogus', /^There is no command bogus\n\nholdfast: /],
    ['show', /^show needs the id of a call/],
    ['replay', /^replay needs the id of a call/],
    ['number', /^number knows one thing: point-here/],
    ['calls now', /^calls takes no further words/],
    ['show a b', /^b is too much/],
    ['calls --foo', /^Unknown option '--foo'\n/],
    ['calls --limit 0', /^--limit must be a whole number/],
    ['calls --limit=-1', /^--limit must be a whole number/],
    ['calls --limit many', /^--limit must be a whole number/],
  ])('is answered with what is wrong and with the usage: %s', async (words, expected) => {
    const { code, out, error } = await runHere(words);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(error).toMatch(expected);
    expect(error).toContain('holdfast replay <callId>');
  });

  it('is told apart from a question for help', async () => {
    for (const words of ['--help', 'calls -h', 'help']) {
      const { code, out } = await runHere(words);
      expect(code).toBe(0);
      expect(out).toContain('holdfast calls [--limit 20] [--json]');
    }
  });

  it('is told apart from a question for the version', async () => {
    expect(await runHere('--version')).toEqual({ code: 0, out: version, error: '' });
  });
});
