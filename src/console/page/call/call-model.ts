/**
 * Owns: what is known of the call that is shown, patched as it goes on, and what of it held at any entry.
 * Does not own: which entry is looked at (`cursor.ts`), how it is shown.
 *
 * A context is found by the newest change of each of its keys, not by folding from the beginning: moving through an hour
 * of a call costs the same at its end as at its start.
 */
import type { CallPatch, CallView, LineView, StepView } from '../../../runtime/ports/operator.ts';

type Value = StepView['context'][string];

interface Change {
  seq: number;
  value: Value;
}

const bySeq = (one: { seq: number }, other: { seq: number }): number => one.seq - other.seq;

/** Index of the last item that is not after `seq`; -1 where all are. */
export function lastIndexAt(items: readonly { seq: number }[], seq: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Values that change, by key. */
class History {
  readonly #changes = new Map<string, Change[]>();

  note(seq: number, values: Record<string, Value>): void {
    for (const [key, value] of Object.entries(values)) {
      const changes = this.#changes.get(key) ?? [];
      if (changes.at(-1)?.seq === seq) changes.pop();
      changes.push({ seq, value });
      this.#changes.set(key, changes);
    }
  }

  at(seq: number): Map<string, Value> {
    const found = new Map<string, Value>();
    for (const [key, changes] of this.#changes) {
      const change = changes[lastIndexAt(changes, seq)];
      if (change) found.set(key, change.value);
    }
    return found;
  }
}

export class CallModel {
  readonly view: CallView;
  #context = new History();
  #timers = new History();

  constructor(view: CallView) {
    this.view = view;
    this.view.lines.sort(bySeq);
    this.#note(view.steps);
  }

  get lastSeq(): number {
    return this.view.steps.length;
  }

  get startedAt(): number {
    return this.view.call.startedAt;
  }

  get isLive(): boolean {
    return this.view.call.endedAt === null;
  }

  /** Seqs are dense from 1. */
  step(seq: number): StepView | undefined {
    return this.view.steps[seq - 1];
  }

  nodesAt(seq: number): readonly string[] {
    return this.view.configurations[this.step(seq)?.configuration ?? -1] ?? [];
  }

  contextAt(seq: number): Map<string, Value> {
    return this.#context.at(seq);
  }

  /** Those that run, the next one first. */
  timersAt(seq: number): { name: string; at: number }[] {
    return [...this.#timers.at(seq)]
      .filter((timer): timer is [string, number] => typeof timer[1] === 'number')
      .map(([name, at]) => ({ name, at }))
      .sort((one, other) => one.at - other.at);
  }

  linesUpTo(seq: number, most: number): LineView[] {
    const end = lastIndexAt(this.view.lines, seq) + 1;
    return this.view.lines.slice(Math.max(0, end - most), end);
  }

  lineCount(seq: number): number {
    return lastIndexAt(this.view.lines, seq) + 1;
  }

  take(patch: CallPatch): void {
    const { view } = this;
    view.call = patch.call;
    if (patch.chart !== undefined) view.chart = patch.chart;
    if (patch.fault !== undefined) view.fault = patch.fault;
    view.configurations.push(...patch.configurations);
    for (const step of patch.steps) view.steps[step.entry.seq - 1] = step;
    this.#note(patch.steps);
    view.lines = merged(view.lines, patch.lines, ({ id }) => id);
    view.turns = merged(view.turns, patch.turns, ({ seq }) => seq);
    view.recoveries = merged(view.recoveries, patch.recoveries, ({ seq, rung }) => `${seq} ${rung}`);
    view.troubles = merged(view.troubles, patch.troubles, ({ seq }) => seq);
  }

  /** A step that comes a second time has lost its words, and nothing else. */
  #note(steps: readonly StepView[]): void {
    for (const { entry, context, timers } of steps) {
      if (entry.seq <= this.#notedSeq) continue;
      this.#notedSeq = entry.seq;
      this.#context.note(entry.seq, context);
      this.#timers.note(entry.seq, timers);
    }
  }

  #notedSeq = 0;
}

function merged<Item extends { seq: number }>(
  known: Item[],
  changed: readonly Item[],
  keyOf: (item: Item) => unknown,
): Item[] {
  if (changed.length === 0) return known;
  const all = new Map(known.map((item) => [keyOf(item), item]));
  for (const item of changed) all.set(keyOf(item), item);
  return [...all.values()].sort(bySeq);
}
