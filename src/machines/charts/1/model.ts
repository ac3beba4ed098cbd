/** Owns: the region that answers "where is the agent's mind?". Frozen, never edited. */
import { closeThisModel, joinThisModel, openThisModel } from './intents.ts';
import { call } from './setup.ts';

const giveUp = (reason: string) =>
  ({ target: '#call.ending', actions: { type: 'apologiseBecause', params: { reason } } }) as const;

export const model = call.createStateConfig({
  initial: 'connecting',
  on: { 'owner.claimed': { guard: 'byAnother', target: '.connecting' } },
  states: {
    connecting: {
      entry: ['nextGeneration', openThisModel],
      on: {
        'model.opened': { guard: 'currentModel', target: 'ready', actions: ['noteModel', joinThisModel] },
        'model.closed': [
          { guard: 'finalRefusal', ...giveUp('model.refused') },
          { guard: 'retryableLoss', target: 'backingOff', actions: 'loseModel' },
          { guard: 'currentModel', ...giveUp('model.unavailable') },
        ],
      },
      after: {
        modelConnect: [
          { guard: 'modelTriesLeft', target: 'backingOff', actions: [closeThisModel, 'loseModel'] },
          giveUp('model.unavailable'),
        ],
      },
    },
    ready: {
      tags: 'conversation',
      on: {
        'model.closed': [
          { guard: 'finalRefusal', ...giveUp('model.refused') },
          { guard: 'retryableLoss', target: 'backingOff', actions: 'loseModel' },
          { guard: 'currentModel', ...giveUp('model.unavailable') },
        ],
      },
    },
    backingOff: { tags: 'recovering', after: { modelBackoff: 'connecting' } },
  },
});
