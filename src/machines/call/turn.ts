/** Owns: the region that answers "who has the floor?". */
import { closeThisModel, createOwedReply, interruptReply } from './intents.ts';
import { call } from './setup.ts';

const callerSpeaks = {
  target: '.callerSpeaking',
  actions: [interruptReply, 'noteCallerSpeaking'],
} as const;

/** The session answers nothing any more: a new one, with the same history, may. */
const replaceModel = { target: 'listening', actions: closeThisModel } as const;

const askAgain = { target: 'thinking', reenter: true, actions: ['countReplyTry', createOwedReply] } as const;

export const turn = call.createStateConfig({
  initial: 'listening',
  on: {
    'owner.claimed': { guard: 'byAnother', target: '.listening' },
    'caller.startedSpeaking': callerSpeaks,
    'stream.started': { guard: 'canNowSpeak', target: '.thinking', actions: createOwedReply },
    'model.opened': { guard: 'canNowSpeak', target: '.thinking', actions: createOwedReply },
    'model.closed': { guard: 'replyCut', target: '.listening' },
    'reply.started': { target: '.thinking', actions: ['noteReply', 'closeCallerTurn'] },
    'caller.transcribed': { guard: 'openTurnTranscribed', actions: 'oweAnswer' },
    'reply.finished': { actions: 'noteReplyFinished' },
  },
  states: {
    listening: {},
    callerSpeaking: {
      on: {
        'caller.stoppedSpeaking': { target: 'thinking', actions: 'freshReplyTries' },
        /** A reply that was asked for before the caller began: nobody talks over the caller. */
        'reply.started': { actions: ['noteReply', interruptReply] },
      },
    },
    /** A reply is owed and has no sound yet. */
    thinking: {
      on: {
        'reply.voiced': { guard: 'currentReply', target: 'agentSpeaking', actions: 'noteVoice' },
        'reply.finished': [
          { guard: 'cancelledReply', target: 'listening', actions: 'noteReplyFinished' },
          {
            guard: 'emptyReplyWithTriesLeft',
            target: 'thinking',
            reenter: true,
            actions: ['noteReplyFinished', 'countReplyTry', createOwedReply],
          },
          { guard: 'emptyReply', target: 'listening', actions: ['noteReplyFinished', closeThisModel] },
          { actions: 'noteReplyFinished' },
        ],
      },
      after: {
        replyStart: [
          { guard: 'toolsOpen', target: 'thinking', reenter: true },
          { guard: 'replyActive', target: 'listening', actions: closeThisModel },
          { guard: 'canAskAgain', ...askAgain },
          { guard: 'canSpeak', ...replaceModel },
          { target: 'listening' },
        ],
      },
    },
    agentSpeaking: {
      on: {
        'reply.started': { actions: ['noteReply', 'closeCallerTurn'] },
        'reply.voiced': { guard: 'currentReply', actions: 'noteVoice' },
        'reply.progressed': { target: 'agentSpeaking', reenter: true },
        'reply.played': [
          { guard: 'playedReply', target: 'listening', actions: 'nothingOwed' },
          { guard: 'earlierReply', target: 'thinking' },
        ],
        'stream.stopped': { guard: 'currentStream', target: 'listening' },
        'stream.failed': { guard: 'currentStream', target: 'listening' },
        'stream.closed': { guard: 'currentStream', target: 'listening' },
      },
      after: { playbackStall: { target: 'listening', actions: 'nothingOwed' } },
    },
  },
});
