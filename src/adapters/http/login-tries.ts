/**
 * Owns: how often a peer may try a token.
 * Does not own: the token.
 *
 * Invariants:
 * C3. After `mostWrongTries` wrong tries within a minute a peer is refused, with the right token as well.
 * I9. At most `mostPeers` are remembered; the oldest give way.
 */
import type { Clock } from '../../runtime/ports/clock.ts';

export const mostWrongTries = 5;
export const windowMs = 60_000;
export const mostPeers = 1_000;

export class LoginTries {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #wrong = new Map<string, number[]>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  mayTry(peer: string): boolean {
    return this.#recent(peer).length < mostWrongTries;
  }

  noteWrong(peer: string): void {
    const recent = [...this.#recent(peer), this.#clock.monotonic()];
    this.#wrong.delete(peer);
    this.#wrong.set(peer, recent);
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size > mostPeers && oldest !== undefined) this.#wrong.delete(oldest);
  }

  #recent(peer: string): number[] {
    const since = this.#clock.monotonic() - windowMs;
    return (this.#wrong.get(peer) ?? []).filter((triedMs) => triedMs > since);
  }
}
