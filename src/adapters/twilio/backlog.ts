/**
 * Owns: the messages that came while it was being decided whether their stream is admitted.
 *
 * Invariants:
 * I9. At most `mostMessages` and `mostPayloadCharacters` are held; the oldest gives way, so that what is kept is
 *     whole up to now.
 */
import type { StreamMessage } from './media-message.ts';

/** Five seconds of ordinary frames. */
const mostMessages = 250;

const mostPayloadCharacters = 512 * 1_024;

const charactersOf = (message: StreamMessage): number =>
  message.event === 'media' ? message.payload.length : 0;

export class Backlog {
  readonly #messages: StreamMessage[] = [];
  #characters = 0;

  /** @returns how many messages gave way */
  push(message: StreamMessage): number {
    this.#messages.push(message);
    this.#characters += charactersOf(message);
    let dropped = 0;
    while (this.#messages.length > mostMessages || this.#characters > mostPayloadCharacters) {
      this.#dropOldest();
      dropped += 1;
    }
    return dropped;
  }

  /** Everything that is held, oldest first; nothing is held afterwards. */
  takeAll(): StreamMessage[] {
    this.#characters = 0;
    return this.#messages.splice(0);
  }

  #dropOldest(): void {
    const oldest = this.#messages.shift();
    if (oldest !== undefined) this.#characters -= charactersOf(oldest);
  }
}
