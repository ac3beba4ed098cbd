/** Owns: the region that answers "does audio really arrive?". Frozen, never edited. */
import { closeThisStream } from './intents.ts';
import { call } from './setup.ts';

export const media = call.createStateConfig({
  initial: 'flowing',
  on: {
    'owner.claimed': { guard: 'byAnother', target: '.flowing' },
    'stream.started': { guard: 'newerStream', target: '.flowing' },
  },
  states: {
    flowing: {
      on: { 'media.starved': { guard: 'currentStream', target: 'starved' } },
    },
    /** The socket looks alive and brings nothing. */
    starved: {
      tags: 'recovering',
      on: { 'media.resumed': { guard: 'currentStream', target: 'flowing' } },
      after: { starved: 'restarting' },
    },
    /** The stream is closed from here; Twilio then asks what to do next. */
    restarting: { tags: 'recovering', entry: closeThisStream },
  },
});
