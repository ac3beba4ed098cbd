/** Owns: the state in which a decided end is carried out and confirmed. */
import {
  closeNextModel,
  closeThisModel,
  closeThisStream,
  concludeThisCall,
  hangUp,
  redirectCall,
} from './intents.ts';
import { call } from './setup.ts';

const confirmed = { guard: 'carrierEnded', target: '.concluding', actions: 'noteCarrierEnd' } as const;

export const ending = call.createStateConfig({
  tags: 'ending',
  initial: 'deciding',
  entry: [closeThisModel, closeNextModel],
  on: {
    'carrier.reported': confirmed,
    /** The stream that was already on its way. */
    'stream.started': { actions: ['noteStream', closeThisStream] },
  },
  states: {
    deciding: { always: [{ guard: 'apologyDue', target: 'apologising' }, { target: 'hangingUp' }] },
    /** Twilio is told to say sorry and to hang up; where it cannot be told so, it asks once the stream is closed. */
    apologising: {
      entry: redirectCall,
      on: {
        'redirect.finished': { guard: 'notToldToApologise', actions: closeThisStream },
        'owner.claimed': { guard: 'byAnother', target: 'hangingUp', actions: 'forgetProcess' },
      },
      after: { ending: 'hangingUp' },
    },
    hangingUp: {
      entry: hangUp,
      on: {
        'owner.claimed': { guard: 'byAnother', target: 'hangingUp', reenter: true, actions: 'forgetProcess' },
        'hangUp.finished': [{ guard: 'hangUpFailed', actions: closeThisStream }, { target: 'concluding' }],
      },
      after: { ending: { target: 'concluding', actions: closeThisStream } },
    },
    concluding: {
      entry: concludeThisCall,
      on: {
        'owner.claimed': {
          guard: 'byAnother',
          target: 'concluding',
          reenter: true,
          actions: 'forgetProcess',
        },
        'call.ended': '#call.ended',
      },
    },
  },
});
