/**
 * Owns: what a person sees of several workers: one start-up, as that of one process, and from then on lines that bear the
 * number of the worker that they are about.
 * Does not own: what happens to workers (`primary.ts`), how a phase looks (`../phase-report.ts`).
 */
import { type Phase, type PhaseOutcome, phases } from '../../machines/service.ts';
import { formatPhase } from '../phase-report.ts';
import { drainText, notStartedText, stoppedText, stopText, welcomeText } from '../terminal-text.ts';
import { mergeDetails } from './merged-details.ts';
import type { WorkerEnd } from './worker-process.ts';

type Outcomes = Map<number, PhaseOutcome>;

/** A phase that is tried again in vain is not shown again. */
const essenceOf = ({ outcome, detail }: PhaseOutcome): string => (outcome === 'failed' ? detail : outcome);

export class WorkersTerminal {
  readonly #print: (text: string) => void;
  /** Workers whose first start is not over. */
  readonly #starting: Set<number>;
  readonly #gathered = new Map<Phase, Outcomes>();
  readonly #shown = new Set<Phase>();
  /** What was last shown of a worker's phase, or what it is taken to be. */
  readonly #essences = new Map<string, string>();
  #allPassed = true;
  #isStarted = false;

  constructor(count: number, print: (text: string) => void) {
    this.#print = print;
    this.#starting = new Set(Array.from({ length: count }, (_, index) => index + 1));
    print(`Holdfast, ${count} workers`);
  }

  notePhase(number: number, phase: Phase, outcome: PhaseOutcome): void {
    if (this.#starting.has(number)) {
      const outcomes = this.#gathered.get(phase) ?? new Map();
      this.#gathered.set(phase, outcomes.set(number, outcome));
      this.#showGathered();
    } else this.#showLater(number, phase, outcome);
  }

  /** A worker runs. */
  noteStarted(number: number, allPassed: boolean): void {
    if (!this.#starting.delete(number)) {
      this.#print(`worker ${number}: ${welcomeText(allPassed)}`);
      return;
    }
    this.#allPassed &&= allPassed;
    this.#showGathered();
  }

  /** A worker ended by itself. @param pauseMs until it is started anew */
  noteEnd(number: number, { code, signal }: WorkerEnd, pauseMs: number): void {
    const when = pauseMs === 0 ? 'at once' : `in ${pauseMs / 1_000} s`;
    this.#print(`worker ${number}: ended (${signal ?? `exit code ${code}`}). It is started anew ${when}.`);
    this.#starting.delete(number);
    this.#showGathered();
  }

  /** The first start failed for good. */
  noteFailure(): void {
    for (const phase of phases) this.#showPhase(phase);
    this.#print(notStartedText);
  }

  noteDrain(signal: string, withinMs: number): void {
    this.#print(drainText(signal, withinMs));
  }

  noteStop(signal: string): void {
    this.#print(stopText(signal));
  }

  /** A worker did not end as it was asked to. */
  noteKill(number: number): void {
    this.#print(`worker ${number}: does not end. It is killed.`);
  }

  noteStopped(): void {
    this.#print(stoppedText);
  }

  /** Each phase once all workers that start have told it, in order. */
  #showGathered(): void {
    for (const phase of phases) {
      const told = this.#gathered.get(phase);
      if ([...this.#starting].every((number) => told?.has(number))) this.#showPhase(phase);
    }
    if (this.#starting.size > 0 || this.#isStarted) return;
    this.#isStarted = true;
    this.#print(welcomeText(this.#allPassed));
  }

  #showPhase(phase: Phase): void {
    const told = this.#gathered.get(phase);
    if (!told || this.#shown.has(phase)) return;
    this.#shown.add(phase);
    for (const [number, outcome] of told) this.#essences.set(`${number} ${phase}`, essenceOf(outcome));
    for (const outcome of ['passed', 'failed'] as const) {
      const alike = inOrder(told).filter(([, each]) => each.outcome === outcome);
      if (alike.length > 0) this.#print(formatPhase(phase, merge(alike, told.size)));
    }
  }

  /** Of a start that came later only what is not well is told. */
  #showLater(number: number, phase: Phase, outcome: PhaseOutcome): void {
    const key = `${number} ${phase}`;
    const essence = essenceOf(outcome);
    if ((this.#essences.get(key) ?? 'passed') === essence) return;
    this.#essences.set(key, essence);
    this.#print(`worker ${number}:${formatPhase(phase, outcome)}`);
  }
}

/** By number, whoever told first. */
const inOrder = (told: Outcomes): [number, PhaseOutcome][] => [...told].sort(([one], [other]) => one - other);

/** As one outcome; it says which workers it is of where it is not of all. */
function merge(alike: readonly (readonly [number, PhaseOutcome])[], all: number): PhaseOutcome {
  const outcomes = alike.map(([, outcome]) => outcome);
  const detail = mergeDetails(outcomes.map((outcome) => outcome.detail));
  const numbers = alike.map(([number]) => number).join(', ');
  return {
    ...(outcomes[0] as PhaseOutcome),
    detail: alike.length === all ? detail : `worker ${numbers}: ${detail}`,
    tookMs: Math.max(...outcomes.map(({ tookMs }) => tookMs)),
  };
}
