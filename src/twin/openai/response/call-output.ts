/**
 * Owns: an item that calls a function of the client, its arguments arriving in pieces.
 *
 * Source: OpenAI Realtime, `response.function_call_arguments`; recorded order.
 */

import type { Pace } from '../pace.ts';
import { piecesOf } from '../protocol/words.ts';
import { entryOf, type FunctionCallItem } from '../session/conversation.ts';
import { type Tokens, textTokens } from '../session/usage.ts';
import { type OutputPlace, ResponseOutput } from './response-output.ts';

export class CallOutput extends ResponseOutput {
  protected readonly closesWithPlace: boolean;
  readonly #call: FunctionCallItem;
  readonly #pieces: readonly string[];
  /** Between two pieces. */
  readonly #delayMs: number;
  #sentPieces = 0;

  constructor(place: OutputPlace, item: FunctionCallItem, givenArguments: string, pace: Pace) {
    super(place, entryOf(item));
    this.closesWithPlace = place.outputIndex > 0;
    this.#call = item;
    this.#pieces = piecesOf(givenArguments, pace.wordsPerPiece);
    this.#delayMs = pace.textDelayMs;
  }

  advance(): number | null {
    const piece = this.#pieces[this.#sentPieces];
    if (piece === undefined) return null;
    this.#sentPieces += 1;
    this.place.outbox.emitText('response.function_call_arguments.delta', this.#callPosition, piece);
    return this.#sentPieces < this.#pieces.length ? this.#delayMs : null;
  }

  tokens(): Tokens {
    return { text: textTokens(this.#call.name + this.#arguments), audio: 0 };
  }

  protected begin(): void {
    // The announced item already says which function is called; its arguments follow.
  }

  protected finish(): void {
    this.#call.arguments = this.#arguments;
    this.place.outbox.emit('response.function_call_arguments.done', {
      ...this.#callPosition,
      name: this.#call.name,
      arguments: this.#call.arguments,
    });
  }

  get #arguments(): string {
    return this.#pieces.slice(0, this.#sentPieces).join('');
  }

  get #callPosition(): object {
    return { ...this.position, call_id: this.#call.call_id };
  }
}
