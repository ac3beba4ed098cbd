/**
 * Owns: the steps from `session.created` to a session that may be used: settings asked for and confirmed, history
 * taken.
 * Does not own: the time they may take (`session.ts`).
 *
 * Everything is sent at once, because the far side works in order and a caller is waiting. While a history is taken,
 * the far side must not answer it: answering is turned on by a last message, after it.
 *
 * Source: OpenAI Realtime, `session.update`, `conversation.item.create`.
 *
 * Invariants:
 * L2. The opening is complete only when the far side has shown the settings that were asked for, and has named every
 *     seeded item.
 */
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';
import type { ModelRequest } from '../../runtime/ports/model.ts';
import type { Seed } from './history.ts';
import type { ServerEvent } from './server-events.ts';
import { answeringUpdate, settingsFault, settingsUpdate } from './session-update.ts';

export class Opening {
  readonly #request: ModelRequest;
  readonly #seed: Seed;
  readonly #unnamed: Set<string>;
  /** The setting that differs from what was asked for; null once all are confirmed. */
  #fault: string | null = 'unanswered';

  constructor(request: ModelRequest, seed: Seed) {
    this.#request = request;
    this.#seed = seed;
    this.#unnamed = new Set(seed.items.map(({ id }) => id));
  }

  start(send: (event: RealtimeClientEvent) => void): void {
    const { items } = this.#seed;
    send(settingsUpdate(this.#request, items.length === 0));
    if (items.length === 0) return;
    for (const item of items) send({ type: 'conversation.item.create', item });
    send(answeringUpdate(this.#request));
  }

  take(event: ServerEvent): void {
    if (event.type === 'session.updated') {
      this.#fault = settingsFault(this.#request, event.session);
    } else if (event.type === 'conversation.item.added' || event.type === 'conversation.item.done') {
      this.#unnamed.delete(event.item.id);
    }
  }

  get isComplete(): boolean {
    return this.#fault === null && this.#unnamed.size === 0;
  }

  /** What is missing, as the cause of an opening that took too long. */
  get missing(): string {
    return this.#fault === null ? 'history.unconfirmed' : `settings.unconfirmed: ${this.#fault}`;
  }
}
