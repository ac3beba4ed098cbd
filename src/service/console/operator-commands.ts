/**
 * Owns: what an operator may do with a call, checked and put into the call's inbox with the name of who did it.
 * Does not own: what follows (the call chart), who may be an operator (`src/adapters/http`).
 *
 * The call may live in any process: its inbox takes the command there, and the log says who gave it.
 */
import { randomUUID } from 'node:crypto';
import { longestOperatorName } from '../../machines/entries.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { CallRow, Journal } from '../../runtime/ports/journal.ts';
import type { Operator, OperatorCommand } from '../../runtime/ports/operator.ts';
import { phoneNumber } from '../../runtime/ports/phone-number.ts';
import { referTo, type Signal } from '../../runtime/ports/signal.ts';
import type { Siblings } from '../siblings.ts';

const mostWords = 500;

/** How long a call that is to move may wait for a quiet moment. */
export const moveWithinMs = 30_000;

type Done = OperatorCommand['do'];
type SignalFor = { [Do in Done]: (command: Extract<OperatorCommand, { do: Do }>, who: Who) => Signal };
interface Who {
  by: 'operator';
  operator: string;
}

const signals: Omit<SignalFor, 'erase'> = {
  hangUp: (_, who) => ({ entry: { type: 'hangUp.requested', ...who } }),
  transfer: ({ number }, who) => ({
    entry: { type: 'transfer.requested', ...who, destination: referTo(number), toolCallId: null },
    payloads: { destination: number },
  }),
  say: ({ words }, who) => ({
    entry: { type: 'announcement.requested', ...who, words: referTo(words) },
    payloads: { words },
  }),
  move: (_, who) => ({ entry: { type: 'move.requested', ...who, withinMs: moveWithinMs } }),
};

export interface OperatorCommandsOptions {
  journal: Pick<Journal, 'list' | 'put'>;
  siblings: Siblings;
  /** Of a call that has ended. */
  erase(callId: string, operator: string): Promise<void>;
  onActed(callId: string, command: Done, operator: string): void;
}

export class OperatorCommands {
  readonly #options: OperatorCommandsOptions;

  constructor(options: OperatorCommandsOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the command is durable; what becomes of it is in the call's log.
   * @throws FixCallError `call.unknown`, `call.over`, `call.live`, `command.invalid`; RetryError `journal.unavailable`
   */
  async perform(callId: string, command: OperatorCommand, { name }: Operator): Promise<void> {
    const [row] = await this.#options.journal.list({ callId, limit: 1 });
    if (!row) throw new FixCallError('call.unknown', `There is no call ${callId}.`);
    const operator = name.trim().slice(0, longestOperatorName) || 'operator';
    if (command.do === 'erase') await this.#options.erase(callId, operator);
    else await this.#command(row, command, { by: 'operator', operator });
    this.#options.onActed(callId, command.do, operator);
  }

  async #command(row: CallRow, command: Exclude<OperatorCommand, { do: 'erase' }>, who: Who): Promise<void> {
    const { callId, endedAt } = row;
    if (endedAt !== null) throw new FixCallError('call.over', `The call ${callId} has ended.`);
    await this.#check(command);
    const signalFor = signals[command.do] as (command: OperatorCommand, who: Who) => Signal;
    const { entry, payloads = {} } = signalFor(command, who);
    const id = `${callId}:operator:${randomUUID()}`;
    await this.#options.journal.put({ id, callId, signal: JSON.parse(JSON.stringify({ entry, payloads })) });
  }

  async #check(command: OperatorCommand): Promise<void> {
    if (command.do === 'transfer' && !phoneNumber.test(command.number))
      throw invalid('A number begins with + and its country\u2019s code, and has digits only: +15550123456.');
    if (command.do === 'say' && (command.words.trim() === '' || command.words.length > mostWords))
      throw invalid(`What is to be said has 1 to ${mostWords} characters.`);
    if (command.do === 'move' && !(await this.#options.siblings.areReady()))
      throw invalid('No other process is ready to take the call.');
  }
}

const invalid = (detail: string): FixCallError => new FixCallError('command.invalid', detail);
