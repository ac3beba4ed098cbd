/** Owns: what a page makes of a patch. */
import type { CallPatch, CallView } from '../../../../src/runtime/ports/operator.ts';

function merged<Row>(rows: readonly Row[], changed: readonly Row[], keyOf: (row: Row) => unknown): Row[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  for (const row of changed) byKey.set(keyOf(row), row);
  return [...byKey.values()];
}

export function applyPatch(view: CallView, patch: CallPatch): CallView {
  const bySeq = ({ seq }: { seq: number }): number => seq;
  return {
    ...view,
    ...patch,
    configurations: [...view.configurations, ...patch.configurations],
    steps: merged(view.steps, patch.steps, ({ entry }) => entry.seq),
    lines: merged(view.lines, patch.lines, ({ id }) => id),
    turns: merged(view.turns, patch.turns, bySeq),
    recoveries: merged(view.recoveries, patch.recoveries, bySeq),
    troubles: merged(view.troubles, patch.troubles, bySeq),
  };
}

export const emptyView = (call: CallView['call']): CallView => ({
  call,
  chart: null,
  fault: null,
  configurations: [],
  steps: [],
  lines: [],
  turns: [],
  recoveries: [],
  troubles: [],
});
