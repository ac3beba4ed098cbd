/**
 * Owns: the region that answers "is the line open and silent?". The holding sound is heard while the caller waits for
 * somebody who is not heard.
 */
import { not } from 'xstate';
import { playHoldingSound } from './intents.ts';
import { deadAir } from './places.ts';
import { call } from './setup.ts';

// Told at once, each of these saves a second step to where the guards would lead anyway.
const waitAnew = { target: 'waiting', reenter: true } as const;
const whenHeard = {
  'reply.voiced': waitAnew,
  'reply.progressed': waitAnew,
  // A reply without a sound, as one that only asks for a tool, ended nobody's wait.
  'reply.played': [{ guard: 'unheardReply' }, { target: 'filled' }],
  'caller.startedSpeaking': 'filled',
} as const;

export const silence = call.createStateConfig({
  initial: 'filled',
  on: { 'owner.claimed': { guard: 'byAnother', target: '.filled' } },
  states: {
    filled: {
      always: { guard: deadAir, target: 'waiting' },
      on: { 'caller.stoppedSpeaking': 'waiting' },
    },
    waiting: {
      always: { guard: not(deadAir), target: 'filled' },
      on: whenHeard,
      after: { holdingAfter: 'holding' },
    },
    holding: {
      entry: playHoldingSound,
      always: { guard: not(deadAir), target: 'filled' },
      on: whenHeard,
      after: { holdingEvery: { target: 'holding', reenter: true } },
    },
  },
});
