/**
 * Owns: one call as the Stately inspector is told of it: the messages of `@statelyai/inspect`, made by that package.
 * Does not own: folding the log, sending the messages, the inspector (https://stately.ai/inspect).
 *
 * `@xstate.actor` with the chart's definition comes first; each later entry is an `@xstate.event` and the
 * `@xstate.snapshot` after it. A newer chart that takes the call over is an actor of its own.
 *
 * Invariants:
 * M1. The same log makes the same messages: what the package takes from the clock and from chance is taken from the
 *     entry instead.
 * M2. No personal data: a message holds an entry, the chart's state and the chart's definition, which hold none (E1).
 */
import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import type { ActorRefLike } from 'xstate';
import { charts } from '../../machines/charts/table.ts';
import type { Entry } from '../../machines/entries.ts';

/** Where the inspector cuts a definition off; charts are about 15 deep. */
const definitionDepth = 100;

/** What an entry made of the call. */
export interface InspectedState {
  /** Number of the chart that it was folded by. */
  chart: number;
  snapshot: { status: string; value: unknown; context: unknown; tags: ReadonlySet<string> };
}

type InspectedSnapshot = NonNullable<Parameters<ReturnType<typeof createInspector>['actor']>[1]>;

export class InspectedCall {
  readonly #callId: string;
  readonly #inspector: ReturnType<typeof createInspector>;
  #made: string[] = [];
  #entry: Pick<Entry, 'seq' | 'at'> = { seq: 0, at: 0 };
  #chart: number | null = null;

  constructor(callId: string) {
    this.#callId = callId;
    this.#inspector = createInspector(
      { send: (message) => this.#made.push(JSON.stringify(message)) },
      { serializationDepthLimit: definitionDepth, serialize: (message) => this.#stamp(message) },
    );
  }

  /** The messages of one step, each JSON text, in their order. Steps come in the order of the log. */
  take(entry: Entry, after: InspectedState): string[] {
    this.#entry = entry;
    this.#made = [];
    if (after.chart === this.#chart) this.#go(eventOf(entry), after);
    else this.#begin(after);
    return this.#made;
  }

  #begin({ chart, snapshot }: InspectedState): void {
    this.#chart = chart;
    const logic = charts.find(({ number }) => number === chart)?.machine;
    // No string id: with one, the package sends no definition, and nothing is drawn.
    const actor = { sessionId: this.#sessionId, logic } as unknown as ActorRefLike;
    this.#inspector.actor(actor, plain(snapshot));
  }

  #go(event: { type: string }, { snapshot }: InspectedState): void {
    this.#inspector.event(this.#sessionId, event);
    this.#inspector.snapshot(this.#sessionId, plain(snapshot), { event });
  }

  get #sessionId(): string {
    return `${this.#callId}/chart-${this.#chart}`;
  }

  /** M1. Every actor is a root: none has children. */
  #stamp(message: StatelyInspectionEvent): StatelyInspectionEvent {
    const { seq, at } = this.#entry;
    return { ...message, rootId: this.#sessionId, id: String(seq), createdAt: String(at) };
  }
}

/** As the chart takes it in: a timer is an event of its own name. */
const eventOf = (entry: Entry): { type: string } =>
  entry.type === 'timer.elapsed' ? { ...entry, type: entry.timer } : entry;

const plain = ({ status, value, context, tags }: InspectedState['snapshot']): InspectedSnapshot =>
  ({ status, value, context, tags: [...tags], children: {}, historyValue: {} }) as InspectedSnapshot;
