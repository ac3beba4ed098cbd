/** Owns: the region that answers "who has the floor?". */
import { and, not } from 'xstate';
import {
  closeThisModel,
  createAnswer,
  createOverdueReply,
  createOwedReply,
  interruptReply,
} from './intents.ts';
import { announcementDue, nextStandsBy, noFarewell } from './places.ts';
import { call } from './setup.ts';

const callerSpeaks = {
  target: '.callerSpeaking',
  actions: [interruptReply, 'noteCallerSpeaking'],
} as const;

/** The reply that is waited for, and none that the caller has spoken over, is still being written. */
const awaitedReply = and(['currentReply', not('callerTurnOpen')]);

/** The session answers nothing any more: a new one, with the same history, may. */
const replaceModel = { target: 'listening', actions: closeThisModel } as const;

/** The model failed in the middle of its reply: what was heard stands, and the rest is asked for. */
const goOn = {
  target: '#call.live.turn.thinking',
  actions: ['noteReplyFinished', 'countReplyTry', 'oweContinuation', createOwedReply],
} as const;
const goOnElsewhere = {
  target: '#call.live.turn.listening',
  actions: ['noteReplyFinished', 'oweContinuation', closeThisModel],
} as const;

const askAgain = {
  target: 'thinking',
  reenter: true,
  actions: ['countReplyTry', createOverdueReply],
} as const;

const askAgainAfterReply = {
  target: 'thinking',
  reenter: true,
  actions: ['noteReplyFinished', 'countReplyTry', createOwedReply],
} as const;

/** What the line had not played is lost with it: the model is told how much was heard. */
const lineLost = { guard: 'currentStream', target: 'listening', actions: interruptReply } as const;

/** The session that stands by can go on at once. */
const canSpeakByNext = and([nextStandsBy, 'canSpeakAfterLoss']);

/** The next session goes on where the caller stopped hearing: what is still on the line would be said twice. */
const sessionLost = [
  { guard: 'replyCut', target: '#call.live.turn.listening', actions: interruptReply },
  { guard: 'currentModel', target: '#call.live.turn.listening' },
] as const;

