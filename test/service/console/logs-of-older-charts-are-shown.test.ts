/** With charts of a few states in the place of ours: 7 and 8 are kept, 6 is not any more. */
import { describe, expect, it, vi } from 'vitest';
import type { StoredEntry } from '../../../src/runtime/ports/journal.ts';
import { created as createdFact } from '../../machines/support/facts.ts';
import { projectionOf } from './support/recorded-log.ts';

vi.mock('../../../src/machines/charts/table.ts', () => import('../../runtime/support/tiny-charts.ts'));

const createdBy = (chart: number): StoredEntry =>
  ({ ...createdFact(), chart, format: 1, seq: 1, at: 1_000 }) as unknown as StoredEntry;
const speaks = (seq: number): StoredEntry => ({
  type: 'caller.startedSpeaking',
  itemId: `item${seq}`,
  seq,
  at: seq * 1_000,
});
const changedTo7 = (seq: number): StoredEntry => ({
  type: 'chart.changed',
  from: 6,
  to: 7,
  format: 1,
  carried: { value: 'talking', context: { said: 5, memory: {} } },
  seq,
  at: seq * 1_000,
});

function viewOf(entries: StoredEntry[]) {
  const projection = projectionOf('call1');
  projection.apply({ callId: 'call1', entries, state: null }, new Map());
  return projection.view();
}

describe('a log of a chart that is kept no more', () => {
  it('is shown entry by entry, and says why there are no states', () => {
    const { fault, steps, configurations, lines } = viewOf([createdBy(6), speaks(2)]);
    expect(fault).toMatch(/older Holdfast, with chart 6; this version keeps 7 and 8/);
    expect(steps.map(({ entry }) => entry.seq)).toEqual([1, 2]);
    expect(configurations).toEqual([[]]);
    expect(lines).toHaveLength(1);
  });

  it('is shown with its states from the entry on with which a kept one took over', () => {
    const { fault, chart, steps, configurations } = viewOf([
      createdBy(6),
      speaks(2),
      changedTo7(3),
      speaks(4),
    ]);
    expect([fault, chart]).toEqual([null, 7]);
    expect(steps.map(({ configuration }) => configurations[configuration])).toEqual([
      [],
      [],
      ['talking'],
      ['talking'],
    ]);
    expect(steps[3]?.context).toEqual({ said: 6, memory: { first: 'item4' } });
  });
});
