/**
 * Owns: the commands whose parameters come from the context or the event, under the names that the regions use.
 * Does not own: the commands themselves (`../commands.ts`).
 */
import { type CallContext, isAnsweredByModel, type Scope, transferOutcomeOf } from './context.ts';
import { call } from './setup.ts';

const generationOf = ({ context }: Scope) => ({ generation: context.model.generation });
const newestOf = ({ context }: Scope) => ({ generation: context.model.newest });
const streamOf = ({ context }: Scope) => ({ streamId: context.stream.id ?? '' });
const toolOf = ({ event }: Scope) => ({ toolCallId: 'toolCallId' in event ? (event.toolCallId ?? '') : '' });

export const openThisModel = { type: 'openModel', params: generationOf } as const;
export const closeThisModel = { type: 'closeModel', params: generationOf } as const;
export const joinThisModel = { type: 'joinModel', params: generationOf } as const;
export const openNextModel = { type: 'openModel', params: newestOf } as const;
export const joinNextModel = { type: 'joinModel', params: newestOf } as const;
export const joinThisStream = { type: 'joinStream', params: streamOf } as const;
export const closeThisStream = { type: 'closeStream', params: streamOf } as const;
export const confirmThisMove = { type: 'confirmMove', params: streamOf } as const;
export const runThisTool = { type: 'runTool', params: toolOf } as const;
export const sendThisToolResult = { type: 'sendToolResult', params: toolOf } as const;
const answerHangUp = (accepted: boolean) =>
  ({
    type: 'answerHangUp',
    params: ({ context }: Scope) => ({ toolCallId: context.hangUpCall ?? '', accepted }),
  }) as const;
/** The request itself comes too late for the call to take it up. */
export const declineComingHangUp = {
  type: 'answerHangUp',
  params: (scope: Scope) => ({ ...toolOf(scope), accepted: false }),
} as const;
export const acceptThisHangUp = answerHangUp(true);
export const declineThisHangUp = answerHangUp(false);
export const answerThisTransfer = {
  type: 'answerTransfer',
  params: ({ context, event }: Scope) => ({
    toolCallId: context.transfer?.toolCallId ?? '',
    outcome: transferOutcomeOf(event),
  }),
} as const;
export const interruptReply = { type: 'interruptReply', params: {} } as const;
export const askCarrier = { type: 'askCarrier', params: {} } as const;
export const redirectCall = { type: 'redirectCall', params: {} } as const;
export const playHoldingSound = { type: 'playHoldingSound', params: {} } as const;
export const hangUp = { type: 'hangUp', params: {} } as const;
const whatIsOwed = ({ owed, fixedWords }: CallContext) => ({
  purpose: owed ?? ('answer' as const),
  ...(owed === 'continuation' && fixedWords !== null && { of: fixedWords }),
});
export const createOwedReply = {
  type: 'createReply',
  params: ({ context }: Scope) => whatIsOwed(context),
} as const;
/** The caller's turn is answered by the model itself, which may begin to in the same moment: two answers would be heard. */
export const createOverdueReply = {
  type: 'createReply',
  params: ({ context }: Scope) => ({
    ...whatIsOwed(context),
    ...(isAnsweredByModel(context) && { standsIn: true }),
  }),
} as const;
export const createAnswer = { type: 'createReply', params: { purpose: 'answer' } } as const;
export const createFiller = { type: 'createReply', params: { purpose: 'filler' } } as const;
export const createFarewell = { type: 'createReply', params: { purpose: 'farewell' } } as const;
export const concludeThisCall = {
  type: 'concludeCall',
  params: ({ context }: Scope) => ({ reason: context.endReason ?? 'unknown' }),
} as const;

/** A second request to hand the caller on comes to nothing, and its tool call is owed an outcome all the same. */
export const answerOtherTransfer = {
  guard: 'otherTransferByAgent',
  actions: {
    type: 'answerTransfer',
    params: ({ event }: Scope) => ({
      toolCallId: ('toolCallId' in event && event.toolCallId) || '',
      outcome: null,
    }),
  },
} as const;

/**
 * Old commands are never replayed: each tool call without an outcome is asked for again, as a recovery. That of a
 * transfer which is being carried out has its own outcome.
 */
export const recoverOpenTools = call.enqueueActions(({ context: { tools, transfer }, enqueue }) => {
  for (const toolCallId of tools) {
    if (toolCallId !== transfer?.toolCallId) enqueue({ type: 'recoverTool', params: { toolCallId } });
  }
});

/** The session that was to take over, where there is one. */
export const closeNextModel = call.enqueueActions(({ context: { model }, enqueue }) => {
  if (model.newest !== model.generation)
    enqueue({ type: 'closeModel', params: { generation: model.newest } });
});
