/** Owns: how much memory this process has, and how much it may have. */
import { totalmem } from 'node:os';

/** Null where the system does not tell: Linux tells it in a file, and a process may have no descriptor left. */
export function residentBytes(): number | null {
  try {
    return process.memoryUsage.rss();
  } catch {
    return null;
  }
}

/** That of the host, or of the control group where that is less. A group without a limit names 0 or an absurd number. */
export function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
