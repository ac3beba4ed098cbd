/** Owns: the region that answers "has goodbye been said?". The call ends only after the farewell was played. Frozen, never edited. */
import { acceptThisHangUp, createFarewell, declineThisHangUp, interruptReply } from './intents.ts';
import { call } from './setup.ts';

const conversationGoesOn = { target: 'none', actions: [declineThisHangUp, 'forgetHangUpCall'] } as const;
const endNow = (reason: string) =>
  ({ target: '#call.ending', actions: { type: 'endBecause', params: { reason } } }) as const;

/** The process that was saying goodbye is gone: another one asks for the goodbye again. */
const goodbyeAgain = { guard: 'byAnother', target: 'requested', reenter: true } as const;

const whenPlayed = (reason: string) => ({ guard: 'playedReply', ...endNow(reason) }) as const;

export const farewell = call.createStateConfig({
  initial: 'none',
  states: {
    none: {
      on: {
        'tool.requested': { guard: 'hangUpTool', target: 'announced', actions: 'noteHangUpCall' },
        'hangUp.requested': 'owed',
      },
      after: { longestCall: 'overtime' },
    },
    /** The agent asked to hang up: the reply that holds the request may hold the goodbye as well. */
    announced: {
      on: {
        'reply.finished': [
          { guard: 'currentVoicedReply', target: 'speaking' },
          { guard: 'currentReply', target: 'requested' },
        ],
        'reply.played': whenPlayed('agent.hungUp'),
        'caller.startedSpeaking': conversationGoesOn,
        'owner.claimed': goodbyeAgain,
        'hangUp.requested': 'owed',
      },
      after: { farewell: endNow('agent.hungUp') },
    },
    /** The request came without a word: ask for the goodbye. */
    requested: {
      entry: ['oweFarewell', acceptThisHangUp, createFarewell],
      on: {
        'reply.played': whenPlayed('agent.hungUp'),
        'caller.startedSpeaking': conversationGoesOn,
        'owner.claimed': goodbyeAgain,
        'hangUp.requested': 'owed',
      },
      after: { farewell: endNow('agent.hungUp') },
    },
    speaking: {
      on: {
        'reply.played': whenPlayed('agent.hungUp'),
        'caller.startedSpeaking': conversationGoesOn,
        'owner.claimed': goodbyeAgain,
        'hangUp.requested': 'owed',
      },
      after: { farewell: endNow('agent.hungUp') },
    },
    /** An operator ended the call: the caller hears why, whatever else is going on. */
    owed: {
      entry: [interruptReply, 'oweFarewell', createFarewell],
      on: { 'reply.played': whenPlayed('operator.hungUp') },
      after: { farewell: endNow('operator.hungUp') },
    },
    overtime: {
      entry: [interruptReply, 'oweFarewell', createFarewell],
      on: { 'reply.played': whenPlayed('call.tooLong') },
      after: { farewell: endNow('call.tooLong') },
    },
  },
});
