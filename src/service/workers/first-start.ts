/**
 * Owns: the first start of all workers together: when they may come to the port, and which of them have run.
 * Does not own: later starts: those wait for nobody.
 */

export class FirstStart {
  /** Workers that are still on their way to the port. */
  readonly #underWay: Set<number>;
  /** Those that have not run yet. */
  readonly #unproven: Set<number>;
  readonly #reached = Promise.withResolvers<void>();

  constructor(count: number) {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    this.#underWay = new Set(numbers);
    this.#unproven = new Set(numbers);
  }

  /** A worker would like to come to the port. Resolves when each of them does, or has ended. */
  reach(number: number): Promise<void> {
    this.#depart(number);
    return this.#reached.promise;
  }

  /** A worker runs. */
  prove(number: number): void {
    this.#unproven.delete(number);
  }

  /** A worker has ended. @returns whether it had never run */
  leave(number: number): boolean {
    this.#depart(number);
    return this.#unproven.delete(number);
  }

  #depart(number: number): void {
    this.#underWay.delete(number);
    if (this.#underWay.size === 0) this.#reached.resolve();
  }
}
