/**
 * Owns: the signature by which a server knows that a request or an upgrade came from Twilio.
 * Does not own: when one is sent. The twin makes it by its own code, so that a mistake in the library that checks it
 * does not hide here as well.
 *
 * Source: Twilio, Webhooks Security, "Validating Signatures from Twilio".
 */
import { createHmac } from 'node:crypto';

/** Form parameters in the order in which they are sent; a name may come more than once. */
export type Parameters = ReadonlyArray<readonly [name: string, value: string]>;

/**
 * `X-Twilio-Signature`: HMAC-SHA1 (RFC 2104) in base64.
 *
 * @param url exactly as requested, query included, fragment excluded; for an upgrade the ws or wss URL as TwiML has it
 * @param parameters of a form POST; none for GET and for an upgrade
 */
export function signRequest(authToken: string, url: string, parameters: Parameters = []): string {
  const byName = new Map<string, Set<string>>();
  for (const [name, value] of parameters) {
    byName.set(name, (byName.get(name) ?? new Set()).add(value));
  }
  const hmac = createHmac('sha1', authToken).update(url);
  for (const name of [...byName.keys()].sort()) {
    for (const value of [...(byName.get(name) ?? [])].sort()) hmac.update(name).update(value);
  }
  return hmac.digest('base64');
}
