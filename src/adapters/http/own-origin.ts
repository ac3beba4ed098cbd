/**
 * Owns: whether a page of ours may have sent a request that changes something.
 * Does not own: who sent it (`admin-access.ts`).
 *
 * Invariants:
 * C4. A page of somebody else can neither give a command nor open a stream in an operator's browser: it cannot hide its
 *     `Origin`, nor send JSON without asking first (Fetch Standard, CORS-safelisted request headers).
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Programs that are no browser send no `Origin`. */
export function isOwnOrigin({ origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return true;
  const sender = URL.parse(origin);
  return sender !== null && host !== undefined && sender.host === URL.parse(`http://${host}`)?.host;
}

export const isJson = ({ 'content-type': type }: IncomingHttpHeaders): boolean =>
  /^application\/json *(;|$)/i.test(type ?? '');
