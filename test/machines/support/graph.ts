/** The whole state graph of the call chart: every kind of state that any facts can lead to, and what can be reached. */
import { regions } from './chart-places.ts';
import type { Kind, Kinds } from './kinds.ts';
import type { LearnedChart, Outcome } from './learned-chart.ts';

/** A set of numbers, in the order in which they came. */
class NumberSet {
  readonly numbers: number[] = [];
  #slots = new Int32Array(1 << 16).fill(-1);

  get size(): number {
    return this.numbers.length;
  }

  /** Its place in the order, or -1. */
  find(number: number): number {
    return this.#slots[this.#slotOf(number)] ?? -1;
  }

  /** Whether it was not there before. */
  add(number: number): boolean {
    const slot = this.#slotOf(number);
    if (this.#slots[slot] !== -1) return false;
    this.#slots[slot] = this.numbers.push(number) - 1;
    if (this.numbers.length * 2 > this.#slots.length) this.#grow();
    return true;
  }

  /** Its slot, or the free one that it would take. */
  #slotOf(number: number): number {
    const mask = this.#slots.length - 1;
    const high = Math.floor(number / 4_294_967_296);
    let slot = (Math.imul(number | 0, 0x9e3779b1) ^ Math.imul(high + 1, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    for (;;) {
      const index = this.#slots[slot] ?? -1;
      if (index === -1 || this.numbers[index] === number) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (const [index, number] of this.numbers.entries()) this.#slots[this.#slotOf(number)] = index;
  }
}

export interface Visited {
  before: Kind;
  outcome: Outcome;
  after: Kind;
  edge: string;
  /** Nobody came by it before. */
  isNew: boolean;
}

export type Visit = (visited: Visited) => void;

export class Graph {
  readonly chart: LearnedChart;
  readonly #found = new NumberSet();
  transitions = 0;

  constructor(chart: LearnedChart) {
    this.chart = chart;
  }

  get kinds(): Kinds {
    return this.chart.kinds;
  }

  get size(): number {
    return this.#found.size;
  }

  /** Every kind that can be reached from the first entry of a call. */
  explore(visit: Visit = () => undefined): void {
    const { chart, kinds } = this;
    const [before, after] = [this.blank(), this.blank()];
    kinds.settle(before);
    this.#found.add(kinds.pack(before));
    for (let index = 0; index < this.#found.size; index++) {
      kinds.unpack(this.#found.numbers[index] ?? 0, before);
      for (const [edge, name] of chart.edgeNames.entries()) {
        const outcome = chart.follow(edge, before);
        if (outcome === null) continue;
        this.transitions += 1;
        chart.apply(outcome, before, after);
        const isNew = outcome.writes.length > 0 && this.#found.add(kinds.pack(after));
        visit({ before, outcome, after, edge: name, isNew });
      }
    }
  }

  /** One flag for each kind: whether a kind with the property can be reached from it by some of these edges. */
  reaching(isGoal: (kind: Kind) => boolean, mayTake: (edge: string) => boolean = () => true): Uint8Array {
    const flags = new Uint8Array(this.size);
    const kind = this.blank();
    for (let index = 0; index < flags.length; index++) {
      this.kinds.unpack(this.#found.numbers[index] ?? 0, kind);
      flags[index] = isGoal(kind) ? 1 : 0;
    }
    const taken = [...this.chart.edgeNames.keys()].filter((edge) =>
      mayTake(this.chart.edgeNames[edge] ?? ''),
    );
    while (this.#spread(flags, taken));
    return flags;
  }

  /** The kinds with the flag unset, for which the property holds. */
  without(flags: Uint8Array, isMeant: (kind: Kind) => boolean = () => true): Kind[] {
    const missing: Kind[] = [];
    for (let index = 0; index < flags.length; index++) {
      if (flags[index] === 1) continue;
      const kind = this.blank();
      this.kinds.unpack(this.#found.numbers[index] ?? 0, kind);
      if (isMeant(kind)) missing.push(kind);
    }
    return missing;
  }

  /** Places of the chart that some kind is in. */
  places(): Set<string> {
    const kind = this.blank();
    const seen = new Set<string>();
    for (const number of this.#found.numbers) {
      this.kinds.unpack(number, kind);
      const top = this.kinds.top(kind);
      if (top !== 'live') seen.add(top);
      else for (const region of regions) seen.add(`live.${region}.${this.kinds.place(kind, region)}`);
    }
    return seen;
  }

  blank(): Kind {
    return new Uint8Array(this.kinds.fields.length);
  }

  #spread(flags: Uint8Array, taken: readonly number[]): boolean {
    const [before, after] = [this.blank(), this.blank()];
    let hasSpread = false;
    for (let index = flags.length - 1; index >= 0; index--) {
      if (flags[index] === 1) continue;
      this.kinds.unpack(this.#found.numbers[index] ?? 0, before);
      const reaches = taken.some((edge) => {
        const outcome = this.chart.follow(edge, before);
        if (outcome === null || outcome.writes.length === 0) return false;
        this.chart.apply(outcome, before, after);
        return flags[this.#found.find(this.kinds.pack(after))] === 1;
      });
      if (reaches) [flags[index], hasSpread] = [1, true];
    }
    return hasSpread;
  }
}
