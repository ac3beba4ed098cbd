/**
 * The call chart with everything noted that it reads of a kind of state, and that it writes.
 *
 * Guards and assignments see the context through a proxy, `stateIn` tells of which regions it asks. A region is read by
 * every fact that one of its states reacts to; where states may be left without a fact, with every fact.
 */
import { type AnyStateNode, type AnyTransitionDefinition, assign, stateIn } from 'xstate';
import * as changes from '../../../src/machines/call/assignments.ts';
import type { CallContext, CallEvent } from '../../../src/machines/call/context.ts';
import { callMachine } from '../../../src/machines/call/machine.ts';
import { call } from '../../../src/machines/call/setup.ts';
import { leavesOf, observers, regionNodes } from './chart-places.ts';
import { nodesOf } from './configuration.ts';
import type { Kinds } from './kinds.ts';

/** A field, and which of its numbers are alike to the reader; null: none. */
export interface Read {
  field: number;
  classes: Uint8Array | null;
}

interface Scope {
  context: CallContext;
  event: CallEvent;
}

type Guard = (scope: Scope, params?: unknown) => boolean;
type Change = (scope: Scope, params: never) => Partial<CallContext>;

/** Taken over by a spread, unread. */
class Copied {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** The transitions that a fact of the type may take where a node is active, its own first. */
const candidatesAt = (node: AnyStateNode, type: string): AnyTransitionDefinition[] => [
  ...(node.transitions.get(type) ?? []),
  ...(node.parent && node.path.length > 2 ? candidatesAt(node.parent, type) : []),
];

const firstLeafOf = (node: AnyStateNode): AnyStateNode => {
  const initial = node.type === 'compound' ? node.initial?.target?.[0] : undefined;
  return initial ? firstLeafOf(initial) : node;
};

/**
 * The places of a region by how they react to a fact of the type: alike are those with the same transitions to choose
 * from, but for places to which one of them leads. Null where none reacts.
 */
function classesOf(region: AnyStateNode, type: string): Uint8Array | null {
  const known: AnyTransitionDefinition[][] = [];
  const places = leavesOf(region);
  const classes = places.map((place, index) => {
    const candidates = candidatesAt(place, type);
    const isTarget = candidates.some(({ target }) => target?.some((node) => firstLeafOf(node) === place));
    if (isTarget) return places.length + index;
    const alike = known.findIndex(
      (other) => other.length === candidates.length && other.every((one, place) => one === candidates[place]),
    );
    return alike >= 0 ? alike : known.push(candidates) - 1;
  });
  const isDeaf = places.every((place) => candidatesAt(place, type).length === 0);
  return isDeaf ? null : Uint8Array.from(classes);
}

function withoutObservers() {
  const { config } = callMachine;
  const { live, ...rest } = config.states ?? {};
  const kept = Object.entries(live?.states ?? {}).filter(([region]) => !observers.includes(region));
  const states = { ...rest, live: { ...live, states: Object.fromEntries(kept) } };
  return call.createMachine({ ...config, states } as unknown as Parameters<typeof call.createMachine>[0]);
}

/** Whoever is watching at the moment: guards belong to all charts. */
let watching: WatchedChart | null = null;

/** `stateIn` is asked by xstate itself. */
function watchPlaces(guard: unknown): void {
  if (typeof guard !== 'function') return;
  if ('guards' in guard) for (const part of guard.guards as unknown[]) watchPlaces(part);
  if (!('stateValue' in guard) || !('check' in guard)) return;
  const { live } = guard.stateValue as { live: object };
  const asked = Object.keys(live);
  if (asked.some((region) => observers.includes(region))) throw new Error(`${asked} is asked about`);
  const { check } = stateIn({}) as unknown as { check: (...args: unknown[]) => boolean };
  guard.check = (...args: unknown[]): boolean => {
    for (const region of asked) watching?.note(`in ${region}`);
    return check(...args);
  };
}

export class WatchedChart {
  readonly machine: typeof callMachine;
  reads: Read[] = [];
  written = new Set<number>();
  readonly #kinds: Kinds;
  readonly #reactions = new Map<string, Read[]>();

  constructor(kinds: Kinds) {
    this.#kinds = kinds;
    this.machine = this.#watchedMachine();
  }

