/** Owns: the region that answers "where is the agent's mind?". */
import { and } from 'xstate';
import { closeNextModel, closeThisModel, joinThisModel, openNextModel, openThisModel } from './intents.ts';
import { free } from './places.ts';
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
    /** A session serves the call; towards its announced end the next one is opened and takes over between turns. */
    ready: {
      tags: 'conversation',
      initial: 'steady',
      on: { 'model.closed': losses },
      states: {
        steady: { after: { rollOver: 'rollOverDue' } },
        rollOverDue: { always: { guard: free, target: 'rollingOver' } },
        rollingOver: {
          entry: ['addGeneration', openNextModel],
          on: {
            'model.opened': [
              {
                guard: and(['nextModel', free]),
                target: 'steady',
                actions: [closeThisModel, 'noteModel', joinThisModel],
              },
              { guard: 'nextModel', target: 'rollOverDue', actions: closeNextModel },
            ],
            'model.closed': { guard: 'nextModel', target: 'pausing' },
            // What is said from here on would not be in its memory.
            'caller.startedSpeaking': { target: 'rollOverDue', actions: closeNextModel },
          },
          after: { modelConnect: { target: 'pausing', actions: closeNextModel } },
        },
        pausing: { after: { rollOverPause: 'rollOverDue' } },
      },
    },
    backingOff: { tags: 'recovering', after: { modelBackoff: 'connecting' } },
  },
});
