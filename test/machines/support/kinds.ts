/**
 * Kinds of state of a call: what of a state decides where the chart goes from it, and nothing else. Two states of one
 * kind move to states of one kind by the same edge and ask for the same commands, but for ids.
 *
 * - Ids (streams, sessions, replies, tools, the instance) are only compared with the ids in facts, and an edge names
 *   ids relative to the state: a kind holds whether there is one. Of two numbers of sessions, whether they differ; of
 *   the attempts of streams, whether there was any.
 * - Counters are only compared with their limits: a kind holds them up to the limit.
 * - What is owed to the caller is only asked for being owed. The words are a parameter of a command.
 * - `startedAt`, `dueAt`, `life`, `backoffMs` are only read by delays; a timer is an edge that may be taken while
 *   it is armed. `endReason`, `stream.cut` and `callId` are only read into `endReason` and commands.
 * - A field that no state can read before it is written again is nothing (`forgetDead`).
 * - The region `silence` is left out: nobody reads its states, and it goes nowhere else.
 *
 * A guard that reads what a kind does not hold fails the search (`learned-chart.ts`).
 */
import type { CallContext } from '../../../src/machines/call/context.ts';
import type { Settings } from '../../../src/machines/settings.ts';
import type { CallState } from '../../../src/runtime/step.ts';
import { isWithin, regionPlaces, regions, restless, type Timer, timers, topPlaces } from './chart-places.ts';
import {
  type ContextField,
  contextFields,
  contextWith,
  type Field,
  fillers,
  relative,
  unheld,
} from './kind-fields.ts';
import { placesOf } from './places.ts';

/** One number each. */
export type Kind = Uint8Array;

/** A kind's numbers by their names: `top`, the regions, timers that may have vanished, the context, restless places. */
export class Kinds {
  readonly settings: Settings;
  readonly fields: readonly Field[];
  /** How many of the fields make the kind; the others follow from them. */
  readonly held: number;
  readonly #context: readonly ContextField[];
  readonly #index: ReadonlyMap<string, number>;
  readonly #radix: number[] = [];
  readonly #dead: ReturnType<typeof deadOf>;
  readonly #vanishing: { timer: Timer; index: number }[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #restless: { region: string; index: number; of: number[] }[];

