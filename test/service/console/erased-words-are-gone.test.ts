/** An erasure takes every word from every page, and leaves the rest of the call as it was. */
import { describe, expect, it } from 'vitest';
import type { Commit, StoredEntry } from '../../../src/runtime/ports/journal.ts';
import type { CallView } from '../../../src/runtime/ports/operator.ts';
import { recordedVersions, recordingsOf } from '../../journals/recording.ts';
import { applyPatch } from './support/apply-patch.ts';
import { commitsIn, projectionOf, take } from './support/recorded-log.ts';

function erasure({ row }: Commit): Commit {
  const seq = row.lastSeq + 1;
  const at = 1_800_000_000_000;
  const entry: StoredEntry = {
    type: 'payloads.erased',
    by: 'operator',
    operator: 'N',
    payloads: 3,
    bytes: 30,
    seq,
    at,
  };
  return {
    callId: row.callId,
    entries: [entry],
    payloads: [],
    row: { ...row, lastSeq: seq },
    checkpoint: null,
    taken: [],
    erases: true,
  };
}

const recordings = recordedVersions()
  .flatMap(recordingsOf)
  .filter(({ commits }) => commits.some(({ entries }) => entries.some(({ type }) => type === 'call.ended')))
  .map((recording): [string, Commit[]] => [recording.name, commitsIn(recording)]);

describe.each(recordings)('%s', (_, commits) => {
  const last = commits.at(-1) as Commit;
  /** What could be nothing else than what was said. */
  const words = commits
    .flatMap(({ payloads }) => payloads.map(({ content }) => content))
    .filter((content) => content.length > 4);

  function erasedWhileWatched(): { before: CallView; after: CallView; patched: CallView } {
    const projection = projectionOf(last.callId);
    for (const commit of commits) take(projection, commit);
    const before = structuredClone(projection.view());
    take(projection, erasure(last));
    const patched = applyPatch(before, projection.patchAfter(last.row.lastSeq));
    return { before, after: projection.view(), patched };
  }

  it('holds no word any more, on a page that was open either', () => {
    const { before, after, patched } = erasedWhileWatched();
    expect(words.length).toBeGreaterThan(0);
    const shown = words.filter((text) => JSON.stringify(before).includes(JSON.stringify(text)));
    expect(shown.length).toBeGreaterThan(0);
    for (const text of words) {
      expect(JSON.stringify(after)).not.toContain(JSON.stringify(text).slice(1, -1));
      expect(JSON.stringify(patched)).not.toContain(JSON.stringify(text).slice(1, -1));
    }
    expect(patched).toEqual(after);
  });

  it('is shown as to somebody who comes later', () => {
    const later = projectionOf(last.callId);
    for (const commit of [...commits, erasure(last)]) take(later, commit, []);
    expect(later.view()).toEqual(erasedWhileWatched().after);
  });

  it('keeps its entries, states, turns and times', () => {
    const { before, after } = erasedWhileWatched();
    expect(after.steps.slice(0, -1).map(({ payloads: _, text: __, ...step }) => step)).toEqual(
      before.steps.map(({ payloads: _, text: __, ...step }) => step),
    );
    expect(after.turns).toEqual(before.turns);
    expect(after.recoveries).toEqual(before.recoveries);
    expect(after.lines.map(({ id, seq, textSeq }) => [id, seq, textSeq])).toEqual(
      before.lines.map(({ id, seq, textSeq }) => [id, seq, textSeq]),
    );
    expect(after.fault).toBeNull();
  });
});
