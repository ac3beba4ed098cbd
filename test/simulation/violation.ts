/** Owns: the word for an invariant that did not hold. */

export class Violation extends Error {
  /** @param invariant I1 to I10, as ARCHITECTURE.md lists them */
  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
  }
}

/** @throws Violation where the condition does not hold */
export function demand(condition: boolean, invariant: string, what: () => string): asserts condition {
  if (!condition) throw new Violation(invariant, what());
}
