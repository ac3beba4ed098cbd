/**
 * Owns: an item that is written, where the session or the response asked for text.
 *
 * Source: OpenAI Realtime, `response.output_text`; recorded order.
 */

import { piecesOf } from '../protocol/words.ts';
import { entryOf, type MessageItem } from '../session/conversation.ts';
import { type Tokens, textTokens } from '../session/usage.ts';
import { type OutputPlace, ResponseOutput } from './response-output.ts';

export class TextOutput extends ResponseOutput {
  protected readonly closesWithPlace = true;
  readonly #pieces: readonly string[];
  readonly #delayMs: number;
  #sentPieces = 0;

  /** @param delayMs between two pieces */
  constructor(place: OutputPlace, item: MessageItem, text: string, delayMs: number) {
    super(place, entryOf(item));
    this.#pieces = piecesOf(text);
    this.#delayMs = delayMs;
  }

  advance(): number | null {
    const piece = this.#pieces[this.#sentPieces];
    if (piece === undefined) return null;
    this.#sentPieces += 1;
    this.entry.text = this.#text;
    this.place.outbox.emitText('response.output_text.delta', this.#partPosition, piece);
    return this.#sentPieces < this.#pieces.length ? this.#delayMs : null;
  }

  tokens(): Tokens {
    return { text: textTokens(this.#text), audio: 0 };
  }

  protected begin(): void {
    const part = { type: 'text', text: '' };
    this.place.outbox.emit('response.content_part.added', { ...this.#partPosition, part });
  }

  protected finish(): void {
    const text = this.#text;
    const part = { type: 'text', text };
    this.place.outbox.emit('response.output_text.done', { ...this.#partPosition, text });
    this.place.outbox.emit('response.content_part.done', { ...this.#partPosition, part });
    const item = this.item as MessageItem;
    item.content = [{ type: 'output_text', text }];
  }

  get #text(): string {
    return this.#pieces.slice(0, this.#sentPieces).join('');
  }

  get #partPosition(): object {
    return { ...this.position, content_index: 0 };
  }
}
