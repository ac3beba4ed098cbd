/**
 * The call chart as a table of moves between kinds of state, learned from the chart itself: a move is made by the real
 * chart once for everything that it reads, and looked up for every other kind that agrees on that.
 *
 * What is read is watched, not assumed (`watched-chart.ts`). What is written is what assignments return, and the places
 * that changed.
 */
import type { CallContext, CallEvent } from '../../../src/machines/call/context.ts';
import type { callMachine } from '../../../src/machines/call/machine.ts';
import { type Command, commands } from '../../../src/machines/commands.ts';
import type { Draft } from '../../../src/machines/entries.ts';
import type { Settings } from '../../../src/machines/settings.ts';
import { createStepper } from '../../../src/runtime/stepper.ts';
import { created, edges, isLikely, type Sight } from '../alphabet.ts';
import { regions, type Timer, timers } from './chart-places.ts';
import { type Kind, Kinds } from './kinds.ts';
import { placesOf } from './places.ts';
import { type Read, WatchedChart } from './watched-chart.ts';

/** What an edge does: fields and their new numbers, one after the other. Null: it cannot come. */
export interface Outcome {
  writes: number[];
  /** Some place is another one. */
  moves: boolean;
  commands: Command[];
}

/** What is read next, and where to go by what is read; or, with `field` -1, what comes of it. */
interface Branch extends Read {
  next: (Branch | undefined)[];
  outcome: Outcome | null;
}

const timersById = new Map<string, Timer>(timers.map((timer) => [timer.id, timer]));
const vanishing = timers.filter(({ canVanish }) => canVanish);

const nothing: Read = { field: -1, classes: null };

const branchAt = ({ field, classes }: Read = nothing): Branch => ({
  field,
  classes,
  next: [],
  outcome: null,
});

const numberAt = ({ field, classes }: Read, kind: Kind): number => {
  const value = kind[field] ?? 0;
  return classes === null ? value : (classes[value] ?? 0);
};

export class LearnedChart {
  readonly kinds: Kinds;
  readonly edgeNames: readonly string[];
  /** Moves that the real chart made. */
  learned = 0;
  readonly #roots: (Branch | undefined)[];
  readonly #stepper;
  readonly #watched: WatchedChart;

