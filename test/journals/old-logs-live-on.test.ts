/** Logs that each version wrote are read, replayed and resumed by every later one. */
import { describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { charts, current } from '../../src/machines/charts/table.ts';
import { entryFault } from '../../src/machines/entries.ts';
import { conversationOf } from '../../src/runtime/conversation.ts';
import { parseEntry, readEntries, readState, replay } from '../../src/runtime/history.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { type CallState, fold, freeze, thaw } from '../../src/runtime/step.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { type Recording, recordedVersions, recordingsOf } from './recording.ts';

const versions = recordedVersions();
const recordings = versions.flatMap(recordingsOf);
const isKept = ({ commits }: Recording): boolean =>
  charts.some(({ number }) => number === commits.at(-1)?.frozen.chart);
const kept = recordings.filter(isKept);

const titled = (list: Recording[]): [string, Recording][] =>
  list.map((recording) => [`${recording.version} ${recording.name}`, recording]);

/** The recorded log in a journal of today, as far as its commit `last`. */
async function journalOf({ callId, commits }: Recording, last = commits.length): Promise<Journal> {
  const journal = openMemoryJournal(createMemoryStore(), { clock: new VirtualClock() });
  for (const { entries, payloads, state } of commits.slice(0, last)) {
    const row = {
      callId,
      carrierCallId: callId,
      direction: 'incoming',
      owner: 'one',
      startedAt: commits[0]?.entries[0]?.at ?? 0,
      endedAt: null,
      endReason: null,
      lastSeq: entries.at(-1)?.seq ?? 0,
      state,
    } as const;
    await journal.append({ callId, entries, payloads, row, checkpoint: null, taken: [] });
  }
  return journal;
}

it('there are logs of every version, of calls that ended and of calls that were live', () => {
  expect(versions).toContain('0.1.0');
  for (const version of versions) {
    const names = recordingsOf(version).map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(26);
    expect(names.filter((name) => name.startsWith('live-')).length).toBeGreaterThanOrEqual(10);
  }
});

describe.each(titled(recordings))('%s', (_, recording) => {
  it('is a log that can be read: every entry is valid, and the conversation is there', async () => {
    const faults = recording.commits.flatMap(({ entries }) => entries.map(entryFault));
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
    const journal = await journalOf(recording);
    const entries = await readEntries(journal, recording.callId);
    expect(entries).toEqual(recording.commits.flatMap(({ entries: stored }) => stored));
    const { lines } = conversationOf(entries, await journal.readPayloads(recording.callId));
    const transcripts = entries.filter(({ type }) => type === 'reply.transcribed').length;
    expect(lines.filter((line) => line.kind === 'agent' && line.text).length).toBe(transcripts);
  });
});

describe.each(titled(kept))('%s', (_, recording) => {
  const { callId, commits } = recording;

  it('I1: folds to every state that was live, from its start and from every checkpoint', () => {
    let state: CallState | null = null;
    for (const { entries, frozen } of commits) {
      const parsed = entries.map((entry) => parseEntry(callId, entry));
      const thawed: CallState | null = state && thaw(callId, freeze(state));
      state = fold(callId, parsed, state);
      expect(state && freeze(state)).toEqual(frozen);
      if (thawed) expect(freeze(fold(callId, parsed, thawed) as CallState)).toEqual(frozen);
    }
  });

  it('replays to every state that was stored', async () => {
    const steps = await replay(await journalOf(recording), callId);
    expect(steps.filter(({ matches }) => !matches)).toEqual([]);
    expect(steps.flatMap(({ stored }) => (stored === undefined ? [] : [stored]))).toEqual(
      commits.map(({ state }) => state),
    );
  });

  it('is read as it was after each commit', async () => {
    for (const [index, { frozen }] of commits.entries()) {
      const state = await readState(await journalOf(recording, index + 1), callId);
      expect(state && freeze(state)).toEqual(frozen);
      expect(state?.chart).toBeLessThanOrEqual(current.number);
    }
  });
});
