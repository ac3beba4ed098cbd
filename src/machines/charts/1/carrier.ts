/** Owns: the region that answers "where is the caller's audio?". Frozen, never edited. */
import { askCarrier, closeThisStream, joinThisStream } from './intents.ts';
import { call } from './setup.ts';

export const carrier = call.createStateConfig({
  initial: 'awaitingStream',
  on: {
    'owner.claimed': [
      { guard: 'byAnother', target: '.lost', actions: 'forgetProcess' },
      { actions: 'noteClaim' },
    ],
    'stream.started': { guard: 'newerStream', target: '.streaming', actions: ['noteStream', joinThisStream] },
  },
  states: {
    /** Twilio has its instructions and has not opened the stream. */
    awaitingStream: { after: { streamStart: 'asking' } },
    streaming: {
      tags: ['streaming', 'conversation'],
      on: {
        'stream.stopped': {
          guard: 'currentStream',
          target: 'lost',
          actions: [closeThisStream, 'forgetStream'],
        },
        'stream.failed': {
          guard: 'currentStream',
          target: 'lost',
          actions: [closeThisStream, 'forgetStream'],
        },
        'stream.closed': { guard: 'currentStream', target: 'lost', actions: 'forgetStream' },
      },
    },
    /** Twilio fetches its next instructions, or the caller has gone: it tells us which. */
    lost: { tags: 'recovering', after: { reattach: 'asking' } },
    /** Nobody has told us: ask. */
    asking: {
      tags: 'recovering',
      entry: ['countAsk', askCarrier],
      after: {
        askCarrier: [
          { guard: 'asksLeft', target: 'asking', reenter: true },
          {
            target: '#call.ending',
            actions: { type: 'endBecause', params: { reason: 'stream.lost' } },
          },
        ],
      },
    },
  },
});
