/** Owns: what Linux tells of another process in `/proc`: CPU time, waiting, open files, children. */
import { readdirSync, readFileSync } from 'node:fs';

/** Of all its threads so far, those that have ended included (proc(5), utime and stime, of 10 ms each). */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** On the run queue (`schedstat` of each thread, nanoseconds); 0 where that is not told. */
export function waitMsOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const waits = threads.map(
      (thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[1],
    );
    return waits.reduce((sum, wait) => sum + Number(wait), 0) / 1e6;
  } catch {
    return 0;
  }
}

/** Open files and sockets; 0 where that is not told. */
export function handlesOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Of all its threads, with their command lines; none where that is not told. */
export function childrenOf(pid: number): { pid: number; words: string[] }[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const pids = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return pids.map((child) => ({
      pid: Number(child),
      words: readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').filter(Boolean),
    }));
  } catch {
    return [];
  }
}