export const turn = call.createStateConfig({
  initial: 'listening',
  on: {
    'owner.claimed': { guard: 'byAnother', target: '.listening' },
    'caller.startedSpeaking': callerSpeaks,
    'stream.started': [
      { guard: 'toolAnswerFollows', target: '.thinking' },
      { guard: 'canNowSpeak', target: '.thinking', actions: createOwedReply },
    ],
    'model.opened': { guard: 'canNowSpeak', target: '.thinking', actions: createOwedReply },
    'model.closed': [
      {
        guard: and(['replyCut', canSpeakByNext]),
        target: '.thinking',
        actions: [interruptReply, createOwedReply],
      },
      { guard: canSpeakByNext, target: '.thinking', actions: createOwedReply },
      ...sessionLost,
    ],
    'reply.started': [
      // Nobody needs to hear any more that the tool still runs.
      { guard: 'fillerTooLate', target: '.thinking', actions: ['noteReply', interruptReply] },
      { target: '.thinking', actions: ['noteReply', 'closeCallerTurn'] },
    ],
    'reply.voiced': { guard: 'currentReply', target: '.agentSpeaking', actions: 'noteVoice' },
    'caller.transcribed': { guard: 'openTurnTranscribed', actions: 'oweAnswer' },
    'reply.finished': [
      { guard: 'toolAnswerDue', target: '.thinking', actions: 'noteReplyFinished' },
      { actions: 'noteReplyFinished' },
    ],
    'tool.finished': { guard: 'lastToolOnFreeFloor', target: '.thinking' },
    'announcement.requested': { actions: 'awaitAnnouncement' },
  },
  states: {
    listening: {
      always: { guard: announcementDue, target: 'thinking', actions: ['oweAnnouncement', createOwedReply] },
      on: {
        'reply.finished': [
          { guard: 'toolAnswerDue', target: 'thinking', actions: 'noteReplyFinished' },
          { guard: and(['brokenReply', 'canSpeak', 'replyTriesLeft']), ...goOn },
          { guard: and(['brokenReply', 'canSpeak']), ...goOnElsewhere },
          { actions: 'noteReplyFinished' },
        ],
      },
    },
    callerSpeaking: {
      on: {
        'caller.stoppedSpeaking': { target: 'thinking', actions: 'freshReplyTries' },
        // Nobody talks over the caller: neither a reply that was asked for before, nor the answer to an earlier turn.
        'reply.started': { actions: ['noteReply', interruptReply] },
        'reply.voiced': {},
        'caller.transcribed': {},
        'stream.started': {},
        // Whoever serves next hears the turn itself.
        'model.closed': [...sessionLost],
      },
      // A session that heard the caller begin and tells nothing more: its successor hears it from the ring.
      after: { longestTurn: { guard: 'hasModel', ...replaceModel } },
    },
    /** A reply is owed and has no sound yet. */
    thinking: {
      on: {
        // A reply that is on its way comes through the new line as well.
        'stream.started': [
          { guard: 'toolAnswerNowPossible', target: 'thinking', reenter: true, actions: createAnswer },
          { guard: 'newerStream', target: 'thinking', reenter: true },
        ],
        'reply.extended': { guard: awaitedReply, target: 'thinking', reenter: true },
        'reply.finished': [
          { guard: 'toolAnswerDue', target: 'thinking', reenter: true, actions: 'noteReplyFinished' },
          // Whatever became of a sentence that was to bridge the wait: the tool's result is what is owed.
          { guard: 'toolsOpen', actions: 'noteReplyFinished' },
          // The caller spoke over a reply that was asked for before: the turn that ended since is still unanswered.
          { guard: and(['cancelledReply', 'callerTurnOpen']), actions: 'noteReplyFinished' },
          { guard: and(['cancelledUnheard', noFarewell]), ...askAgainAfterReply },
          { guard: 'cancelledReply', target: 'listening', actions: 'noteReplyFinished' },
          { guard: 'emptyReplyWithTriesLeft', ...askAgainAfterReply },
          { guard: 'emptyReply', target: 'listening', actions: ['noteReplyFinished', closeThisModel] },
          { actions: 'noteReplyFinished' },
        ],
      },
      after: {
        replyStart: [
          { guard: 'replyMustWait', target: 'thinking', reenter: true },
          { guard: 'replyActive', ...replaceModel },
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
        'reply.extended': { guard: awaitedReply, target: 'agentSpeaking', reenter: true },
        'reply.finished': { actions: 'noteReplyFinished' },
        'reply.played': [
          { guard: 'playedBeforeToolAnswer', target: 'thinking', actions: 'oweAnswer' },
          { guard: and(['playedBrokenReply', 'replyTriesLeft']), ...goOn },
          { guard: 'playedBrokenReply', ...goOnElsewhere },
          { guard: 'playedReply', target: 'listening', actions: ['nothingOwed', 'freshReplyTries'] },
          { guard: 'earlierReply', target: 'thinking' },
        ],
        // The answer follows what is being played.
        'tool.finished': {},
        // A reply that has come in full needs no session.
        'model.closed': [
          { guard: and(['replyPlaysOn', nextStandsBy, 'toolAnswerAfterLoss']), actions: createAnswer },
          { guard: 'replyPlaysOn' },
        ],
        'model.opened': [{ guard: 'toolAnswerNowPossible', actions: createAnswer }, {}],
        'stream.stopped': lineLost,
        'stream.failed': lineLost,
        'stream.closed': lineLost,
        'stream.started': [
          { guard: 'toolAnswerFollows', target: 'thinking', actions: interruptReply },
          { guard: 'canNowSpeak', target: 'thinking', actions: [interruptReply, createOwedReply] },
          { guard: 'newerStream', target: 'listening', actions: interruptReply },
        ],
      },
      after: {
        playbackStall: [
          // Nothing is wrong with the reply: what was not heard is owed to the next line.
          { guard: not('hasStream'), target: 'listening', actions: interruptReply },
          { guard: 'voicedReplyActive', ...replaceModel },
          { target: 'listening', actions: 'nothingOwed' },
        ],
      },
    },
  },
});
