/**
 * A log is folded by the chart and read by the schemas of a later version. A change of either takes a new number, so
 * that what an old log meant is not changed in silence. Pinned are the chart's configuration, what it does in some
 * thousand walks (guards, assignments and delays are code, which a configuration only names), and the schemas.
 */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { chartNumber } from '../../src/machines/call/context.ts';
import { callMachine } from '../../src/machines/call/machine.ts';
import type { Draft, DraftOf } from '../../src/machines/entries.ts';
import { entryFormat, entrySchemas } from '../../src/machines/entries.ts';
import { freeze } from '../../src/runtime/step.ts';
import { created, factsAt } from './alphabet.ts';
import { configurationOf, digestOf } from './support/configuration.ts';
import { firstState, move } from './support/walk.ts';

interface Pin {
  configuration: string;
  behaviour: string;
}

const chartPins: Record<number, Pin> = {
  1: { configuration: 'e5a19ed3b6a45b7e', behaviour: 'db76dfb4e9d6d369' },
  2: { configuration: '852f0975a5e0d2b1', behaviour: '62661a60f69d29a9' },
};

const formatPins: Record<number, string> = {
  1: 'd961ae060133a3bf',
  2: '6bb866ff08c44ccd',
};

/** Written out: a changed default is no change of the chart, for each log holds its own. */
const settings: DraftOf<'call.created'>['settings'] = {
  longestCallMs: 120_000,
  streamStartMs: 15_000,
  reattachMs: 6_000,
  askCarrierMs: 3_000,
  askCarrierTries: 2,
  redirectMs: 6_000,
  streamTries: 3,
  streamSettledMs: 10_000,
  starvedMs: 8_000,
  modelConnectMs: 10_000,
  modelPingMs: 2_000,
  rollOverMs: 30_000,
  modelBackoffMs: 250,
  modelBackoffLongestMs: 5_000,
  modelTries: 3,
  longestTurnMs: 60_000,
  replyStartMs: 6_000,
  replyTries: 1,
  playbackStallMs: 5_000,
  holdingAfterMs: 1_500,
  holdingEveryMs: 2_000,
  toolFillerMs: 2_500,
  ringMs: 30_000,
  transferCheckMs: 60_000,
  transferLimitMs: 240_000,
  fallback: 'transfer',
  farewellMs: 15_000,
  endingMs: 10_000,
};

/** Rare in a walk, or it would be a short one, or begin again and again. */
const ofEnds = /^(carrier|journal|hangUp|owner|timer)/;

/** States, contexts, timers and commands of the same walks each time. */
function behaviourOfChart(): string {
  const hash = createHash('sha256');
  let random = 1;
  const draw = (below: number): number => {
    random = (random * 48_271) % 2_147_483_647;
    return random % below;
  };
  for (let walk = 0; walk < 1_500; walk++) {
    let state = firstState({ ...created, settings });
    for (let steps = 0; steps < 60 && state.snapshot.status === 'active'; steps++) {
      const facts = factsAt(state);
      const usual = facts.filter((fact) => !ofEnds.test(fact.type) && !isFinal(fact));
      const from = usual.length === 0 || draw(8) === 0 ? facts : usual;
      const { after, commands } = move(state, from[draw(from.length)] as Draft, draw(900));
      hash.update(JSON.stringify([freeze(after), commands]));
      state = after;
    }
  }
  return hash.digest('hex').slice(0, 16);
}

const isFinal = (fact: Draft): boolean => fact.type === 'model.closed' && fact.reaction === 'giveUp';

const schemas = JSON.stringify(
  Object.entries(entrySchemas).map(([type, schema]) => [type, z.toJSONSchema(schema)]),
);

it('the call chart is the one that its number stands for', () => {
  const pin = { configuration: digestOf(configurationOf(callMachine)), behaviour: behaviourOfChart() };
  expect(
    pin,
    `The call chart is not what it was. If it would fold an old log differently, raise chartNumber in src/machines/call/context.ts above ${chartNumber}, see that live calls are drained first, and add ${JSON.stringify(pin)} under the new number to chartPins in this test. If only the facts in alphabet.ts or an unreleased chart have changed, replace the pin.`,
  ).toEqual(chartPins[chartNumber]);
});

it('the entry format is the one that its number stands for', () => {
  const digest = digestOf(schemas);
  expect(
    digest,
    `The entry schemas are not what they were. Where old logs do not satisfy the new ones, raise entryFormat in src/machines/entries.ts above ${entryFormat}, and add the digest ${digest} under the new number to formatPins in this test. A new entry type or a new optional field keeps the number: replace its digest.`,
  ).toBe(formatPins[entryFormat]);
});

it('the chart names its number', () => {
  expect(callMachine.version).toBe(String(chartNumber));
});
