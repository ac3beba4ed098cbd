/**
 * Owns: what the carrier plays to a caller: how much is queued, which marks are due.
 * Does not own: the audio, which nobody hears here.
 *
 * Source: Twilio, Media Streams, WebSocket messages: `mark`, `clear`.
 */

const bytesPerMs = 8;

export class Playout {
  #endsAtMs = 0;
  /** Oldest first. */
  readonly #marks: { name: string; dueMs: number }[] = [];

  queuedMs(nowMs: number): number {
    return Math.max(0, this.#endsAtMs - nowMs);
  }

  play(bytes: number, nowMs: number): void {
    this.#endsAtMs = Math.max(this.#endsAtMs, nowMs) + bytes / bytesPerMs;
  }

  mark(name: string): void {
    this.#marks.push({ name, dueMs: this.#endsAtMs });
  }

  takeDue(nowMs: number, onDue: (name: string) => void): void {
    while (this.#marks[0] !== undefined && this.#marks[0].dueMs <= nowMs) {
      onDue(this.#marks.shift()?.name ?? '');
    }
  }

  /** All marks come back, though nothing of what they stand behind was played. */
  clear(nowMs: number, onMark: (name: string) => void): void {
    this.#endsAtMs = nowMs;
    for (const { name } of this.#marks.splice(0)) onMark(name);
  }
}
