/**
 * Owns: which outputs a response will have: at most one message, spoken or written, then its calls.
 * Does not own: the reply that they come from (`brain.ts`), when they are sent (`response.ts`).
 */
import { SpeechSound } from '../audio/speech-sound.ts';
import type { BrainReply, ToolCall } from '../brain.ts';
import type { ResponseOutcome } from '../faults.ts';
import type { MessageItem } from '../session/conversation.ts';
import type { SessionContext } from '../session/session-context.ts';
import { isReasoningModel } from '../session/session-settings.ts';
import { CallOutput } from './call-output.ts';
import type { OutputPlace, ResponseOutput } from './response-output.ts';
import type { ResponseRequest } from './response-request.ts';
import { SpeechOutput } from './speech-output.ts';
import { TextOutput } from './text-output.ts';

/** The response that is planned for. */
export interface PlannedResponse {
  responseId: string;
  outcome: ResponseOutcome | null;
}

export function planOutputs(
  context: SessionContext,
  request: ResponseRequest,
  reply: BrainReply,
  planned: PlannedResponse,
): ResponseOutput[] {
  if (planned.outcome === 'empty') return [];
  const calls = callableOf(request, reply);
  const place = (outputIndex: number): OutputPlace => ({
    outbox: context.outbox,
    responseId: planned.responseId,
    outputIndex,
    conversation: request.conversation === 'none' ? null : context.conversation,
  });
  const hasMessage = reply.segments.length > 0;
  const callOutputs = calls.map((call, index) =>
    planCall(context, place(hasMessage ? index + 1 : index), call),
  );
  if (!hasMessage) return callOutputs;
  const item = messageItem(context, calls.length > 0);
  const isSpoken = request.modalities[0] === 'audio' && planned.outcome !== 'text_only';
  const message = isSpoken
    ? new SpeechOutput(place(0), item, new SpeechSound(reply, request.format, context.sounds), context)
    : new TextOutput(place(0), item, textOf(reply), context.pace.textDelayMs);
  return [message, ...callOutputs];
}

/** Tools that the client did not declare cannot be called, whatever the brain says. */
function callableOf({ tools, toolChoice }: ResponseRequest, reply: BrainReply): ToolCall[] {
  if (toolChoice === 'none') return [];
  const declared = new Set(tools.map((tool) => (tool.type === 'function' ? tool.name : null)));
  return reply.calls.filter(({ name }) => declared.has(name));
}

const textOf = (reply: BrainReply): string => reply.segments.map(({ text }) => text).join('');

function messageItem({ identify, settings }: SessionContext, isCommentary: boolean): MessageItem {
  const phase = isCommentary ? 'commentary' : 'final_answer';
  return {
    id: identify('item'),
    type: 'message',
    status: 'in_progress',
    role: 'assistant',
    ...(isReasoningModel(settings().model) ? { phase } : {}),
    content: [],
  };
}

function planCall(context: SessionContext, place: OutputPlace, call: ToolCall): CallOutput {
  const item = {
    id: context.identify('item'),
    type: 'function_call' as const,
    status: 'in_progress' as const,
    name: call.name,
    call_id: context.identify('call'),
    arguments: '',
  };
  return new CallOutput(place, item, call.arguments, context.pace);
}
