/** Owns: what the operating system says of this host and of other processes on it. */
import { createHash } from 'node:crypto';
import { hostname, userInfo } from 'node:os';

/** Whether a process with this id is there, whoever owns it. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Names the host to other instances without telling its name. */
export const hostDigest = (): string => createHash('sha256').update(hostname()).digest('hex').slice(0, 16);

/** Of the account that this process runs under, for the record of who did what. */
export function accountName(): string {
  try {
    return userInfo().username.slice(0, 60) || 'unknown';
  } catch {
    // A container may run under a number that has no name.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
