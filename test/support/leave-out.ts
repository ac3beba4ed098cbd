/** What a test needs and this machine does not have: the test is left out where that is so, and said to be. */
import type { TestContext } from 'vitest';

/** Ends the test as skipped, with the reason; as failed where REQUIRE_ALL says that everything must be there. */
export function leaveOut(context: TestContext, reason: string): void {
  if (process.env.REQUIRE_ALL === '1') throw new Error(reason);
  console.warn(`Skipped: ${context.task.name}. ${reason}`);
  context.skip(reason);
}
