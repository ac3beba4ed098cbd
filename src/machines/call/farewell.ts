/**
 * Owns: the region that answers "is the agent leaving the caller?". The call ends, or is handed on, only after the
 * agent's last words were played. While its own last words are played, the wait for the rest begins anew with each of
 * them; those that an operator or the longest call makes it say have one limit.
 */
import { and, not } from 'xstate';
import {
  acceptThisHangUp,
  answerOtherTransfer,
  createFarewell,
  declineComingHangUp,
  declineThisHangUp,
  interruptReply,
  recoverOpenTools,
} from './intents.ts';
import { call } from './setup.ts';

const conversationGoesOn = { target: 'none', actions: [declineThisHangUp, 'forgetHangUpCall'] } as const;
const endNow = (reason: string) =>
  ({ target: '#call.ending', actions: { type: 'endBecause', params: { reason } } }) as const;

const handOver = { target: '#call.transferring' } as const;

/** The process that was saying goodbye is gone: another one asks for the goodbye again. */
const goodbyeAgain = { guard: 'byAnother', target: 'requested', reenter: true } as const;

/** Each word that is heard begins the wait for the rest anew. */
const whileHeard = <State extends string>(target: State) => {
  const anew = { target, reenter: true } as const;
  return { 'reply.voiced': anew, 'reply.progressed': anew } as const;
};

const whenPlayed = (reason: string) => ({ guard: 'playedReply', ...endNow(reason) }) as const;

export const farewell = call.createStateConfig({
  initial: 'none',
  // The caller is leaving already.
  on: { 'transfer.requested': answerOtherTransfer },
  states: {
    none: {
      on: {
        'tool.requested': [
          // It was on its way as the caller spoke over its reply.
          { guard: and(['hangUpTool', 'callerTurnOpen']), actions: declineComingHangUp },
          { guard: 'hangUpTool', target: 'announced', actions: 'noteHangUpCall' },
        ],
        'hangUp.requested': 'owed',
        'transfer.requested': [
          { guard: and(['byAgentNow', 'agentStillSpeaks']), target: 'handingOver', actions: 'noteTransfer' },
          { target: '#call.transferring', actions: 'noteTransfer' },
        ],
      },
      after: { longestCall: 'overtime' },
    },
    /** The caller is handed on once the agent's words are over. */
    handingOver: {
      on: {
        ...whileHeard('handingOver'),
        'reply.finished': { guard: and(['currentReply', not('currentVoicedReply')]), ...handOver },
        'reply.played': { guard: 'playedReply', ...handOver },
        'caller.startedSpeaking': handOver,
        'owner.claimed': { guard: 'byAnother', ...handOver, actions: ['forgetProcess', recoverOpenTools] },
        'hangUp.requested': 'owed',
      },
      after: { farewell: handOver },
    },
    /** The agent asked to hang up: the reply that holds the request may hold the goodbye as well. */
    announced: {
      on: {
        ...whileHeard('announced'),
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
        ...whileHeard('speaking'),
        'reply.played': whenPlayed('agent.hungUp'),
        'caller.startedSpeaking': conversationGoesOn,
        'owner.claimed': goodbyeAgain,
        'hangUp.requested': 'owed',
      },
      after: { farewell: endNow('agent.hungUp') },
    },
    speaking: {
      on: {
        ...whileHeard('speaking'),
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
