/**
 * Owns: the vocabulary of the call chart: the names under which its regions act, ask and wait. Read this first.
 * Does not own: the context (`context.ts`), how it changes (`assignments.ts`), which state reacts to what (the region
 * files beside it).
 *
 * Invariants:
 * M1. Guards, assignments and delays are functions of context and event alone; `event.at` is the only time.
 */
import { assign, setup } from 'xstate';
import { commands } from '../commands.ts';
import { isOver } from '../entry-values.ts';
import * as changes from './assignments.ts';
import {
  awaitsAnswer,
  type CallContext,
  type CallEvent,
  type CallInput,
  canNowSpeak,
  canSpeak,
  canSpeakAfterLoss,
  hangUpTool,
  hasFreeFloor,
  isAwayForLong,
  isBrokenOff,
  isByAnother,
  isComplete,
  isCurrentModel,
  isEmptyReply,
  isHalfSaid,
  isLastTool,
  isNewerStream,
  isNextModel,
  isPlayedReply,
  isReplaceableLoss,
  isReplyUnderWay,
  openToolsLimit,
  reattachMs,
  rollOverMs,
  takeLeaveMs,
  triesLeft,
  wasTold,
} from './context.ts';

export const call = setup({
  types: {
    context: {} as CallContext,
    events: {} as CallEvent,
    input: {} as CallInput,
    tags: {} as 'streaming' | 'recovering' | 'conversation' | 'ending',
  },
  actions: {
    ...commands,
    noteClaim: assign(changes.noteClaim),
    forgetProcess: assign(changes.forgetProcess),
    noteStream: assign(changes.noteStream),
    loseStream: assign(changes.loseStream),
    cutStream: assign(changes.cutStream),
    giveUpStream: assign(changes.giveUpStream),
    failStream: assign(changes.failStream),
    settleStream: assign(changes.settleStream),
    countStreamTry: assign(changes.countStreamTry),
    forgetStreamTry: assign(changes.forgetStreamTry),
    countAsk: assign(changes.countAsk),
    forgetAsks: assign(changes.forgetAsks),
    noteMove: assign(changes.noteMove),
    nextGeneration: assign(changes.nextGeneration),
    addGeneration: assign(changes.addGeneration),
    noteModel: assign(changes.noteModel),
    noteNextModel: assign(changes.noteNextModel),
    takeNextModel: assign(changes.takeNextModel),
    forgetNextModel: assign(changes.forgetNextModel),
    loseModel: assign(changes.loseModel),
    noteCallerSpeaking: assign(changes.noteCallerSpeaking),
    closeCallerTurn: assign(changes.closeCallerTurn),
    oweAnswer: assign(changes.oweAnswer),
    oweRepeat: assign(changes.oweRepeat),
    oweContinuation: assign(changes.oweContinuation),
    nothingOwed: assign(changes.nothingOwed),
    freshReplyTries: assign(changes.freshReplyTries),
    noteReply: assign(changes.noteReply),
    noteVoice: assign(changes.noteVoice),
    noteReplyFinished: assign(changes.noteReplyFinished),
    countReplyTry: assign(changes.countReplyTry),
    forgetReply: assign(changes.forgetReply),
    noteTool: assign(changes.noteTool),
    settleTool: assign(changes.settleTool),
    noteFiller: assign(changes.noteFiller),
    awaitAnnouncement: assign(changes.awaitAnnouncement),
    oweAnnouncement: assign(changes.oweAnnouncement),
    noteHangUpCall: assign(changes.noteHangUpCall),
    forgetHangUpCall: assign(changes.forgetHangUpCall),
    oweFarewell: assign(changes.oweFarewell),
    noteTransfer: assign(changes.noteTransfer),
    leaveConversation: assign(changes.leaveConversation),
    returnToConversation: assign(changes.returnToConversation),
    forgetTransfer: assign(changes.forgetTransfer),
    endBecause: assign(changes.endBecause),
    apologiseBecause: assign(changes.apologiseBecause),
    fallBackBecause: assign(changes.fallBackBecause),
    apologise: assign(changes.apologise),
    noteCarrierEnd: assign(changes.noteCarrierEnd),
  },
  guards: {
    byAnother: ({ context, event }) => event.type === 'owner.claimed' && isByAnother(context.instance, event),
    /** Its process had let go of the stream on purpose: nobody else is to be waited for. */
    adoptedOnTheMove: ({ context, event }) =>
      event.type === 'owner.claimed' &&
      event.attempt === undefined &&
      (event.why === 'restarted' || event.why === 'orphan') &&
      context.move !== null,
    moveOverdue: ({ context, event }) => context.move !== null && context.move.dueAt <= event.at,
    currentStream: ({ context, event }) => 'streamId' in event && event.streamId === context.stream.id,
    newerStream: ({ context, event }) => isNewerStream(context, event),
    hasStream: ({ context }) => context.stream.id !== null,
    asksLeft: ({ context }) => context.asks < context.settings.askCarrierTries,
    carrierEnded: ({ event }) => event.type === 'carrier.reported' && isOver(event.status),
    inProgressWithTriesLeft: ({ context, event }) =>
      event.type === 'carrier.reported' &&
      event.status === 'in-progress' &&
      context.stream.tries < context.settings.streamTries,
    inProgress: ({ event }) => event.type === 'carrier.reported' && event.status === 'in-progress',
    toldToConnect: ({ event }) => wasTold(event, ['connect', 'wait']) && event.outcome === 'redirected',
    toldToDial: ({ event }) => wasTold(event, ['transfer', 'apologise']) && event.outcome === 'redirected',
    notToldToDial: ({ event }) => wasTold(event, ['transfer', 'apologise']) && event.outcome !== 'redirected',
    notToldToApologise: ({ event }) => wasTold(event, ['apologise']) && event.outcome !== 'redirected',
    hasModel: ({ context }) => context.model.sessionId !== null,
    currentModel: ({ context, event }) => isCurrentModel(context, event),
    nextModel: ({ context, event }) => isNextModel(context, event),
    modelTriesLeft: ({ context }) => context.model.tries + 1 < context.settings.modelTries,
    finalRefusal: ({ context, event }) =>
      event.type === 'model.closed' && isCurrentModel(context, event) && event.reaction === 'giveUp',
    retryableLoss: ({ context, event }) =>
      event.type === 'model.closed' &&
      isCurrentModel(context, event) &&
      !isAwayForLong(context, event) &&
      context.model.tries + 1 < context.settings.modelTries,
    replaceableLoss: ({ context, event }) => isReplaceableLoss(context, event),
    fallsBackToTransfer: ({ context }) => context.settings.fallback === 'transfer',
    owesNothing: ({ context }) => context.owed === null && !context.reply.active && !context.callerTurnOpen,
    owesNothingAfterReply: ({ context }) =>
      isComplete(context) && !context.callerTurnOpen && !context.toolAnswerOwed,
    halfSaid: ({ context }) => isHalfSaid(context),
    canSpeakAfterLoss: ({ context, event }) => canSpeakAfterLoss(context, event),
    toolAnswerAfterLoss: ({ context, event }) => canSpeakAfterLoss(context, event) && context.toolAnswerOwed,
    canNowSpeak: ({ context, event }) => canNowSpeak(context, event),
    /** As `canNowSpeak`, for an answer that nobody has asked the model for. */
    toolAnswerNowPossible: ({ context, event }) =>
      canNowSpeak(context, event) && context.toolAnswerOwed && !isReplyUnderWay(context),
    /** As `canNowSpeak`, for an answer that is asked for at the end of the reply that is under way. */
    toolAnswerFollows: ({ context, event }) =>
      canNowSpeak(context, event) && context.toolAnswerOwed && isReplyUnderWay(context),
    canSpeak: ({ context }) => canSpeak(context),
    /** Part of a reply, or a whole one that nobody has heard of yet, is lost with its session. */
    replyCut: ({ context, event }) =>
      isCurrentModel(context, event) && context.reply.id !== null && !isComplete(context),
    replyPlaysOn: ({ context, event }) => isCurrentModel(context, event) && isComplete(context),
    openTurnTranscribed: ({ context, event }) =>
      event.type === 'caller.transcribed' && event.transcript !== null && awaitsAnswer(context),
    playedReply: ({ context, event }) => isPlayedReply(context, event),
    playedBeforeToolAnswer: ({ context, event }) => isPlayedReply(context, event) && context.toolAnswerOwed,
    /** The model failed in the middle of the reply that was played as far as it had come. */
    playedBrokenReply: ({ context, event }) =>
      isPlayedReply(context, event) && context.reply.broken && canSpeak(context),
    /** As told once nothing of the reply is left to play. */
    brokenReply: ({ context, event }) =>
      event.type === 'reply.finished' &&
      event.replyId === context.reply.id &&
      isBrokenOff(context, event) &&
      context.reply.voiced &&
      context.filler !== 'begun',
    replyTriesLeft: ({ context }) => triesLeft(context),
    currentReply: ({ context, event }) => 'replyId' in event && event.replyId === context.reply.id,
    /** It ended without a sound. */
    unheardReply: ({ context, event }) =>
      event.type === 'reply.played' && event.replyId === context.reply.id && !context.reply.voiced,
    /** The reply that was played is over, and the one asked for after it has no sound yet. */
    earlierReply: ({ context, event }) =>
      event.type === 'reply.played' && event.replyId !== context.reply.id && !context.reply.voiced,
    emptyReply: ({ context, event }) => isEmptyReply(context, event),
    emptyReplyWithTriesLeft: ({ context, event }) =>
      isEmptyReply(context, event) && canSpeak(context) && triesLeft(context),
    canAskAgain: ({ context }) => canSpeak(context) && !context.reply.active && triesLeft(context),
    replyActive: ({ context }) => context.reply.active,
    voicedReplyActive: ({ context }) => context.reply.active && context.reply.voiced,
    /** No reply can begin: the model waits for a tool, or the sound of it for a line. */
    replyMustWait: ({ context }) => context.tools.length > 0 || context.stream.id === null,
    currentVoicedReply: ({ context, event }) =>
      event.type === 'reply.finished' && event.replyId === context.reply.id && event.voiced,
    cancelledReply: ({ context, event }) =>
      event.type === 'reply.finished' && event.replyId === context.reply.id && event.status === 'cancelled',
    /** Nobody meant to: a cancel of ours reached the answer to what the caller said since. */
    cancelledUnheard: ({ context, event }) =>
      event.type === 'reply.finished' &&
      event.replyId === context.reply.id &&
      event.status === 'cancelled' &&
      !event.voiced &&
      event.toolCalls === 0 &&
      canSpeak(context) &&
      triesLeft(context),
    callerTurnOpen: ({ context }) => context.callerTurnOpen,
    hangUpTool: ({ event }) => event.type === 'tool.requested' && event.name === hangUpTool,
    toolsOpen: ({ context }) => context.tools.length > 0,
    lastTool: ({ context, event }) => isLastTool(context, event),
    openTool: ({ context, event }) =>
      event.type === 'tool.finished' && context.tools.includes(event.toolCallId),
    newTool: ({ context, event }) =>
      event.type === 'tool.requested' &&
      event.name !== hangUpTool &&
      !context.tools.includes(event.toolCallId) &&
      context.tools.length < openToolsLimit,
    /** The last outcome is in, and nothing else is about to cause a reply. */
    lastToolOnFreeFloor: ({ context, event }) =>
      isLastTool(context, event) && hasFreeFloor(context) && !context.reply.active,
    toolAnswerDue: ({ context, event }) =>
      event.type === 'reply.finished' &&
      event.replyId === context.reply.id &&
      context.toolAnswerOwed &&
      hasFreeFloor(context),
    fillerAwaited: ({ context }) => context.filler === 'requested',
    /** One that was only asked for is cut as it begins: a cancellation of it would be told to nobody. */
    fillerUnheard: ({ context: { filler, reply } }) => filler === 'begun' && reply.active && !reply.voiced,
    fillerTooLate: ({ context }) => context.filler === 'requested' && context.toolAnswerOwed,
    fillerMayCome: ({ context }) => context.filler === 'none',
    fillerDue: ({ context }) =>
      context.tools.length > 0 && context.filler === 'none' && hasFreeFloor(context) && !context.reply.active,
    announcementMayCome: ({ context }) =>
      context.announcement === 'waiting' &&
      context.tools.length === 0 &&
      context.filler === 'none' &&
      hasFreeFloor(context) &&
      !context.reply.active,
    otherTransferByAgent: ({ context, event }) =>
      event.type === 'transfer.requested' &&
      event.toolCallId !== null &&
      event.toolCallId !== context.transfer?.toolCallId,
    byAgentNow: ({ event }) => event.type === 'transfer.requested' && event.by === 'agent',
    /** The agent's words before the transfer are not over. */
    agentStillSpeaks: ({ context }) =>
      context.reply.active || (context.reply.voiced && context.owed !== null),
    transferCompleted: ({ event }) => event.type === 'transfer.finished' && event.outcome === 'completed',
    transferIsFallback: ({ context }) => context.transfer?.by === 'fallback',
    transferByAgent: ({ context }) => context.transfer !== null && context.transfer.toolCallId !== null,
    apologyDue: ({ context }) => context.apology,
    hangUpFailed: ({ event }) => event.type === 'hangUp.finished' && event.outcome === 'unreachable',
  },
  delays: {
    longestCall: ({ context, event }) =>
      Math.max(0, context.startedAt + context.settings.longestCallMs - event.at),
    streamStart: ({ context }) => context.settings.streamStartMs,
    streamSettled: ({ context }) => context.settings.streamSettledMs,
    moveDeadline: ({ context, event }) => Math.max(0, (context.move?.dueAt ?? 0) - event.at),
    reattach: ({ context, event }) => reattachMs(context, event),
    askCarrier: ({ context }) => context.settings.askCarrierMs,
    redirect: ({ context }) => context.settings.redirectMs,
    starved: ({ context }) => context.settings.starvedMs,
    modelConnect: ({ context }) => context.settings.modelConnectMs,
    modelBackoff: ({ context }) => context.model.backoffMs,
    rollOver: ({ context, event }) => rollOverMs(context, event),
    lastTakeOver: ({ context, event }) => takeLeaveMs(context, event),
    rollOverPause: ({ context }) => context.settings.modelBackoffLongestMs,
    longestTurn: ({ context }) => context.settings.longestTurnMs,
    replyStart: ({ context }) => context.settings.replyStartMs,
    playbackStall: ({ context }) => context.settings.playbackStallMs,
    holdingAfter: ({ context }) => context.settings.holdingAfterMs,
    holdingEvery: ({ context }) => context.settings.holdingEveryMs,
    toolFiller: ({ context }) => context.settings.toolFillerMs,
    farewell: ({ context }) => context.settings.farewellMs,
    transferCheck: ({ context }) => context.settings.transferCheckMs,
    transferLimit: ({ context }) => context.settings.transferLimitMs,
    ending: ({ context }) => context.settings.endingMs,
  },
});
