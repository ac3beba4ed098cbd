/**
 * Owns: what the call chart may ask for. A command carries data only and is safe to repeat with its key.
 * Does not own: how it is done (the runtime's performer and the adapters).
 *
 * Invariants:
 * C1. A reflex is harmless to repeat and is performed when the entry is stepped; every other command is performed
 *     only after the entry that asked for it is durable.
 */
import type { DraftOf } from './entries.ts';

/**
 * What a reply is for; `repeat` asks the caller to say it again, `filler` bridges the wait for a tool, `return` greets a
 * caller whom nobody could be found for, `announcement` says what an operator wants said. The performer turns it into words
 * for the model.
 */
export type ReplyPurpose =
  | 'greeting'
  | 'answer'
  | 'continuation'
  | 'repeat'
  | 'farewell'
  | 'filler'
  | 'announcement'
  | 'return';

/** Whose words a reply must say exactly as they stand. */
export type FixedWords = 'greeting' | 'announcement';

/** Null: it is not known. */
export type TransferOutcome = Exclude<DraftOf<'transfer.finished'>['outcome'], 'unknown'> | null;

const command =
  <Parameters = Record<string, never>>() =>
  (_: unknown, __: Parameters): void => {};

export const commands = {
  /**
   * Opens a session and seeds it with what was heard so far. An older one stays until it is closed: a session takes over
   * by `joinModel`. Ends in `model.opened` or `model.closed`.
   */
  openModel: command<{ generation: number }>(),
  closeModel: command<{ generation: number }>(),
  /** Lets caller audio flow to the session and its audio to the line. */
  joinModel: command<{ generation: number }>(),
  joinStream: command<{ streamId: string }>(),
  closeStream: command<{ streamId: string }>(),
  /** Once the log holds all that was said: whoever takes the call will know it. Ends in `move.confirmed`. */
  confirmMove: command<{ streamId: string }>(),
  /** `of`: what a continuation finishes. `standsIn`: the model owes it by itself and is late with it. */
  createReply: command<{ purpose: ReplyPurpose; of?: FixedWords; standsIn?: boolean }>(),
  /** Flushes the line, drops late audio, cancels and truncates by what was heard. Ends in `reply.interrupted`. */
  interruptReply: command(),
  /** Ends in `tool.finished`. */
  runTool: command<{ toolCallId: string }>(),
  /** A tool whose outcome another process may have taken with it: find it, repeat it safely, or call it unknown. */
  recoverTool: command<{ toolCallId: string }>(),
  sendToolResult: command<{ toolCallId: string }>(),
  /** Answers the model's own request to hang up: say goodbye now, or the caller spoke again. */
  answerHangUp: command<{ toolCallId: string; accepted: boolean }>(),
  /** Asks the carrier how the call stands. Ends in `carrier.reported` or `carrier.unreachable`. */
  askCarrier: command(),
  /** Has the carrier carry out the call's present instruction at once. Ends in `redirect.finished`. */
  redirectCall: command(),
  /** A short soft sound, for a line on which nobody is heard. */
  playHoldingSound: command(),
  /** Tells the model what became of its own request to hand the caller on. Ends in `tool.finished`. */
  answerTransfer: command<{ toolCallId: string; outcome: TransferOutcome }>(),
  /** Asks the carrier to end the call. Ends in `hangUp.finished`. */
  hangUp: command(),
  /** Ends in `call.ended`. */
  concludeCall: command<{ reason: string }>(),
} as const;

export type CommandType = keyof typeof commands;
export type Command = {
  [Type in CommandType]: { type: Type; params: Parameters<(typeof commands)[Type]>[1] };
}[CommandType];
export type CommandOf<Type extends CommandType> = Extract<Command, { type: Type }>;

/** What brings a call to its end: still wanted where nothing else is, because nobody can say any more what was done. */
export const endings: ReadonlySet<CommandType> = new Set<CommandType>(['hangUp', 'concludeCall']);

export const reflexes: ReadonlySet<CommandType> = new Set<CommandType>([
  'closeModel',
  'joinModel',
  'joinStream',
  'interruptReply',
  'playHoldingSound',
]);

/**
 * Whether a reflex takes back an earlier command that still waits for the journal. It overtakes what was asked for before
 * it: a reply that is to be silenced would be asked for after it was, and a session that was closed be opened, to be closed by
 * nobody any more.
 */
export function takesBack(reflex: Command, earlier: Command): boolean {
  if (reflex.type === 'interruptReply') return earlier.type === 'createReply';
  if (reflex.type !== 'closeModel' || earlier.type !== 'openModel') return false;
  return reflex.params.generation === earlier.params.generation;
}
