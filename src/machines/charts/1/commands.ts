/**
 * Owns: the commands that chart 1 may ask for. Frozen, never edited: the present vocabulary (`../../commands.ts`) holds
 * each of them.
 */

export type ReplyPurpose = 'greeting' | 'answer' | 'continuation' | 'repeat' | 'farewell';

const command =
  <Parameters = Record<string, never>>() =>
  (_: unknown, __: Parameters): void => {};

export const commands = {
  openModel: command<{ generation: number }>(),
  closeModel: command<{ generation: number }>(),
  joinModel: command<{ generation: number }>(),
  joinStream: command<{ streamId: string }>(),
  closeStream: command<{ streamId: string }>(),
  createReply: command<{ purpose: ReplyPurpose }>(),
  interruptReply: command(),
  runTool: command<{ toolCallId: string }>(),
  recoverTool: command<{ toolCallId: string }>(),
  sendToolResult: command<{ toolCallId: string }>(),
  answerHangUp: command<{ toolCallId: string; accepted: boolean }>(),
  askCarrier: command(),
  hangUp: command(),
  concludeCall: command<{ reason: string }>(),
} as const;
