/** Logs that cannot be folded, or not all of them, are shown all the same, and the page says why. */
import { describe, expect, it } from 'vitest';
import { chartNumber } from '../../../src/machines/call/context.ts';
import { changeFrom } from '../../../src/runtime/charts.ts';
import { parseEntry } from '../../../src/runtime/history.ts';
import type { Commit, StoredEntry } from '../../../src/runtime/ports/journal.ts';
import type { CallView } from '../../../src/runtime/ports/operator.ts';
import { type CallState, step } from '../../../src/runtime/step.ts';
import { CallProjection } from '../../../src/service/console/call-projection.ts';
import { recordingsOf } from '../../journals/recording.ts';
import { longLog } from './support/long-log.ts';
import { commitsIn, projectionOf, rowOf, take } from './support/recorded-log.ts';

const log = longLog(60);
const changed = (change: (entry: StoredEntry) => object): Commit[] =>
  log.map((commit) => ({
    ...commit,
    entries: commit.entries.map((entry) => ({ ...entry, ...change(entry) }) as StoredEntry),
  }));

function viewOf(commits: readonly Commit[]): CallView {
  const projection = projectionOf('CA-long');
  for (const commit of commits) take(projection, commit);
  return projection.view();
}

const whole = viewOf(log);
const nodesAt = ({ steps, configurations }: CallView, seq: number): string[] | undefined =>
  configurations[steps[seq - 1]?.configuration ?? -1];

describe('a log of a newer version', () => {
  const view = viewOf(
    changed(({ type }) => (type === 'call.created' ? { chart: 99, format: 99, unheardOf: true } : {})),
  );

  it('is shown entry by entry, without states, and says which version it needs', () => {
    expect(view.fault).toMatch(/newer Holdfast, with chart 99/);
    expect(view.steps.map(({ entry }) => entry.type)).toEqual(whole.steps.map(({ entry }) => entry.type));
    expect(view.configurations).toEqual([[]]);
    expect(view.steps.every(({ matches }) => matches)).toBe(true);
  });

  it('shows what was said as far as this version knows its entries', () => {
    expect(view.lines).toEqual(whole.lines);
    expect(view.turns).toEqual(whole.turns);
  });
});

describe('a log that is damaged', () => {
  const view = viewOf(changed(({ seq }) => (seq === 30 ? { type: 'nonsense.happened' } : {})));

  it('is shown as it was up to the damage, and as entries from there on', () => {
    expect(view.fault).toMatch(/^from entry 30 on: .*unknown entry type nonsense.happened/);
    expect(view.steps).toHaveLength(60);
    expect(view.steps.slice(0, 29)).toEqual(whole.steps.slice(0, 29));
    expect(nodesAt(view, 29)).not.toEqual([]);
    expect(nodesAt(view, 30)).toEqual([]);
    expect(nodesAt(view, 60)).toEqual([]);
  });

  it('shows where the fold differs from what was stored', () => {
    const projection = projectionOf('CA-long');
    for (const commit of log) {
      const { row } = commit;
      take(projection, row.lastSeq === 20 ? { ...commit, row: { ...row, state: 'ended' } } : commit);
    }
    const wrong = projection.view().steps.filter(({ matches }) => !matches);
    expect(wrong.map(({ entry }) => entry.seq)).toEqual([20]);
  });

  it('tells a page that watches, once, when it comes to the damage', () => {
    const projection = projectionOf('CA-long');
    const faults = changed(({ seq }) => (seq === 30 ? { type: 'nonsense.happened' } : {})).map((commit) => {
      const before = projection.lastSeq;
      take(projection, commit);
      return projection.patchAfter(before).fault;
    });
    // With the first entry, which names the chart, that there is none.
    expect(faults[0]).toBeNull();
    expect(faults.filter((fault) => typeof fault === 'string')).toHaveLength(1);
    expect(faults[29]).toMatch(/nonsense/);
  });
});

describe('a log of an older chart that is kept', () => {
  it('is shown by that chart, and by the newer one from the entry on with which it took over', () => {
    const recording = recordingsOf('0.1.0').find(({ name }) => name === 'live-agent-speaking');
    const entries = (recording ? commitsIn(recording) : []).flatMap((commit) => [...commit.entries]);
    let state: CallState | null = null;
    for (const entry of entries) [state] = step('CA', state, parseEntry('CA', entry));
    const seq = entries.length + 1;
    const at = state?.at ?? 0;
    const { value, context } = (state as CallState).snapshot;
    const change = { ...changeFrom(1, { value, context: { ...context } }), seq, at };
    const claim = { type: 'owner.claimed', instance: 'two', why: 'orphan', seq: seq + 1, at };
    const projection = new CallProjection(rowOf('CA'), (number) => number === chartNumber);
    projection.apply({ callId: 'CA', entries, state: null }, new Map());
    // The older one cannot be drawn here.
    expect(projection.view().chart).toBeNull();
    projection.apply(
      { callId: 'CA', entries: [change, claim] as unknown as StoredEntry[], state: null },
      new Map(),
    );
    expect(projection.patchAfter(seq - 1)).toMatchObject({ chart: chartNumber, fault: null });
    const view = projection.view();
    expect(nodesAt(view, seq - 1)).toContain('live.turn.agentSpeaking');
    expect(view.steps[seq - 1]?.edges).toEqual([]);
    expect(nodesAt(view, seq + 1)).toContain('live.carrier.lost');
    expect(view.steps[seq]?.edges).not.toEqual([]);
  });
});
