/**
 * Owns: the messages that came while it was being decided whether their stream is admitted.
 *
 * Invariants:
 * I9. At most `mostMessages` and `mostAudioBytes` are held; the oldest gives way, so that what is kept is
 *     whole up to now.
 */
import type { StreamMessage } from './media-message.ts';

/** Five seconds of ordinary frames. */
const mostMessages = 250;

const mostAudioBytes = 384 * 1_024;

const bytesOf = (message: StreamMessage): number => (message.event === 'media' ? message.audio.length : 0);

/** The memory of a frame is used again. Not by `slice`, which of a `Buffer` makes a view. */
const kept = (message: StreamMessage): StreamMessage =>
  message.event === 'media' ? { ...message, audio: new Uint8Array(message.audio) } : message;

export class Backlog {
  readonly #messages: StreamMessage[] = [];
  #audioBytes = 0;

  /** @returns how many messages gave way */
  push(message: StreamMessage): number {
    this.#messages.push(kept(message));
    this.#audioBytes += bytesOf(message);
    let dropped = 0;
    while (this.#messages.length > mostMessages || this.#audioBytes > mostAudioBytes) {
      this.#dropOldest();
      dropped += 1;
    }
    return dropped;
  }

  /** Everything that is held, oldest first; nothing is held afterwards. */
  takeAll(): StreamMessage[] {
    this.#audioBytes = 0;
    return this.#messages.splice(0);
  }

  #dropOldest(): void {
    const oldest = this.#messages.shift();
    if (oldest !== undefined) this.#audioBytes -= bytesOf(oldest);
  }
}
