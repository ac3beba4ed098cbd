/**
 * Owns: the name of a process among all that share a journal.
 * Does not own: whether a process of that name lives (`Instances` in the journal port).
 *
 * Invariants:
 * N1. A made name is fit for a URL path and a token, tells nothing of the host's name, and holds 32 random bits:
 *     a process that gets a dead one's id back still has its own name.
 */
import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';

export const instanceId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');

/** Host digest (8 hexadecimal digits), process id and 32 random bits, joined by hyphens. */
export function createInstanceId(): string {
  const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  return `${host}-${process.pid}-${randomBytes(4).toString('hex')}`;
}
