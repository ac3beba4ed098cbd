/** Owns: the region that answers "where is the agent's mind?". */
import { and, not } from 'xstate';
import {
  closeNextModel,
  closeThisModel,
  joinNextModel,
  joinThisModel,
  openNextModel,
  openThisModel,
} from './intents.ts';
import { betweenTurns } from './places.ts';
import { call } from './setup.ts';

/** The caller is told why, and is handed on or hung up, as it was configured. */
const giveUp = (reason: string) =>
  ({ target: '#call.ending', actions: { type: 'apologiseBecause', params: { reason } } }) as const;
const handOn = (reason: string) =>
  ({ target: '#call.transferring', actions: { type: 'fallBackBecause', params: { reason } } }) as const;

const losses = [
  { guard: and(['finalRefusal', 'fallsBackToTransfer']), ...handOn('model.refused') },
  { guard: 'finalRefusal', ...giveUp('model.refused') },
  { guard: 'retryableLoss', target: '#call.live.model.backingOff', actions: [closeNextModel, 'loseModel'] },
  { guard: and(['currentModel', 'fallsBackToTransfer']), ...handOn('model.unavailable') },
  { guard: 'currentModel', ...giveUp('model.unavailable') },
] as const;

/** The next one hears the caller before the old one stops: nobody is without an ear. */
const takeOverBetweenTurns = {
  guard: betweenTurns,
  target: 'steady',
  actions: [joinNextModel, closeThisModel, 'takeNextModel'],
} as const;

const whileOneStandsBy = [
  { guard: 'nextModel', target: 'pausing', actions: 'forgetNextModel' },
  { guard: 'replaceableLoss', target: 'steady', actions: ['loseModel', 'takeNextModel', joinThisModel] },
] as const;

export const model = call.createStateConfig({
  initial: 'connecting',
  on: { 'owner.claimed': { guard: 'byAnother', target: '.connecting' } },
  states: {
    connecting: {
      entry: ['nextGeneration', openThisModel],
      on: {
        'model.opened': { guard: 'currentModel', target: 'ready', actions: ['noteModel', joinThisModel] },
        'model.closed': losses,
      },
      after: {
        modelConnect: [
          { guard: 'modelTriesLeft', target: 'backingOff', actions: [closeThisModel, 'loseModel'] },
          { guard: 'fallsBackToTransfer', ...handOn('model.unavailable') },
          giveUp('model.unavailable'),
        ],
      },
    },
    /**
     * A session serves the call. Towards its announced end the next one is opened, whoever speaks, stands by, and takes over
     * between turns. What is said meanwhile it is told before it serves.
     */
    ready: {
      tags: 'conversation',
      initial: 'steady',
      on: { 'model.closed': losses },
      states: {
        steady: { after: { rollOver: 'rollingOver' } },
        rollingOver: {
          entry: ['addGeneration', openNextModel],
          on: {
            'model.opened': { guard: 'nextModel', target: 'standingBy', actions: 'noteNextModel' },
            'model.closed': { guard: 'nextModel', target: 'pausing' },
          },
          after: { modelConnect: { target: 'pausing', actions: closeNextModel } },
        },
        standingBy: {
          always: takeOverBetweenTurns,
          on: { 'model.closed': whileOneStandsBy },
          after: { lastTakeOver: 'overdue' },
        },
        /** No pause came: in any other moment than in the middle of a reply little of the turn is lost. */
        overdue: {
          always: [takeOverBetweenTurns, { guard: not('halfSaid'), target: 'parting' }],
          on: { 'model.closed': whileOneStandsBy },
        },
        /** As any session that is lost, this one is taken leave of by its end. */
        parting: { entry: closeThisModel, on: { 'model.closed': whileOneStandsBy } },
        pausing: { after: { rollOverPause: 'rollingOver' } },
      },
    },
    backingOff: { tags: 'recovering', after: { modelBackoff: 'connecting' } },
  },
});
