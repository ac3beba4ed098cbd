/**
 * Owns: what a load run has measured: durations by name, counts by name, each for the last interval and for all of the
 * window.
 * Does not own: when an interval ends (`scripts/load/load-run.ts`), what is made of it (`scripts/load`).
 *
 * Invariants:
 * M1. A duration is recorded once; the window's figures are those of its intervals together.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export const durationNames = [
  'up',
  'upHeld',
  'down',
  'downFirst',
  'firstSound',
  'bargeIn',
  'turn',
  'generatorLate',
] as const;
export type DurationName = (typeof durationNames)[number];

/** Milliseconds. */
export interface Figures {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

export type FiguresByName = Record<DurationName, Figures>;

const perMs = 1_000;
const longest = 600_000 * perMs;

const histogram = (): RecordableHistogram => createHistogram({ lowest: 1, highest: longest, figures: 3 });

type Histograms = Record<DurationName, RecordableHistogram>;
const histograms = (): Histograms =>
  Object.fromEntries(durationNames.map((name) => [name, histogram()])) as Histograms;

function figuresOf(of: RecordableHistogram): Figures {
  const { count } = of;
  const at = (percent: number): number => (count === 0 ? 0 : of.percentile(percent) / perMs);
  return {
    count,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: count === 0 ? 0 : of.max / perMs,
  };
}

const allFigures = (of: Histograms): FiguresByName =>
  Object.fromEntries(durationNames.map((name) => [name, figuresOf(of[name])])) as FiguresByName;

export class Measures {
  readonly #interval = histograms();
  readonly #window = histograms();
  #counts: Record<string, number> = {};

  record(name: DurationName, durationMs: number): void {
    const value = Math.round(durationMs * perMs);
    this.#interval[name].record(Math.min(Math.max(value, 1), longest));
  }

  count(name: string, by = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** Ends an interval. */
  roll(): FiguresByName {
    const figures = allFigures(this.#interval);
    for (const name of durationNames) {
      if (this.#interval[name].count > 0) this.#window[name].add(this.#interval[name]);
      this.#interval[name].reset();
    }
    return figures;
  }

  /** Of the intervals that have ended since the window began. */
  window(): FiguresByName {
    return allFigures(this.#window);
  }

  /** As if nothing had been. */
  clear(): void {
    this.startWindow();
    this.#window.firstSound.reset();
    this.#counts = {};
  }

  /** What is measured once a call stays: most calls began before the window. */
  startWindow(): void {
    this.roll();
    for (const name of durationNames) if (name !== 'firstSound') this.#window[name].reset();
  }
}
