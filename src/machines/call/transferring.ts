/**
 * Owns: the state in which the caller is handed on (a blind transfer): Twilio dials, and tells how it went.
 * Does not own: who may ask for it (`farewell.ts`), the number (a payload of `transfer.requested`, or the configured
 * fallback's).
 *
 * The dialling may last as long as the two talk: there is neither a stream nor a session meanwhile. Nothing is dialled
 * twice: once the carrier may have been told, only its own word is waited for.
 */
import {
  answerOtherTransfer,
  answerThisTransfer,
  askCarrier,
  closeNextModel,
  closeThisModel,
  closeThisStream,
  interruptReply,
  recoverOpenTools,
  redirectCall,
} from './intents.ts';
import { call } from './setup.ts';

export const transferring = call.createStateConfig({
  initial: 'redirecting',
  entry: [interruptReply, closeThisModel, closeNextModel, 'forgetReply'],
  exit: 'leaveConversation',
  on: {
    'stream.stopped': { guard: 'currentStream', actions: 'loseStream' },
    'stream.failed': { guard: 'currentStream', actions: 'loseStream' },
    'stream.closed': { guard: 'currentStream', actions: 'loseStream' },
    'tool.finished': { guard: 'openTool', actions: 'settleTool' },
    'owner.claimed': [
      { guard: 'byAnother', actions: ['forgetProcess', recoverOpenTools] },
      { actions: 'noteClaim' },
    ],
    'transfer.requested': answerOtherTransfer,
    /** It was on its way. Once it is closed Twilio asks what to do next. */
    'stream.started': { guard: 'newerStream', actions: ['noteStream', closeThisStream] },
    'hangUp.requested': {
      target: 'ending',
      actions: { type: 'endBecause', params: { reason: 'operator.hungUp' } },
    },
    /** Whoever the caller talks to is no matter of the journal. */
    'journal.lost': {
      target: '#call.ending.concluding',
      actions: { type: 'endBecause', params: { reason: 'journal.lost' } },
    },
    'transfer.finished': [
      {
        guard: 'transferCompleted',
        target: 'ending',
        actions: { type: 'endBecause', params: { reason: 'call.transferred' } },
      },
      { guard: 'transferIsFallback', target: 'ending', actions: 'apologise' },
      {
        guard: 'transferByAgent',
        target: 'live',
        actions: ['returnToConversation', answerThisTransfer, 'forgetTransfer'],
      },
      { target: 'live', actions: ['returnToConversation', 'forgetTransfer'] },
    ],
  },
  after: {
    transferLimit: {
      target: 'ending',
      actions: { type: 'endBecause', params: { reason: 'transfer.unknown' } },
    },
  },
  states: {
    redirecting: {
      entry: redirectCall,
      on: {
        'redirect.finished': [
          { guard: 'toldToDial', target: 'dialing' },
          { guard: 'notToldToDial', target: 'telling', actions: closeThisStream },
        ],
        // Whether it was told is not known; if not, it asks, for the stream died with the one that owned it.
        'owner.claimed': {
          guard: 'byAnother',
          target: 'telling',
          actions: ['forgetProcess', recoverOpenTools],
        },
        // Twilio is told already.
        'stream.started': { guard: 'newerStream', actions: 'noteStream' },
      },
      after: { redirect: { target: 'telling', actions: closeThisStream } },
    },
    /** Without a stream Twilio asks what to do next, and is told to dial. */
    telling: { after: { transferCheck: { target: 'telling', reenter: true, actions: askCarrier } } },
    /** Twilio has been told to dial: until it tells the outcome it is told nothing else. */
    dialing: {
      entry: 'giveUpStream',
      after: { transferCheck: { target: 'dialing', reenter: true, actions: askCarrier } },
    },
  },
});