  constructor(settings: Settings, mayTake: (edge: string) => boolean = () => true) {
    this.kinds = new Kinds(settings);
    this.edgeNames = Object.keys(edges).filter(
      (name) => mayTake(name) && (!name.startsWith('xstate.') || timersById.has(name)),
    );
    this.#roots = this.edgeNames.map(() => undefined);
    this.#watched = new WatchedChart(this.kinds);
    this.#stepper = createStepper<typeof callMachine, Command>(this.#watched.machine, commands, {
      callId: 'call1',
      created: { ...created, settings, seq: 1, at: 1_000_000 },
    });
  }

  /** @throws Error where a guard reads what no kind holds, or a region moves that nothing was read of */
  follow(edge: number, kind: Kind): Outcome | null {
    let branch = this.#roots[edge];
    while (branch !== undefined && branch.field >= 0) branch = branch.next[numberAt(branch, kind)];
    return branch === undefined ? this.#learn(edge, kind) : branch.outcome;
  }

  /** The kind that an outcome makes of another one. */
  apply({ writes }: Outcome, before: Kind, after: Kind): void {
    after.set(before);
    for (let index = 0; index < writes.length; index += 2) {
      after[writes[index] ?? 0] = writes[index + 1] ?? 0;
    }
    this.kinds.settle(after);
  }

  #learn(edge: number, kind: Kind): Outcome | null {
    this.#watched.watch();
    const outcome = this.#move(edge, kind);
    this.#keep(edge, kind, this.#watched.reads, outcome);
    this.learned += 1;
    return outcome;
  }

  #keep(edge: number, kind: Kind, reads: readonly Read[], outcome: Outcome | null): void {
    const root = this.#roots[edge] ?? branchAt(reads[0]);
    this.#roots[edge] = root;
    let branch = root;
    for (const [index, read] of reads.entries()) {
      if (branch.field !== read.field || branch.classes !== read.classes) {
        throw new Error(`${this.edgeNames[edge]}: what is read hangs on what is not`);
      }
      const value = numberAt(read, kind);
      const next = branch.next[value] ?? branchAt(reads[index + 1]);
      branch.next[value] = next;
      branch = next;
    }
    branch.outcome = outcome;
  }

  #move(edge: number, kind: Kind): Outcome | null {
    const context = this.kinds.contextOf(kind);
    const sight = this.#sight(kind, context);
    const name = this.edgeNames[edge] ?? '';
    this.#watched.note('top');
    const fact = edges[name]?.(sight) ?? null;
    if (fact === null || sight.top === 'ended' || !isLikely(sight, fact)) return null;
    const type = fact.type === 'timer.elapsed' ? fact.timer : fact.type;
    if (sight.top === 'live') this.#watched.noteReactions(type);
    const value = this.kinds.stateValueOf(kind);
    // Of the watched machine: the stepper's own asks for places past the watch (`src/runtime/light-machine.ts`).
    const before = this.#watched.machine.resolveState({ value, context } as Parameters<
      typeof callMachine.resolveState
    >[0]);
    const event = { ...fact, type, at: 1_000_001 } as CallEvent;
    const after = this.#stepper.advance(before, event);
    return this.#outcome(kind, fact, after);
  }

  #outcome(kind: Kind, fact: Draft, after: ReturnType<typeof callMachine.resolveState>): Outcome {
    const { kinds } = this;
    const writes: number[] = [];
    const armed = new Map<string, number>();
    const kept = new Map(vanishing.map(({ id }) => [id, 0]));
    const asked = this.#stepper.settle(armed, 0);
    this.#stepper.settle(kept, 0);
    const places = placesOf(after.status === 'active' ? after.value : 'ended');
    const hasLeft = places.top !== kinds.top(kind);
    if (hasLeft) writes.push(0, kinds.topNumber(places.top));
    for (const region of regions) writes.push(...this.#moved(kind, region, places.regions[region], hasLeft));
    const moves = writes.length > 0;
    for (const { id } of vanishing) {
      const isElapsed = fact.type === 'timer.elapsed' && fact.timer === id;
      if (armed.has(id)) writes.push(kinds.indexOf(id), 1);
      else if (hasLeft || isElapsed || !kept.has(id)) writes.push(kinds.indexOf(id), 0);
    }
    for (const field of this.#watched.written) writes.push(field, kinds.valueOf(field, after.context));
    return { writes, moves, commands: asked };
  }

  #moved(kind: Kind, region: string, place: string | undefined, hasLeft: boolean): number[] {
    const index = this.kinds.indexOf(`in ${region}`);
    const number = place === undefined ? 0 : this.kinds.placeNumber(region, place);
    if (number < 0) throw new Error(`${region} has no place ${place}`);
    if (number === kind[index] && !hasLeft) return [];
    const wasRead = this.kinds.isRestless(kind, region) || this.#watched.hasRead(index);
    if (!hasLeft && !wasRead) throw new Error(`${region} moved unread`);
    return [index, number];
  }

  #sight(kind: Kind, context: CallContext): Sight {
    const { kinds } = this;
    return {
      context: this.#watched.readable(context, 'change'),
      top: kinds.top(kind),
      placeIn: (region) => {
        this.#watched.note(`in ${region}`);
        return kinds.place(kind, region);
      },
      isArmed: (id) => {
        const timer = timersById.get(id);
        if (!timer) return false;
        if (timer.region !== null && kinds.top(kind) === 'live') this.#watched.note(`in ${timer.region}`);
        if (!kinds.isAtTimer(kind, timer)) return false;
        if (timer.canVanish) this.#watched.note(id);
        return kinds.isArmed(kind, timer);
      },
    };
  }
}