  constructor(settings: Settings) {
    this.settings = settings;
    this.#context = contextFields(settings);
    const held = [
      { name: 'top', size: topPlaces.length },
      ...[...regionPlaces].map(([name, places]) => ({ name: `in ${name}`, size: places.length })),
      ...timers.filter(({ canVanish }) => canVanish).map(({ id }) => ({ name: id, size: 2 })),
      ...this.#context,
    ];
    const derived = [...restless].map(([name, places]) => ({
      name: `restless ${name}`,
      size: places.length + 1,
    }));
    this.held = held.length;
    this.fields = [...held, ...derived];
    if (new Set(this.fields.map(({ name }) => name)).size < this.fields.length) throw new Error('namesakes');
    this.#index = new Map(this.fields.map(({ name }, index) => [name, index]));
    this.#dead = deadOf(this);
    this.#vanishing = timers
      .filter(({ canVanish }) => canVanish)
      .map((timer) => ({ timer, index: this.indexOf(timer.id) }));
    this.#places = new Map(regions.map((region) => [region, this.indexOf(`in ${region}`)]));
    this.#restless = [...restless].map(([region, outers]) => ({
      region,
      index: this.indexOf(`restless ${region}`),
      of: (regionPlaces.get(region) ?? []).map(
        (place) => outers.findLastIndex((outer) => isWithin(place, outer)) + 1,
      ),
    }));
    let product = 1;
    for (const { size } of held) {
      this.#radix.push(product);
      product *= size;
    }
    if (product > Number.MAX_SAFE_INTEGER) throw new Error('a kind does not fit into a number');
  }

  indexOf(name: string): number {
    const index = this.#index.get(name);
    if (index === undefined) throw new Error(`a kind does not hold ${name}`);
    return index;
  }

  /** Null for what a change may read and no kind holds. A guard must not. */
  readIndexOf(path: string, reader: 'guard' | 'change'): number | null {
    if (!unheld.has(path)) return this.indexOf(path);
    if (reader === 'guard' && !relative.has(path))
      throw new Error(`a guard reads ${path}, which no kind holds`);
    return path === 'model.generation' ? this.indexOf('model.newest') : null;
  }

  /** Names of the fields that hold this part of the context. */
  namesIn(key: string): string[] {
    return this.#context.map(({ name }) => name).filter((name) => name === key || name.startsWith(`${key}.`));
  }

  valueOf(index: number, context: CallContext): number {
    return this.#context.find(({ name }) => this.indexOf(name) === index)?.of(context) ?? 0;
  }

  /** The kind of a real state. */
  of({ snapshot, due }: CallState): Kind {
    const kind = new Uint8Array(this.fields.length);
    const { context } = snapshot;
    const { top, regions: places } = placesOf(snapshot.status === 'active' ? snapshot.value : 'ended');
    kind[0] = this.topNumber(top);
    for (const region of regions) {
      const place = places[region];
      if (place !== undefined) kind[this.indexOf(`in ${region}`)] = this.placeNumber(region, place);
    }
    for (const { timer, index } of this.#vanishing) kind[index] = due.has(timer.id) ? 1 : 0;
    for (const field of this.#context) kind[this.indexOf(field.name)] = field.of(context);
    this.settle(kind);
    return kind;
  }

  top(kind: Kind): string {
    return topPlaces[kind[0] ?? 0] ?? '';
  }

  topNumber(top: string): number {
    return topPlaces.indexOf(top);
  }

  place(kind: Kind, region: string): string {
    return regionPlaces.get(region)?.[kind[this.#places.get(region) ?? 0] ?? 0] ?? '';
  }

  placeNumber(region: string, place: string): number {
    return regionPlaces.get(region)?.indexOf(place) ?? -1;
  }

  /** Whether the place that the timer belongs to is taken. */
  isAtTimer(kind: Kind, { region, place }: Timer): boolean {
    if (region === null) return isWithin(this.top(kind), place);
    return this.top(kind) === 'live' && isWithin(this.place(kind, region), place);
  }

  isArmed(kind: Kind, timer: Timer): boolean {
    return this.isAtTimer(kind, timer) && (!timer.canVanish || kind[this.indexOf(timer.id)] === 1);
  }

  /** It is in a place that it leaves by itself, which is read with every fact. */
  isRestless(kind: Kind, region: string): boolean {
    return restless.has(region) && (kind[this.indexOf(`restless ${region}`)] ?? 0) > 0;
  }

  /** Sets to nothing what cannot be read any more, and fills in what follows from the rest. */
  settle(kind: Kind): void {
    this.#forgetDead(kind);
    const isLive = this.top(kind) === 'live';
    for (const { region, index, of } of this.#restless) {
      kind[index] = isLive ? (of[kind[this.#places.get(region) ?? 0] ?? 0] ?? 0) : 0;
    }
  }

  #forgetDead(kind: Kind): void {
    const top = this.top(kind);
    if (top === 'live') {
      this.#forgetDeadOfLive(kind);
      return;
    }
    if (top === 'ringing') return;
    const isFallback = kind[this.indexOf('transfer')] === 1;
    const living = livingAt(top, isFallback);
    for (let index = 1; index < this.held; index++) {
      if (!living.has(this.fields[index]?.name ?? '')) kind[index] = 0;
    }
  }

  /**
   * - A sentence that was said is only asked about while a tool runs.
   * - The next session is only known by its number while it takes over; closing it twice is nothing.
   * - Nothing is asked about the audio of a stream that is gone, and a new one begins anew.
   * - The agent's goodbyes differ in how they begin, the others in the reason that is given.
   */
  #forgetDeadOfLive(kind: Kind): void {
    for (const { timer, index } of this.#vanishing) if (!this.isAtTimer(kind, timer)) kind[index] = 0;
    const dead = this.#dead;
    if (kind[dead.tools] === 0 && kind[dead.filler] === dead.begun) kind[dead.filler] = 0;
    if (!dead.takingOver.has(kind[dead.model] ?? 0)) kind[dead.newest] = 0;
    if (kind[dead.stream] === 0) kind[dead.media] = dead.flowing;
    if (kind[dead.farewell] === dead.requested) kind[dead.farewell] = dead.speaking;
    if (kind[dead.farewell] === dead.overtime) kind[dead.farewell] = dead.owed;
  }

  pack(kind: Kind): number {
    let number = 0;
    for (let index = 0; index < this.held; index++) number += (kind[index] ?? 0) * (this.#radix[index] ?? 0);
    return number;
  }

  unpack(number: number, kind: Kind): void {
    let rest = number;
    for (let index = 0; index < this.held; index++) {
      const size = this.fields[index]?.size ?? 1;
      const quotient = Math.floor(rest / size);
      kind[index] = rest - quotient * size;
      rest = quotient;
    }
    this.settle(kind);
  }

  /** For reading. */
  describe(kind: Kind): object {
    const told = this.#context.map(({ name }): [string, number] => [name, kind[this.indexOf(name)] ?? 0]);
    return { value: this.stateValueOf(kind), ...Object.fromEntries(told.filter(([, number]) => number > 0)) };
  }

  /** The value of a state of this kind, without the regions that no kind holds. */
  stateValueOf(kind: Kind): object | string {
    const top = this.top(kind);
    if (top !== 'live') return nested(top);
    return {
      live: Object.fromEntries(regions.map((region) => [region, nested(this.place(kind, region))])),
    };
  }

  /** A context of this kind. */
  contextOf(kind: Kind): CallContext {
    return contextWith(this.settings, (name) => kind[this.indexOf(name)] ?? 0);
  }
}

const deadOf = (kinds: Kinds) => ({
  tools: kinds.indexOf('tools'),
  filler: kinds.indexOf('filler'),
  begun: fillers.indexOf('begun'),
  model: kinds.indexOf('in model'),
  takingOver: new Set(
    ['rollingOver', 'standingBy', 'overdue', 'parting'].map((place) =>
      kinds.placeNumber('model', `ready.${place}`),
    ),
  ),
  newest: kinds.indexOf('model.newest'),
  stream: kinds.indexOf('stream.id'),
  media: kinds.indexOf('in media'),
  flowing: kinds.placeNumber('media', 'flowing'),
  farewell: kinds.indexOf('in farewell'),
  requested: kinds.placeNumber('farewell', 'requested'),
  speaking: kinds.placeNumber('farewell', 'speaking'),
  owed: kinds.placeNumber('farewell', 'owed'),
  overtime: kinds.placeNumber('farewell', 'overtime'),
});

/** An end reads only how it is to be carried out; whoever is handed on comes back to a new stream and session. */
function livingAt(top: string, isFallback: boolean): ReadonlySet<string> {
  if (top === 'ended') return new Set();
  if (top.startsWith('ending')) return new Set(['instance', 'stream.attempt', 'stream.id', 'apology']);
  const always = ['instance', 'stream.attempt', 'stream.id', 'transfer'];
  return new Set(isFallback ? always : [...always, 'asks', 'tools', 'toolAnswerOwed', 'hangUpCall']);
}

function nested(place: string): object | string {
  const [outer = '', ...inner] = place.split('.');
  return inner.length === 0 ? outer : { [outer]: nested(inner.join('.')) };
}
