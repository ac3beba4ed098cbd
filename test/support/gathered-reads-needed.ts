/** Reads that the kernel gathers, for the tests of them: left out where it cannot be asked to, and said to be. */
import type { TestContext } from 'vitest';
import { gathersReads } from '../../src/platform/gathered-reads.ts';

/** Ends the test as skipped, with the reason; as failed where REQUIRE_ALL says that everything must be there. */
export function needGatheredReads(context: TestContext): void {
  if (gathersReads()) return;
  const reason = 'no SO_RCVLOWAT: it takes Linux on x64 or arm64, and a Node.js with node:ffi';
  if (process.env.REQUIRE_ALL === '1') throw new Error(reason);
  console.warn(`Skipped: ${context.task.name}. ${reason}`);
  context.skip(reason);
}
