/**
 * Owns: the commands whose parameters come from the context or the event, under the names that the regions use.
 * Frozen, never edited.
 * Does not own: the commands themselves (`commands.ts`).
 */
import type { CallContext, CallEvent } from './setup.ts';

export interface Scope {
  context: CallContext;
  event: CallEvent;
}

const generationOf = ({ context }: Scope) => ({ generation: context.model.generation });
const streamOf = ({ context }: Scope) => ({ streamId: context.stream.id ?? '' });
const toolOf = ({ event }: Scope) => ({ toolCallId: 'toolCallId' in event ? event.toolCallId : '' });

export const openThisModel = { type: 'openModel', params: generationOf } as const;
export const closeThisModel = { type: 'closeModel', params: generationOf } as const;
export const joinThisModel = { type: 'joinModel', params: generationOf } as const;
export const joinThisStream = { type: 'joinStream', params: streamOf } as const;
export const closeThisStream = { type: 'closeStream', params: streamOf } as const;
export const runThisTool = { type: 'runTool', params: toolOf } as const;
export const sendThisToolResult = { type: 'sendToolResult', params: toolOf } as const;
const answerHangUp = (accepted: boolean) =>
  ({
    type: 'answerHangUp',
    params: ({ context }: Scope) => ({ toolCallId: context.hangUpCall ?? '', accepted }),
  }) as const;
export const acceptThisHangUp = answerHangUp(true);
export const declineThisHangUp = answerHangUp(false);
export const interruptReply = { type: 'interruptReply', params: {} } as const;
export const askCarrier = { type: 'askCarrier', params: {} } as const;
export const hangUp = { type: 'hangUp', params: {} } as const;
export const createOwedReply = {
  type: 'createReply',
  params: ({ context }: Scope) => ({ purpose: context.owed ?? ('answer' as const) }),
} as const;
export const createAnswer = { type: 'createReply', params: { purpose: 'answer' } } as const;
export const createFarewell = { type: 'createReply', params: { purpose: 'farewell' } } as const;
export const concludeThisCall = {
  type: 'concludeCall',
  params: ({ context }: Scope) => ({ reason: context.endReason ?? 'unknown' }),
} as const;
