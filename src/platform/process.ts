/** Owns: what the operating system says of this host and of other processes on it. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
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

/** Where Linux names what process ids count in; each throws where it cannot be read. */
export interface PidSpaceFiles {
  readFile(path: string): string;
  readLink(path: string): string;
}

const systemFiles: PidSpaceFiles = {
  readFile: (path) => readFileSync(path, 'utf8'),
  readLink: (path) => readlinkSync(path),
};

/**
 * Names the host to other instances without telling its name: the same for two processes only where each sees the
 * process ids of the other. Machines and containers may share a name, and containers of one machine do not share ids.
 */
export function hostDigest(files: PidSpaceFiles = systemFiles): string {
  const bootId = readable(() => files.readFile('/proc/sys/kernel/random/boot_id'));
  const pidSpace = readable(() => files.readLink('/proc/self/ns/pid'));
  const names = JSON.stringify([hostname(), bootId, pidSpace]);
  return createHash('sha256').update(names).digest('hex').slice(0, 16);
}

/** Empty where the system does not say, as outside of Linux. */
function readable(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

/** Of the account that this process runs under, for the record of who did what. */
export function accountName(): string {
  try {
    return userInfo().username.slice(0, 60) || 'unknown';
  } catch {
    // A container may run under a number that has no name.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
