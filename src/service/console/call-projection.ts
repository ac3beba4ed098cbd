/**
 * Owns: a call's log as the console shows it, commit by commit as it comes: everything at once, or what is new.
 * Does not own: reading the log (`call-watcher.ts`), the parts of what is shown.
 *
 * Invariants:
 * P2. What is shown after an entry is a function of the log up to it and of the payloads that are left: whoever begins
 *     later, in another process or after an erasure, shows the same.
 * P3. `patchAfter(seq)` brings what was shown after the entry `seq` to what is shown now.
 */
import type { ObservedStep } from '../../runtime/call.ts';
import type { CallRow, Json, Payload, StoredCommit } from '../../runtime/ports/journal.ts';
import type { CallPatch, CallSummary, CallView } from '../../runtime/ports/operator.ts';
import {
  type FollowedRow,
  followed,
  noParties,
  type Parties,
  partiesIn,
  summaryOf,
  unwritten,
} from './call-summary.ts';
import { LineViews } from './line-views.ts';
import { type Folded, LogFold } from './log-fold.ts';
import { StepViews } from './step-views.ts';
import { TimelineViews } from './timeline-views.ts';
import { TroubleViews } from './trouble-views.ts';

export type PayloadsBySeq = ReadonlyMap<number, readonly Payload[]>;

export class CallProjection {
  readonly #row: CallRow;
  readonly #isDrawn: (chart: number) => boolean;
  readonly #fold: LogFold;
  readonly #steps = new StepViews();
  readonly #lines = new LineViews();
  readonly #timeline = new TimelineViews();
  readonly #troubles = new TroubleViews();
  #followed: FollowedRow = unwritten;
  #parties: Parties = noParties;
  /** When chart or fault last changed. */
  #headSeq = 0;

  /** @param row of which the direction, the start and the id are taken; the rest follows from the log */
  constructor(row: CallRow, isDrawn: (chart: number) => boolean) {
    this.#row = row;
    this.#isDrawn = isDrawn;
    this.#fold = new LogFold(row.callId);
  }

  get lastSeq(): number {
    return this.#followed.lastSeq;
  }

  apply({ entries, state }: StoredCommit, payloads: PayloadsBySeq): void {
    const last = entries.at(-1);
    for (const entry of entries) {
      const { chart, fault } = this.#fold;
      const stored = entry === last ? state : undefined;
      const folded = this.#fold.take(entry);
      this.#show(folded, payloads.get(entry.seq) ?? [], stored);
      if (chart !== this.#fold.chart || fault !== this.#fold.fault) this.#headSeq = entry.seq;
    }
  }

  /** The next step of a call that lives here, once it is durable: what is stored with it is what it led to. */
  adopt({ entry, before, after, commands, payloads }: ObservedStep): void {
    const folded: Folded = { entry, before, after, commands, isKnown: true };
    this.#fold.adopt(folded);
    this.#show(folded, payloads, after.snapshot.value as Json);
  }

  /** Whether the next entry can be adopted: all before it were folded. */
  get mayAdopt(): boolean {
    return this.#fold.fault === null && this.lastSeq > 0;
  }

  view(): CallView {
    const { chart, fault } = this.#head;
    return { ...this.#rowsAfter(0), chart, fault };
  }

  patchAfter(seq: number): CallPatch {
    return { ...this.#rowsAfter(seq), ...(this.#headSeq > seq ? this.#head : {}) };
  }

  get #head(): Pick<CallView, 'chart' | 'fault'> {
    const { chart, fault } = this.#fold;
    return { chart: chart !== null && this.#isDrawn(chart) ? chart : null, fault };
  }

  #rowsAfter(seq: number): Omit<CallView, 'chart' | 'fault'> {
    return {
      call: this.#summary(),
      configurations: this.#steps.configurationsAfter(seq),
      steps: this.#steps.stepsAfter(seq),
      lines: this.#lines.linesAfter(seq),
      turns: this.#timeline.turnsAfter(seq),
      recoveries: this.#timeline.recoveriesAfter(seq),
      troubles: this.#troubles.troublesAfter(seq),
    };
  }

  #show(folded: Folded, payloads: readonly Payload[], stored: Json | undefined): void {
    this.#steps.add(folded, payloads, stored);
    this.#followed = followed(this.#followed, folded.entry, stored);
    if (folded.isKnown) this.#project(folded, payloads);
  }

  #summary(): CallSummary {
    const { latencyMs, recoveries } = this.#timeline;
    return summaryOf({ ...this.#row, ...this.#followed }, this.#parties, { latencyMs, recoveries });
  }

  #project({ entry }: Folded, payloads: readonly Payload[]): void {
    if (entry.type === 'call.created') this.#parties = partiesIn(payloads);
    this.#lines.apply(entry, payloads);
    this.#timeline.apply(entry);
    this.#troubles.apply(entry, payloads);
    if (entry.type === 'payloads.erased') this.#erase(entry.seq);
  }

  #erase(seq: number): void {
    this.#parties = noParties;
    this.#steps.erase(seq);
    this.#lines.erase(seq);
    this.#troubles.erase(seq);
  }
}
