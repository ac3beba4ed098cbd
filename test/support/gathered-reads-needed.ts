/** Reads that the kernel gathers, for the tests of them: left out where it cannot be asked to, and said to be. */
import type { TestContext } from 'vitest';
import { gathersReads } from '../../src/platform/gathered-reads.ts';
import { leaveOut } from './leave-out.ts';

export function needGatheredReads(context: TestContext): void {
  if (gathersReads()) return;
  const reason = 'no SO_RCVLOWAT: it takes Linux on x64 or arm64, and a Node.js with node:ffi';
  leaveOut(context, reason);
}