  /** From here on reading and writing is noted anew. */
  watch(): void {
    watching = this;
    this.reads = [];
    this.written = new Set();
  }

  note(name: string): void {
    this.noteField(this.#kinds.indexOf(name));
  }

  noteField(field: number, classes: Uint8Array | null = null): void {
    const isNoted = this.reads.some((read) => read.field === field && read.classes === classes);
    if (!isNoted) this.reads.push({ field, classes });
  }

  /** What a live call reads of its regions when a fact of this type comes. */
  noteReactions(type: string): void {
    for (const { field, classes } of this.#reactionsTo(type)) this.noteField(field, classes);
    for (let field = this.#kinds.held; field < this.#kinds.fields.length; field++) this.noteField(field);
  }

  hasRead(field: number): boolean {
    return this.reads.some((read) => read.field === field);
  }

  #reactionsTo(type: string): Read[] {
    const known = this.#reactions.get(type);
    if (known) return known;
    const reads = regionNodes.flatMap((node) => {
      const classes = classesOf(node, type);
      return classes ? [{ field: this.#kinds.indexOf(`in ${node.key}`), classes }] : [];
    });
    this.#reactions.set(type, reads);
    return reads;
  }

  #watchedMachine(): typeof callMachine {
    const machine = withoutObservers();
    for (const node of nodesOf(machine.root)) {
      const transitions = [...node.transitions.values(), node.always ?? []].flat();
      for (const { guard } of transitions) watchPlaces(guard);
    }
    const guards = Object.entries(machine.implementations.guards).map(([name, guard]) => [
      name,
      ({ context, event }: Scope, params: unknown) =>
        (guard as unknown as Guard)({ context: this.readable(context, 'guard'), event }, params),
    ]);
    const actions = Object.entries(changes).map(([name, change]) => [
      name,
      this.#watchedChange(change as Change),
    ]);
    return machine.provide({
      guards: Object.fromEntries(guards),
      actions: Object.fromEntries(actions),
    }) as unknown as typeof callMachine;
  }

  #watchedChange(change: Change) {
    return assign(({ context, event }, params) => {
      const scope = { context: this.readable(context as CallContext, 'change'), event: event as CallEvent };
      const changed = change(scope, params as never);
      return Object.fromEntries(
        Object.entries(changed).map(([key, part]) => [key, this.#written(key, part)]),
      );
    });
  }

  /** What was assigned. Parts of it that were only copied are neither read nor written. */
  #written(key: string, part: unknown): unknown {
    const isWhole = typeof part !== 'object' || part === null || Array.isArray(part);
    const entries: [string, unknown][] = isWhole ? [] : Object.entries(part);
    const copied = new Set(
      entries.filter(([, value]) => value instanceof Copied).map(([name]) => `${key}.${name}`),
    );
    for (const name of this.#kinds.namesIn(key)) {
      if (!copied.has(name)) this.written.add(this.#kinds.indexOf(name));
    }
    if (isWhole) return part;
    return Object.fromEntries(
      entries.map(([name, value]) => [name, value instanceof Copied ? value.value : value]),
    );
  }

  /** The context, with every reading of it noted. */
  readable(context: CallContext, reader: 'guard' | 'change'): CallContext {
    const read = (path: string): void => {
      const index = this.#kinds.readIndexOf(path, reader);
      if (index !== null) this.noteField(index);
    };
    const watch = <Part extends object>(part: Part, prefix: string): Part => {
      let copied: string | symbol | null = null;
      return new Proxy(part, {
        // A spread asks for each property's descriptor before it takes the value.
        getOwnPropertyDescriptor: (target, key) => {
          copied = key;
          return Reflect.getOwnPropertyDescriptor(target, key);
        },
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key);
          if (copied === key) {
            copied = null;
            return new Copied(value);
          }
          read(`${prefix}${String(key)}`);
          return value;
        },
      });
    };
    const parts = {
      stream: watch(context.stream, 'stream.'),
      model: watch(context.model, 'model.'),
      reply: watch(context.reply, 'reply.'),
    };
    return new Proxy(context, {
      get: (target, key) => {
        if (Object.hasOwn(parts, key)) return Reflect.get(parts, key);
        read(String(key));
        return Reflect.get(target, key);
      },
    });
  }
}
