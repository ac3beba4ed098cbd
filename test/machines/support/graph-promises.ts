/** What must hold for the whole state graph of the call chart (M4), and for each of its edges. */
import type { Graph } from './graph.ts';
import type { Kind, Kinds } from './kinds.ts';
import { brokenBy, type View } from './promises.ts';

/** The kind that it is given at the moment. */
class KindView implements View {
  readonly #kinds: Kinds;
  readonly #fields: Record<'stream' | 'session' | 'tools' | 'turnOpen', number>;
  kind: Kind;

  constructor(kinds: Kinds) {
    this.#kinds = kinds;
    this.kind = new Uint8Array(kinds.fields.length);
    this.#fields = {
      stream: kinds.indexOf('stream.id'),
      session: kinds.indexOf('model.sessionId'),
      tools: kinds.indexOf('tools'),
      turnOpen: kinds.indexOf('callerTurnOpen'),
    };
  }

  get top(): string {
    return this.#kinds.top(this.kind);
  }

  placeIn(region: string): string {
    return this.top === 'live' ? this.#kinds.place(this.kind, region) : '';
  }

  get hasStream(): boolean {
    return this.kind[this.#fields.stream] === 1;
  }

  get hasSession(): boolean {
    return this.kind[this.#fields.session] === 1;
  }

  get openTools(): number {
    return this.kind[this.#fields.tools] ?? 0;
  }

  get callerTurnOpen(): boolean {
    return this.kind[this.#fields.turnOpen] === 1;
  }
}

/**
 * Walks the whole graph.
 * @throws Error where an edge breaks a promise
 */
export function exploreByPromise(graph: Graph): void {
  const [before, after] = [new KindView(graph.kinds), new KindView(graph.kinds)];
  graph.explore((visited) => {
    const { outcome, edge, isNew } = visited;
    const { moves, commands } = outcome;
    // What a call only remembers matters to promises that hold for its state.
    if (!moves && !isNew && commands.length === 0) return;
    before.kind = visited.before;
    after.kind = visited.after;
    const fault = brokenBy({ before, after, commands });
    if (fault !== null) {
      const words = [visited.before, visited.after].map((kind) => JSON.stringify(graph.kinds.describe(kind)));
      throw new Error(
        `${fault}; ${edge} led from ${words[0]} to ${words[1]} with ${JSON.stringify(commands)}`,
      );
    }
  });
}

const isEnded = (kinds: Kinds, kind: Kind): boolean => kinds.top(kind) === 'ended';

const isConversation = (kinds: Kinds, kind: Kind): boolean =>
  kinds.top(kind) === 'live' &&
  kinds.place(kind, 'carrier').startsWith('streaming') &&
  kinds.place(kind, 'model').startsWith('ready');

const isTimer = (edge: string): boolean => edge.startsWith('xstate.');

/** Everybody does what the call waits for. */
const goodWill = new Set([
  'claimed by the first process',
  'answered by us',
  'claimed by its own process for a stream',
  'stream started',
  'session opened',
  'transfer not answered',
]);

export interface Shortcoming {
  promise: string;
  kinds: number;
  example: object;
}

const isWithout = (graph: Graph, delay: string): boolean =>
  !graph.chart.edgeNames.some((edge) => edge.includes(delay));

/** Kinds that cannot get where every one of them must be able to get, by what they miss. */
function missingIn(graph: Graph): Record<string, Kind[]> {
  const { kinds } = graph;
  const isGoing = (kind: Kind): boolean =>
    ['ringing', 'live'].includes(kinds.top(kind)) ||
    (kinds.top(kind).startsWith('transferring') && kind[kinds.indexOf('transfer')] !== 1);
  return {
    'a conversation or the end can be reached': graph.without(
      graph.reaching((kind) => isEnded(kinds, kind) || isConversation(kinds, kind)),
    ),
    // A call in which nothing is lost is ended by its longest time alone.
    'the end is reached where nobody answers any more': isWithout(graph, 'longestCall')
      ? []
      : graph.without(
          graph.reaching(
            (kind) => isEnded(kinds, kind),
            (edge) => isTimer(edge) || edge === 'call ended',
          ),
        ),
    'a conversation is reached where everybody answers and no end is decided': graph.without(
      graph.reaching(
        (kind) => isConversation(kinds, kind),
        (edge) => isTimer(edge) || goodWill.has(edge),
      ),
      isGoing,
    ),
  };
}

export const shortcomingsOf = (graph: Graph): Shortcoming[] =>
  Object.entries(missingIn(graph)).flatMap(([promise, [first, ...others]]) =>
    first ? [{ promise, kinds: others.length + 1, example: graph.kinds.describe(first) }] : [],
  );
