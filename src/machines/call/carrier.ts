/** Owns: the region that answers "where is the caller's audio?". */
import { and, or } from 'xstate';
import {
  askCarrier,
  closeThisStream,
  confirmThisMove,
  interruptReply,
  joinThisStream,
  redirectCall,
} from './intents.ts';
import { between, deaf } from './places.ts';
import { call } from './setup.ts';

const giveUp = {
  target: '#call.ending',
  actions: { type: 'endBecause', params: { reason: 'stream.lost' } },
} as const;

/** The carrier may be saying that sentence already: hung up at once, the caller would hear the beginning of it. */
const giveUpAloud = {
  target: '#call.ending',
  actions: { type: 'apologiseBecause', params: { reason: 'stream.lost' } },
} as const;

const losses = {
  'stream.stopped': { guard: 'currentStream', target: 'lost', actions: [closeThisStream, 'loseStream'] },
  'stream.failed': { guard: 'currentStream', target: 'lost', actions: [closeThisStream, 'loseStream'] },
  'stream.closed': { guard: 'currentStream', target: 'lost', actions: 'loseStream' },
} as const;

/** The carrier is about to bring a new stream: wait for it. */
const wait = { 'stream.requested': { target: 'lost', reenter: true, actions: 'countStreamTry' } } as const;

const mayLeave = or([between, 'moveOverdue']);

export const carrier = call.createStateConfig({
  initial: 'awaitingStream',
  on: {
    'owner.claimed': [
      { guard: 'adoptedOnTheMove', target: '.asking', actions: 'forgetProcess' },
      { guard: 'byAnother', target: '.lost', actions: 'forgetProcess' },
      { actions: 'noteClaim' },
    ],
    'stream.started': { guard: 'newerStream', target: '.streaming', actions: ['noteStream', joinThisStream] },
    'stream.requested': { actions: 'countStreamTry' },
    'stream.misdirected': { actions: 'forgetStreamTry' },
  },
  states: {
    /** Twilio has its instructions and has not opened the stream. */
    awaitingStream: {
      on: {
        'stream.failed': { target: 'lost', actions: 'failStream' },
        'stream.misdirected': { target: 'lost', actions: ['failStream', 'forgetStreamTry'] },
      },
      after: { streamStart: 'asking' },
    },
    streaming: {
      tags: ['streaming', 'conversation'],
      initial: 'steady',
      on: losses,
      // Its socket may be half open: nobody waits for its end.
      always: { guard: deaf, target: 'lost', actions: 'loseStream' },
      after: { streamSettled: { actions: 'settleStream' } },
      states: {
        steady: { on: { 'move.requested': { target: 'leaving', actions: 'noteMove' } } },
        /** The call goes to another process as soon as nobody speaks. */
        leaving: {
          always: { guard: between, target: 'confirming' },
          on: { 'move.requested': { target: 'leaving', reenter: true, actions: 'noteMove' } },
          after: { moveDeadline: 'confirming' },
        },
        /** While the journal stalls, nobody could know what was said: the conversation goes on here, and moves afterwards. */
        confirming: {
          entry: confirmThisMove,
          on: {
            'move.requested': { actions: 'noteMove' },
            'move.confirmed': [
              { guard: and(['currentStream', mayLeave]), target: '#call.live.carrier.moving' },
              { guard: 'currentStream', target: 'leaving' },
            ],
          },
        },
      },
    },
    /**
     * The stream is closed from here; whichever process Twilio asks next has the call. It was a good stream, however short:
     * a call that moves with each process of a fleet that is replaced has spent no try.
     */
    moving: {
      tags: 'recovering',
      entry: [interruptReply, 'cutStream', closeThisStream, 'loseStream', 'settleStream'],
      on: wait,
      after: { reattach: 'asking' },
    },
    /** Twilio fetches its next instructions, or the caller has gone: it tells us which. */
    lost: { tags: 'recovering', on: wait, after: { reattach: 'asking' } },
    /** Nobody has told us: ask. */
    asking: {
      tags: 'recovering',
      entry: ['countAsk', 'oweRepeat', askCarrier],
      on: {
        ...wait,
        'carrier.reported': [
          { guard: 'inProgressWithTriesLeft', target: 'rescuing', actions: 'forgetAsks' },
          { guard: 'inProgress', ...giveUpAloud },
        ],
      },
      after: { askCarrier: [{ guard: 'asksLeft', target: 'asking', reenter: true }, giveUp] },
    },
    /** The caller is on a line that leads nowhere: Twilio is told to bring a new stream. */
    rescuing: {
      tags: 'recovering',
      entry: redirectCall,
      on: { ...wait, 'redirect.finished': { guard: 'toldToConnect', target: 'rescued' } },
      after: { redirect: { target: 'asking', actions: 'countStreamTry' } },
    },
    /** Twilio carries it out: it asks for its instructions. A rescue is one try, whatever is told of it. */
    rescued: {
      tags: 'recovering',
      on: wait,
      after: { reattach: { target: 'asking', actions: 'countStreamTry' } },
    },
  },
});
