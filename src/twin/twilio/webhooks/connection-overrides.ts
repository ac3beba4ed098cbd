/**
 * Owns: the limits of one webhook delivery, and the fragment of its URL that overrides them.
 * Does not own: keeping to them (`webhook-client.ts`).
 *
 * Source: Twilio, Webhooks (HTTP callbacks): Connection Overrides.
 */

/** Which failures are tried again: an answer in the range, no connection in time, no answer in time, any of them. */
export type RetryPolicy = '4xx' | '5xx' | 'ct' | 'rt' | 'all';

export interface ConnectionLimits {
  connectTimeoutMs: number;
  readTimeoutMs: number;
  totalTimeoutMs: number;
  retries: number;
  policies: ReadonlySet<RetryPolicy>;
}

export interface WebhookTarget {
  /** What is requested and signed. */
  url: string;
  limits: ConnectionLimits;
}

const retryPolicies: ReadonlySet<string> = new Set<RetryPolicy>(['4xx', '5xx', 'ct', 'rt', 'all']);

const isRetryPolicy = (word: string): word is RetryPolicy => retryPolicies.has(word);

/** A number of the fragment within its range; the default where it is missing or no number. */
function numberWithin(text: string | null, least: number, most: number, otherwise: number): number {
  const value = text === null || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? Math.min(Math.max(value, least), most) : otherwise;
}

function policiesOf(text: string | null): ReadonlySet<RetryPolicy> {
  const named = (text ?? '').split(',').filter(isRetryPolicy);
  return new Set(named.length === 0 ? ['ct'] : named);
}

function limitsOf(fragment: URLSearchParams): ConnectionLimits {
  return {
    connectTimeoutMs: numberWithin(fragment.get('ct'), 100, 10_000, 5_000),
    readTimeoutMs: numberWithin(fragment.get('rt'), 100, 15_000, 15_000),
    totalTimeoutMs: numberWithin(fragment.get('tt'), 100, 15_000, 15_000),
    retries: numberWithin(fragment.get('rc'), 0, 5, 1),
    policies: policiesOf(fragment.get('rp')),
  };
}

/** Splits a webhook URL into what is requested and what its fragment asks for. Null where it is no http(s) URL. */
export function readTarget(url: string): WebhookTarget | null {
  const [requested = '', ...fragment] = url.split('#');
  const protocol = URL.canParse(requested) ? new URL(requested).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  return { url: requested, limits: limitsOf(new URLSearchParams(fragment.join('#'))) };
}
