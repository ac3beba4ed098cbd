/** Owns: a journal file with calls in it, made by a real assembly on a virtual clock. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Commit, InstanceFact, Journal } from '../../src/runtime/ports/journal.ts';
import { callSid, Rig } from '../service/rig.ts';

export const endedCall = callSid(1);
export const liveCall = callSid(2);

/** Changes a commit of the ended call on its way into the file. */
export type Change = (commit: Commit, index: number) => Commit;

/** One call that ended after a turn, a tool and an interruption, and one that is live. */
async function makeCalls(): Promise<Journal> {
  const rig = new Rig();
  const process = rig.open();
  const { line } = await process.begin(endedCall);
  const { session } = process.model;
  session.callerStarts('turn1');
  session.callerStops('turn1', 'Is it ready?');
  session.asksFor('tool1', 'look_up', { what: 'it' });
  await rig.settle();
  session.startsReply('reply2');
  session.sends('reply2', 'item2', 4_000);
  session.endsReply('reply2', 'item2', 'It is ready and you can have it');
  await rig.clock.advance(2_000);
  session.callerStarts('turn2');
  await rig.settle();
  line.stops();
  await process.report('completed', 'end', endedCall);
  await rig.clock.advance(70_000);
  await process.begin(liveCall);
  return process.journal;
}

/** What happened to the process that had the calls, and to another one. */
const facts = (startedAt: number): InstanceFact[] => [
  { instance: 'one', at: startedAt - 1, type: 'instance.started', detail: { version: '0.2.0', node: '26' } },
  { instance: 'one', at: startedAt, type: 'phase.passed', detail: { phase: 'webhooks', detail: 'fine' } },
  { instance: 'two', at: startedAt + 1, type: 'instance.started', detail: { version: '0.2.0', node: '26' } },
  { instance: 'one', at: startedAt + 2, type: 'calls.moved', detail: { count: 3 } },
];

async function copyDefinition(from: Journal, to: Journal, callId: string): Promise<void> {
  const digest = String((await from.readAfter(callId, 0, 1))[0]?.entries[0]?.agent);
  const definition = await from.readDefinition(digest);
  if (definition) await to.saveDefinition(digest, definition);
}

async function copyCall(from: Journal, to: Journal, callId: string, change: Change): Promise<void> {
  const [row] = await from.list({ callId });
  const { commits } = await from.read(callId, { fromStart: true });
  const payloads = await from.readPayloads(callId);
  await copyDefinition(from, to, callId);
  if (!row) throw new Error(`no call ${callId}`);
  for (const [index, { entries, state }] of commits.entries()) {
    const seqs = new Set(entries.map(({ seq }) => seq));
    const lastSeq = entries.at(-1)?.seq ?? 0;
    const commit: Commit = {
      callId,
      entries,
      payloads: payloads.filter(({ seq }) => seqs.has(seq)),
      row: { ...row, lastSeq, state },
      checkpoint: null,
      taken: [],
    };
    await to.append(change(commit, index));
  }
}

export interface CallFolder {
  path: string;
  journalPath: string;
  remove(): void;
}

/** A folder with `data/holdfast.db` in it. */
export async function folderWithCalls(change: Change = (commit) => commit): Promise<CallFolder> {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
  mkdirSync(join(path, 'data'));
  const journalPath = join(path, 'data', 'holdfast.db');
  const journal = await openSqliteJournal(journalPath, { clock: systemClock });
  const calls = await makeCalls();
  await copyCall(calls, journal, endedCall, change);
  await copyCall(calls, journal, liveCall, (commit) => commit);
  const [ended] = await journal.list({ callId: endedCall });
  await journal.noteInstance(facts(ended?.startedAt ?? 0));
  await journal.close();
  return { path, journalPath, remove: () => rmSync(path, { recursive: true, force: true }) };
}
