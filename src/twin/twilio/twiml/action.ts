/**
 * Owns: the addresses that verbs name, relative ones included.
 * Does not own: requesting them.
 */
import type { WebhookMethod } from '../webhooks/webhook-client.ts';
import type { WebhookAddress } from './document-loader.ts';
import type { XmlElement } from './xml.ts';

const methodOf = (text: string | undefined): WebhookMethod =>
  text?.toUpperCase() === 'GET' ? 'GET' : 'POST';

/** The URL seen from where the TwiML came from; as it is where that does not help. Keeps a fragment. */
export function resolveUrl(url: string, base: string | null): string {
  if (URL.canParse(url) || base === null || !URL.canParse(url, base)) return url;
  return new URL(url, base).href;
}

/** The address in an attribute such as `action`, POST unless `method` says otherwise; null without one. */
export function addressOf(
  verb: XmlElement,
  base: string | null,
  attribute: 'action' | 'statusCallback' = 'action',
): WebhookAddress | null {
  const url = verb.attributes[attribute];
  if (url === undefined || url === '') return null;
  const method = verb.attributes[attribute === 'action' ? 'method' : 'statusCallbackMethod'];
  return { url: resolveUrl(url, base), method: methodOf(method) };
}

/** Where `<Redirect>` leads; without a text, to the same document again. */
export const redirectAddress = (verb: XmlElement, base: string | null): WebhookAddress => ({
  url: verb.text === '' ? (base ?? '') : resolveUrl(verb.text, base),
  method: methodOf(verb.attributes.method),
});
