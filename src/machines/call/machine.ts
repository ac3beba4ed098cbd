/**
 * Owns: the life of a call: ringing, live, transferring, ending, ended.
 * Does not own: what happens while it is live (one region a file).
 *
 * Invariants: M1 of `setup.ts`, M2 of `context.ts`, and
 * M3. The machine only assigns, waits and names commands: no invoke, spawn, sendTo or emit.
 * M4. From every state `ended` can be reached, and every wait has a limit.
 */
import { carrier } from './carrier.ts';
import { chartNumber, initialContext } from './context.ts';
import { ending } from './ending.ts';
import { farewell } from './farewell.ts';
import { media } from './media.ts';
import { model } from './model.ts';
import { call } from './setup.ts';
import { silence } from './silence.ts';
import { tools } from './tools.ts';
import { transferring } from './transferring.ts';
import { turn } from './turn.ts';

const declined = {
  target: '#call.ending.concluding',
  actions: { type: 'endBecause', params: { reason: 'declined' } },
} as const;

const over = { guard: 'carrierEnded', target: '#call.ending.concluding', actions: 'noteCarrierEnd' } as const;

export const callMachine = call.createMachine({
  id: 'call',
  version: String(chartNumber),
  context: initialContext,
  initial: 'ringing',
  states: {
    /** The carrier has asked, or was asked to dial, and nobody has answered yet. */
    ringing: {
      on: {
        'owner.claimed': { actions: 'noteClaim' },
        'call.answered': 'live',
        'carrier.reported': over,
        'hangUp.requested': {
          target: 'ending',
          actions: { type: 'endBecause', params: { reason: 'operator.hungUp' } },
        },
      },
      after: {
        streamStart: {
          target: 'ending',
          actions: { type: 'endBecause', params: { reason: 'call.notAnswered' } },
        },
      },
    },
    live: {
      type: 'parallel',
      on: {
        'carrier.reported': over,
        'call.declined': declined,
        'journal.lost': {
          target: 'ending',
          actions: { type: 'apologiseBecause', params: { reason: 'journal.lost' } },
        },
      },
      // An end decided by an earlier region wins over what a later one would do with the same event.
      states: { farewell, carrier, model, media, turn, tools, silence },
    },
    transferring: { ...transferring, on: { ...transferring.on, 'carrier.reported': over } },
    ending,
    ended: { type: 'final' },
  },
});
