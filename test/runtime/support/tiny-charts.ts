/**
 * Charts of a few states in the place of ours: 7 and 8 are kept, 6 is not any more, 9 is not known yet. Given to
 * `vi.mock` in the place of `src/machines/charts/table.ts`.
 */
import { assign, setup } from 'xstate';
import { type Chart, completedBy, nearestValue } from '../../../src/machines/charts/chart.ts';

/** Counts what is said; hangs up after 10 s of silence. */
const machineOf7 = setup({
  types: {
    context: {} as { said: number; instance: string | null; memory: { first: string; gone: boolean } },
    events: {} as { type: string; at: number; itemId?: string; instance?: string },
  },
  actions: {
    hangUp: () => undefined,
    count: assign(({ context, event }) => ({
      said: context.said + 1,
      memory: { ...context.memory, first: context.memory.first || (event.itemId ?? '') },
    })),
    own: assign(({ event }) => ({ instance: event.instance ?? null })),
  },
  delays: { silence: 10_000 },
}).createMachine({
  context: { said: 0, instance: null, memory: { first: '', gone: true } },
  initial: 'talking',
  on: { 'owner.claimed': { actions: 'own' } },
  states: {
    talking: {
      on: { 'caller.startedSpeaking': { target: 'talking', reenter: true, actions: 'count' } },
      after: { silence: 'silent' },
    },
    silent: { entry: 'hangUp' },
  },
});

/** Counts twice as fast, greets each new owner, is patient for three times as long; has no state `silent`. */
const machineOf8 = setup({
  types: {
    context: {} as {
      said: number;
      instance: string | null;
      memory: { first: string; more: number };
      mood: string;
    },
    events: {} as { type: string; at: number; instance?: string },
  },
  actions: {
    hangUp: () => undefined,
    askCarrier: () => undefined,
    count: assign(({ context }) => ({ said: context.said + 2 })),
    own: assign(({ event }) => ({ instance: event.instance ?? null })),
  },
  delays: { silence: ({ context }) => 30_000 + context.said },
}).createMachine({
  type: 'parallel',
  context: { said: 0, instance: null, memory: { first: '', more: 8 }, mood: 'calm' },
  states: {
    talk: {
      initial: 'talking',
      states: {
        talking: {
          entry: 'hangUp',
          initial: 'well',
          on: {
            'caller.startedSpeaking': { actions: 'count' },
            'owner.claimed': { actions: ['own', 'askCarrier'] },
          },
          after: { silence: { actions: 'hangUp' } },
          states: { well: { after: { 500: 'better' } }, better: {} },
        },
      },
    },
    new: { initial: 'idle', states: { idle: {} } },
  },
});

const chart7: Chart = {
  number: 7,
  format: 1,
  machine: machineOf7 as unknown as Chart['machine'],
  commands: { hangUp: 1 },
  carry: null,
};

const chart8: Chart = {
  number: 8,
  format: 2,
  machine: machineOf8 as unknown as Chart['machine'],
  commands: { hangUp: 1, askCarrier: 1 },
  carry: ({ value, context }) => ({
    value: nearestValue(machineOf8.root, { talk: value }),
    context: completedBy(
      { said: 0, instance: null, memory: { first: '', more: 8 }, mood: 'calm' },
      { ...context, instance: null },
    ),
  }),
};

export const charts = [chart7, chart8];
export const current = chart8;
