/**
 * Owns: what is under load: a process that is started for it, or a service at an address; and what either tells of
 * itself.
 * Does not own: the calls.
 *
 * Of a process that was started here the system tells CPU time, memory and open files; of a service elsewhere only its
 * own metrics do, where their address is given.
 */
import { type SubjectName, startSubject } from '../bench/subject.ts';
import { askMetrics, fetchMetrics, type MetricsPage } from './metrics-page.ts';

export interface Memory {
  /** In use, after a collection; null where that cannot be asked for. */
  liveBytes: number | null;
  residentBytes: number | null;
}

export interface Target {
  address: string;
  /** Rejects when the process ends by itself; never of a service elsewhere. */
  died: Promise<never>;
  cpuMs(): Promise<number | null>;
  residentBytes(): Promise<number | null>;
  /** Collects garbage where it can: not to be asked while latencies are measured. */
  memory(): Promise<Memory>;
  handles(): number | null;
  metrics(): Promise<MetricsPage | null>;
  /** Why its metrics cannot be looked at; null where they can. */
  unseenBecause(): Promise<string | null>;
  close(): Promise<void>;
}

export async function startTarget(name: SubjectName, peersPort: number): Promise<Target> {
  const { process, address, adminAddress, close } = await startSubject(name, peersPort);
  return {
    address,
    close,
    died: process.died,
    cpuMs: async () => process.cpuMs(),
    residentBytes: async () => process.rssBytes(),
    memory: async () => {
      const { liveBytes, rssBytes } = await process.probe();
      return { liveBytes, residentBytes: rssBytes };
    },
    handles: () => process.handles(),
    metrics: async () => (adminAddress === null ? null : fetchMetrics(adminAddress, null)),
    unseenBecause: () => whyUnseen(adminAddress, null, 'it has no metrics'),
  };
}

/** @param adminAddress host and port of the service's metrics; null where they cannot be reached from here */
export function remoteTarget(address: string, adminAddress: string | null, token: string | null): Target {
  const metrics = async (): Promise<MetricsPage | null> =>
    adminAddress === null ? null : fetchMetrics(adminAddress, token);
  const residentBytes = async (): Promise<number | null> =>
    (await metrics())?.value('process_resident_memory_bytes') ?? null;
  return {
    address,
    died: new Promise(() => undefined),
    metrics,
    residentBytes,
    cpuMs: async () => {
      const seconds = (await metrics())?.value('process_cpu_seconds_total') ?? null;
      return seconds === null ? null : seconds * 1_000;
    },
    memory: async () => ({ liveBytes: null, residentBytes: await residentBytes() }),
    handles: () => null,
    unseenBecause: () => whyUnseen(adminAddress, token, 'no --admin was given'),
    close: async () => undefined,
  };
}

async function whyUnseen(
  adminAddress: string | null,
  token: string | null,
  withoutAddress: string,
): Promise<string | null> {
  if (adminAddress === null) return withoutAddress;
  const asked = await askMetrics(adminAddress, token);
  return asked.page === null ? asked.why : null;
}
