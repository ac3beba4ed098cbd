/**
 * Owns: the question to another process, past the journal: do calls live there?
 * Does not own: who is asked, and what follows (`presence.ts`); the answer (`health/report.ts`).
 *
 * Only processes of this host are asked: the admin token never leaves it in the clear.
 */
import { z } from 'zod';
import type { InstanceRow } from '../runtime/ports/journal.ts';

/** The caller of a call that nobody holds waits meanwhile. */
const answerLimitMs = 500;

const answer = z.object({ instance: z.string(), liveCalls: z.number() });

export interface AskerOptions {
  /** This process's host, as rows name it. */
  host: string;
  /** The admin token, which all instances share. */
  token: string | null;
}

/** Bound to every address, a server answers at loopback too. */
const loopbackOf: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Where the admin server of this process can be asked from this host; null while it is not open. */
export function addressOfAdmin(boundTo: string, port: number | undefined): string | null {
  if (port === undefined) return null;
  const name = loopbackOf[boundTo] ?? boundTo;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** False also where there is no telling. */
export async function hasCalls(row: InstanceRow, { host, token }: AskerOptions): Promise<boolean> {
  const { address, instance } = row;
  if (address === null || row.host !== host) return false;
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  try {
    const response = await fetch(`${address}/health`, {
      headers,
      signal: AbortSignal.timeout(answerLimitMs),
    });
    const said = answer.parse(await response.json());
    return said.instance === instance && said.liveCalls > 0;
  } catch {
    return false;
  }
}
