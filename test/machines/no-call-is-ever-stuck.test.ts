/**
 * M4. Parts of the chart's state graph are walked whole here, with all the rest of the chart in them: the sockets
 * under turns and tools, goodbyes under turns and sockets, and announcements under both. `npm run graph` walks everything at once; random walks
 * go through all of it as well, in real states with real timers.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../src/machines/commands.ts';
import type { Draft } from '../../src/machines/entries.ts';
import type { CallState } from '../../src/runtime/step.ts';
import { created, edges, factsAt, isLikely, likelyFactsAt, sightOf, smallSettings } from './alphabet.ts';
import { places } from './support/chart-places.ts';
import { quietCall } from './support/facts.ts';
import { Graph } from './support/graph.ts';
import { exploreByPromise, shortcomingsOf } from './support/graph-promises.ts';
import { LearnedChart } from './support/learned-chart.ts';
import { checkContext, checkPromises, OpenSessions } from './support/promises.ts';
import { firstState, isOver, type Move, move, stepsUntilOver, stepsUntilWell } from './support/walk.ts';

/** The longest call is two minutes here, a transfer four, and a holding sound comes every two seconds. */
const mostStepsInSilence = 300;
const mostRoundsOfGoodWill = 20;

const leastLimits = { ...smallSettings, streamTries: 1, askCarrierTries: 2 };

/** What is left out of each part. */
const parts: Record<string, RegExp> = {
  'sockets, turns and tools': /announcement|hang|longestCall|hand on|second tool|media|starved|move|transfer/,
  'goodbyes and moves': /announcement|tool|next session|rollOver|failed|hand on|transfer/,
  'goodbyes and transfers':
    /announcement|second tool|toolFiller|next session|rollOver|failed|media|starved|move/,
  'goodbyes and announcements': /tool|next session|rollOver|hand on|media|starved|move|transfer/,
};

const placesSeen = new Set<string>();

/** Some 20 seconds each on an idle core. */
const searchLimitMs = 400_000;

describe.each(Object.entries(parts))('every state that can be reached (%s)', (part, left) => {
  const chart = new LearnedChart(leastLimits, (edge) => !left.test(edge));
  const graph = new Graph(chart);

  beforeAll(() => {
    const startMs = performance.now();
    exploreByPromise(graph);
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
    for (const place of graph.places()) placesSeen.add(place);
    console.log(
      `call chart (${part}): ${graph.size} kinds of state, ${graph.transitions} transitions, ${seconds} s`,
    );
  }, searchLimitMs);

  it('is one of many', () => {
    expect(graph.size).toBeGreaterThan(20_000);
  });

  it(
    'can get to a conversation or to the end, to the end in silence, and to a conversation by good will',
    () => {
      expect(shortcomingsOf(graph)).toEqual([]);
    },
    searchLimitMs,
  );
});

/** Rare in a walk, or it would be a short one. */
const ofEnds = /^(journal|carrier|hangUp|transfer|model\.closed)/;

describe('any walk through the chart', () => {
  const choices = fc.array(fc.nat(99_999), { minLength: 1, maxLength: 60, size: 'max' });

  function walk(
    numbers: readonly number[],
    factsOf: typeof factsAt,
    visit: (next: Move) => void,
    from: CallState = (numbers[0] ?? 0) % 2 === 0 ? firstState() : inConversation(),
  ): CallState {
    let state = from;
    for (const number of numbers) {
      const facts = factsOf(state).filter(({ type }) => number % 8 === 0 || !ofEnds.test(type));
      const next = move(state, facts[(number >> 4) % facts.length] as Draft, number % 700);
      visit(next);
      state = next.after;
    }
    return state;
  }

  it('keeps every promise, ends in silence, and comes well by good will', () => {
    fc.assert(
      fc.property(choices, (numbers) => {
        const sessions = new OpenSessions();
        const state = walk(numbers, likelyFactsAt, (next) => {
          checkPromises(next);
          sessions.follow(next);
        });
        checkContext(state);
        stepsUntilOver(state, mostStepsInSilence);
        stepsUntilWell(state, mostRoundsOfGoodWill);
      }),
      { numRuns: 3_000 },
    );
  }, 120_000);

  it('ends in silence and comes well by good will even where the far sides tell what cannot be', () => {
    fc.assert(
      fc.property(choices, (numbers) => {
        const state = walk(numbers, factsAt, () => undefined);
        stepsUntilOver(state, mostStepsInSilence);
        stepsUntilWell(state, mostRoundsOfGoodWill);
      }),
      { numRuns: 2_000 },
    );
  }, 120_000);

  it('leads from kind to kind of state as the graph says', () => {
    let [compared, walked] = [0, 0];
    for (const fallback of ['hangUp', 'transfer'] as const) {
      const settings = { ...leastLimits, fallback };
      const chart = new LearnedChart(settings);
      const first = firstState({ ...created, settings });
      for (const numbers of fc.sample(choices, { numRuns: 600, seed: 2 })) {
        walk(
          numbers,
          likelyFactsAt,
          (next) => {
            walked += 1;
            if (expectSameKind(chart, next)) compared += 1;
          },
          first,
        );
      }
    }
    // The rest are steps of calls that are over, and facts that are no edge of their own.
    expect(compared).toBeGreaterThan(0.8 * walked);
  }, 120_000);
});

it('every state of the chart is in one of the parts, but for those that no kind of state holds', () => {
  expect(places.filter((place) => !placesSeen.has(place))).toEqual([]);
});

/** A call in which all is quiet, with the small limits. */
function inConversation(): CallState {
  const [, ...facts] = quietCall();
  return facts.reduce((state, fact) => move(state, fact).after, firstState());
}

/**
 * The edge that the fact is, taken from the kind of the state, leads to the kind of the next state, by the same commands.
 * @returns whether there is such an edge
 */
function expectSameKind(chart: LearnedChart, { before, fact, after, commands }: Move): boolean {
  if (isOver(before)) return false;
  const kind = chart.kinds.of(before);
  const sight = sightOf(before);
  const name = Object.keys(edges).find((candidate) => {
    const draft = edges[candidate]?.(sight);
    return draft && isLikely(sight, draft) && JSON.stringify(draft) === JSON.stringify(fact);
  });
  const edge = chart.edgeNames.indexOf(asOfKind(name ?? ''));
  if (edge < 0) return false;
  // Where the kind has forgotten what the fact is about, it stays what it is.
  const outcome = chart.follow(edge, kind);
  const next = new Uint8Array(kind.length);
  if (outcome === null) next.set(kind);
  else chart.apply(outcome, kind, next);
  expect(chart.kinds.describe(next), JSON.stringify([fact, chart.kinds.describe(kind)])).toEqual(
    chart.kinds.describe(chart.kinds.of(after)),
  );
  if (outcome !== null) expect(typesOf(outcome.commands)).toEqual(typesOf(commands));
  return true;
}

/** The timers of goodbyes that a kind takes for others. */
const asOfKind = (edge: string): string =>
  edge.replace('farewell.requested', 'farewell.speaking').replace('farewell.overtime', 'farewell.owed');

/** Asked for by a region that no kind holds, or once for each of what a kind holds no number of. */
const unheld = new Set<string>(['playHoldingSound', 'recoverTool', 'closeModel']);

const typesOf = (asked: readonly Command[]): string[] =>
  asked.map(({ type }) => type).filter((type) => !unheld.has(type));
