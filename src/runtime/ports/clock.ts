/**
 * Owns: the only way in which the runtime, the adapters and the twin learn the time or wait.
 * Does not own: what is waited for.
 *
 * Production wires the system clock, tests and simulations a virtual one.
 */

/** What `setTimeout` gave; only `clearTimeout` reads it. */
export type TimerHandle = unknown;

export interface Clock {
  /** Wall clock, whole milliseconds since the Unix epoch. May jump. */
  now(): number;
  /** Monotonic clock, milliseconds from an arbitrary origin. Never goes back. */
  monotonic(): number;
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}
