/** `export`: everything that is known of a call in one file, the same each time. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { callMachine } from '../../src/machines/call/machine.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { eraseCall } from '../../src/runtime/erasure.ts';
import { replay } from '../../src/runtime/history.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import type { CallExport } from '../../src/service/console/export.ts';
import { callerNumber } from '../service/rig.ts';
import { type CallFolder, endedCall, folderWithCalls, liveCall } from './journal-of-calls.ts';
import { run } from './run-command.ts';

let folder: CallFolder;
let journal: Journal;
beforeAll(async () => {
  folder = await folderWithCalls();
  journal = await openSqliteJournal(folder.journalPath, { clock });
});
afterAll(async () => {
  await journal.close();
  folder.remove();
});

const runHere = (words: string) => run(words, { JOURNAL_URL: `sqlite:${folder.journalPath}` });

async function exported(callId = endedCall): Promise<CallExport> {
  const { code, out } = await runHere(`export ${callId}`);
  expect(code).toBe(0);
  return JSON.parse(out);
}

describe('export', () => {
  it('holds the row, every entry with its payloads, and the states that were stored', async () => {
    const { call, entries, states, format } = await exported();
    const { commits } = await journal.read(endedCall, { fromStart: true });
    expect(format).toBe(1);
    expect([call]).toEqual(await journal.list({ callId: endedCall }));
    expect(entries.map(({ payloads: _, ...entry }) => entry)).toEqual(
      commits.flatMap((commit) => commit.entries),
    );
    expect(states).toEqual(
      commits.map((commit) => ({ lastSeq: commit.entries.at(-1)?.seq, state: commit.state })),
    );
    const contents = entries.flatMap((entry) =>
      Object.entries(entry.payloads ?? {}).map(([name, content]) => ({ seq: entry.seq, name, content })),
    );
    const stored = await journal.readPayloads(endedCall);
    const order = (rows: { seq: number; name: string }[]) =>
      rows.toSorted((one, other) => one.seq - other.seq || one.name.localeCompare(other.name));
    expect(order(contents)).toEqual(order(stored));
    expect(entries[0]?.payloads?.from).toBe(callerNumber);
  });

  it('holds what the log was made with: agent, chart, versions', async () => {
    const { agent, charts, versions, entries } = await exported();
    expect(agent?.digest).toBe(entries[0]?.agent);
    expect(agent?.definition).toEqual(await journal.readDefinition(String(entries[0]?.agent)));
    expect(agent?.definition).not.toBeNull();
    expect(charts.map(({ number }) => number)).toEqual(versions.charts);
    expect(charts[0]?.definition).toEqual(JSON.parse(JSON.stringify(callMachine.config)));
    expect(versions.entryFormats).toEqual([entries[0]?.format]);
  });

  it('holds what was said and heard, and how long the caller waited', async () => {
    const { transcript, turns } = await exported();
    expect(transcript).toEqual([
      '00:00.100 agent: Hello, this is the clerk.',
      '00:01.300 caller: Is it ready?',
      '00:01.300 tool: look_up {"what":"it"} -> completed: look_up of it done',
      '00:01.300 agent: It is ready and (cut: "you can have it")',
      '00:03.300 caller: (not known)',
    ]);
    const [turn] = turns;
    expect(turn?.latencyMs).toBe((turn?.voicedAt ?? 0) - (turn?.lastWordAt ?? 0));
    expect(turn?.latencyMs).toBeGreaterThan(0);
  });

  it('holds what happened to the instances that had the call, while they had it', async () => {
    const { instances } = await exported();
    expect(instances.map(({ instance }) => instance)).toEqual(['one']);
    expect(instances[0]?.facts.map(({ type }) => type)).toEqual(['phase.passed', 'calls.moved']);
  });

  it('is the same bytes each time, in a file for this user alone', async () => {
    const path = join(folder.path, 'call.json');
    const { code, out } = await runHere(`export ${endedCall} --out ${path}`);
    const text = readFileSync(path, 'utf8');
    expect([code, out]).toEqual([0, expect.stringContaining(`${Buffer.byteLength(text)} bytes`)]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(`${(await runHere(`export ${endedCall}`)).out}\n`).toBe(text);
    expect(Object.keys(JSON.parse(text))).toEqual([
      ...['format', 'versions', 'call', 'agent', 'charts', 'entries', 'states'],
      ...['transcript', 'turns', 'recoveries', 'troubles', 'instances'],
    ]);
  });

  it('is there of a live call as well, and of none that nobody knows', async () => {
    expect((await exported(liveCall)).call.endedAt).toBeNull();
    expect(await runHere('export nobody')).toMatchObject({
      code: 1,
      error: expect.stringContaining('nobody'),
    });
  });

  it('tells of an erased call what it was, and nothing that was said', async () => {
    const erasedFolder = await folderWithCalls();
    const erasedJournal = await openSqliteJournal(erasedFolder.journalPath, { clock });
    await eraseCall(erasedJournal, clock, endedCall, { by: 'operator', operator: 'Ann' });
    const url = { JOURNAL_URL: `sqlite:${erasedFolder.journalPath}` };
    const { out } = await run(`export ${endedCall}`, url);
    const { entries, transcript, turns } = JSON.parse(out) as CallExport;
    for (const words of [callerNumber, 'Is it ready', 'you can have it']) expect(out).not.toContain(words);
    expect(entries[0]?.payloads).toEqual({ from: null, to: null });
    expect(entries.at(-1)).toMatchObject({ type: 'payloads.erased', operator: 'Ann' });
    expect(transcript.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'agent: (erased)',
      'caller: (erased)',
      'tool: (erased)',
      'agent: (erased)',
      'caller: (not known)',
    ]);
    expect(turns).toEqual((await exported()).turns);
    expect((await run(`show ${endedCall}`, url)).out).toContain('(erased)');
    expect((await run(`replay ${endedCall}`, url)).code).toBe(0);
    expect((await replay(erasedJournal, endedCall)).at(-1)?.entry.type).toBe('payloads.erased');
    await erasedJournal.close();
    erasedFolder.remove();
  });
});
