/**
 * Owns: what is shown of each entry of a call: the lit states, the arrows taken, commands, the changed context, timers.
 * Does not own: folding (`log-fold.ts`), ids of states and arrows (`src/console/charts`).
 *
 * Invariants:
 * P1. Equal states have one number, given in the order in which they first occur: every process gives the same.
 */
import { activeNodes, arrowsTaken } from '../../console/charts/arrows.ts';
import { type Entry, referencesOf } from '../../machines/entries.ts';
import { keptChart } from '../../runtime/charts.ts';
import { isSameValue } from '../../runtime/history.ts';
import type { Json, Payload } from '../../runtime/ports/journal.ts';
import type { StepView } from '../../runtime/ports/operator.ts';
import { type CallState, eventOf } from '../../runtime/step.ts';
import { formatCommand } from '../words/command-text.ts';
import { formatFields } from '../words/entry-text.ts';
import type { Folded } from './log-fold.ts';

interface Configuration {
  nodes: string[];
  /** Of the first entry that led to it. */
  seq: number;
}

export class StepViews {
  readonly #steps: StepView[] = [];
  readonly #configurations: Configuration[] = [];
  /** By chart and state value. */
  readonly #numbers = new Map<string, number>();
  /** The entry that erased the payloads. */
  #erasedSeq = 0;

  get count(): number {
    return this.#steps.length;
  }

  /** @param stored the state that was stored with the entry; undefined inside a commit */
  add(folded: Folded, payloads: readonly Payload[], stored: Json | undefined): void {
    const { entry, after, before, commands } = folded;
    this.#steps.push({
      entry,
      ...told(entry, payloads),
      configuration: this.#numberOf(entry.seq, after),
      edges: edgesOf(folded),
      commands: commands.map(formatCommand),
      context: after ? changedContext(before, after) : {},
      timers: after ? changedTimers(before, after) : {},
      matches: after === null || stored === undefined || isSameValue(stored, after.snapshot.value),
    });
  }

  erase(seq: number): void {
    this.#erasedSeq = seq;
    this.#steps.forEach((step, index) => {
      if (Object.keys(step.payloads).length > 0) this.#steps[index] = { ...step, ...told(step.entry, []) };
    });
  }

  stepsAfter(seq: number): StepView[] {
    const isNew = ({ entry, payloads }: StepView): boolean =>
      entry.seq > seq || (this.#erasedSeq > seq && Object.keys(payloads).length > 0);
    const first = this.#erasedSeq > seq ? 0 : seq;
    return this.#steps.slice(first).filter(isNew);
  }

  configurationsAfter(seq: number): string[][] {
    return this.#configurations.filter((known) => known.seq > seq).map(({ nodes }) => nodes);
  }

  #numberOf(seq: number, after: CallState | null): number {
    const key = after ? `${after.chart} ${JSON.stringify(after.snapshot.value)}` : '';
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#configurations.length);
    return this.#configurations.push({ nodes: litNodes(after), seq }) - 1;
  }
}

function told(entry: Entry, payloads: readonly Payload[]): Pick<StepView, 'payloads' | 'text'> {
  const content = referencesOf(entry).map((name): [string, string | null] => [
    name,
    payloads.find((payload) => payload.name === name)?.content ?? null,
  ]);
  return {
    payloads: Object.fromEntries(content),
    text: [entry.type, ...formatFields(entry, payloads)].join(' '),
  };
}

function litNodes(after: CallState | null): string[] {
  const chart = after && keptChart(after.chart);
  return after && chart ? activeNodes(chart.machine, after.snapshot.value) : [];
}

/** None where the chart changed: no arrow leads from one chart into another. */
function edgesOf({ before, after, entry }: Folded): string[] {
  const chart = before && after && before.chart === after.chart ? keptChart(after.chart) : null;
  return chart && before ? arrowsTaken(chart.machine, before.snapshot, eventOf(entry)) : [];
}

function changedTimers(before: CallState | null, { due }: CallState): Record<string, number | null> {
  const old = before?.due ?? new Map<string, number>();
  const gone = [...old.keys()].filter((name) => !due.has(name)).map((name) => [name, null]);
  const armed = [...due].filter(([name, at]) => old.get(name) !== at);
  return Object.fromEntries([...gone, ...armed]);
}

function changedContext(before: CallState | null, after: CallState): Record<string, Json> {
  const old = (before?.snapshot.context ?? {}) as unknown as Record<string, Json>;
  const changed = Object.entries(after.snapshot.context as unknown as Record<string, Json>).filter(
    ([name, value]) => old[name] !== value && JSON.stringify(old[name]) !== JSON.stringify(value),
  );
  return Object.fromEntries(changed);
}
