/**
 * Owns: one delivery of a webhook: signing, retries, redirects, limits of time.
 * Does not own: what the answer means, the fallback URL (`twiml/document-loader.ts`), late or repeated callbacks
 * (`postman.ts`).
 *
 * Invariants:
 * W1. A delivery is over after at most 15 s, retries and redirects included.
 * W2. All attempts and copies of one delivery carry the same idempotency token.
 * W3. A delivery never rejects: its record says how it went.
 *
 * Source: Twilio, Webhooks; Connection Overrides; Error Dictionary 11200, 11205, 11215, 11216.
 */
import type { Clock } from '../../../runtime/ports/clock.ts';
import type { Random } from '../../random.ts';
import { ConnectFailure, type Exchange, type HttpRequest, type HttpResponse } from '../http/http-message.ts';
import { randomHex } from '../identifiers.ts';
import type { NoticeCode } from '../notices.ts';
import { type ConnectionLimits, readTarget, type WebhookTarget } from './connection-overrides.ts';
import { type Parameters, signRequest } from './signature.ts';

export type WebhookMethod = 'GET' | 'POST';

export interface WebhookOrder {
  url: string;
  method: WebhookMethod;
  parameters: Readonly<Record<string, string>>;
}

export type WebhookOutcome =
  /** Any status; `url` is where the answer came from, after redirects. */
  | { kind: 'answered'; response: HttpResponse; url: string }
  | { kind: 'failed'; code: Extract<NoticeCode, 11100 | 11200 | 11205 | 11215 | 11216>; detail: string };

export interface WebhookRecord extends WebhookOrder {
  /** When it was first sent, milliseconds since the Unix epoch. */
  at: number;
  /** When it was answered or given up. */
  doneAt: number;
  idempotencyToken: string;
  attempts: number;
  outcome: WebhookOutcome;
}

export interface WebhookPorts {
  clock: Clock;
  random: Random;
  exchange: Exchange;
}

type Failure = 'connect' | 'read';
type Attempt = WebhookOutcome & { failure?: Failure };

const mostRedirects = 10;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307]);

/** Whether Twilio would follow the answer's Location, or report it as an invalid redirect. */
const isRedirect = (status: number): boolean => status >= 300 && status < 400 && status !== 304;

export class WebhookClient {
  readonly #ports: WebhookPorts;
  readonly #authToken: string;
  readonly #closing = new AbortController();

  constructor(ports: WebhookPorts, authToken: string) {
    this.#ports = ports;
    this.#authToken = authToken;
  }

  /** Gives up every delivery, those to come as well. */
  close(): void {
    this.#closing.abort();
  }

  /** A new idempotency token. */
  drawToken(): string {
    return randomHex(this.#ports.random, 32);
  }

  /** @param token of an earlier delivery, where this one is its copy */
  async deliver(order: WebhookOrder, token = this.drawToken()): Promise<WebhookRecord> {
    const at = this.#ports.clock.now();
    const target = readTarget(order.url);
    const { attempts, outcome } =
      target === null
        ? { attempts: 0, outcome: { kind: 'failed', code: 11100, detail: order.url } as const }
        : await this.#tryRepeatedly(order, target, token);
    return { ...order, at, doneAt: this.#ports.clock.now(), idempotencyToken: token, attempts, outcome };
  }

  async #tryRepeatedly(
    order: WebhookOrder,
    target: WebhookTarget,
    token: string,
  ): Promise<{ attempts: number; outcome: WebhookOutcome }> {
    const deadline = this.#ports.clock.monotonic() + target.limits.totalTimeoutMs;
    for (let attempts = 1; ; attempts += 1) {
      const { failure, ...outcome } = await this.#attempt(order, target, token, deadline);
      const isOver = this.#closing.signal.aborted || this.#ports.clock.monotonic() >= deadline;
      const isLast = isOver || attempts > target.limits.retries;
      if (isLast || !isRetried(outcome, failure, target.limits)) return { attempts, outcome };
    }
  }

  /** One request, and those to which it is redirected. */
  async #attempt(
    order: WebhookOrder,
    target: WebhookTarget,
    token: string,
    deadline: number,
  ): Promise<Attempt> {
    let { url } = target;
    let method = order.method;
    for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
      const request = this.#requestFor({ ...order, url, method }, token);
      const attempt = await this.#exchangeInTime(request, target.limits, deadline);
      if (attempt.kind === 'failed' || !isRedirect(attempt.response.status)) return attempt;
      const { status, headers } = attempt.response;
      const location = headers.location ?? '';
      if (!redirectStatuses.has(status) || location === '' || !URL.canParse(location, url)) {
        return { kind: 'failed', code: 11216, detail: `${status} from ${url}` };
      }
      url = new URL(location, url).href;
      if (status !== 307) method = 'GET';
    }
    return { kind: 'failed', code: 11215, detail: order.url };
  }

  #requestFor(order: WebhookOrder, token: string): HttpRequest {
    const parameters: Parameters = Object.entries(order.parameters);
    const form = new URLSearchParams(parameters.map(([name, value]) => [name, value])).toString();
    const isForm = order.method === 'POST';
    const url =
      isForm || form === '' ? order.url : `${order.url}${order.url.includes('?') ? '&' : '?'}${form}`;
    return {
      method: order.method,
      url,
      headers: {
        accept: '*/*',
        'user-agent': 'TwilioProxy/1.1',
        'i-twilio-idempotency-token': token,
        'x-twilio-signature': signRequest(this.#authToken, url, isForm ? parameters : []),
        ...(isForm && { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }),
      },
      body: isForm ? form : '',
    };
  }

  /** Settles when the answer has come, the time is up, or the client is closed, whatever the exchange does then. */
  #exchangeInTime(request: HttpRequest, limits: ConnectionLimits, deadline: number): Promise<Attempt> {
    const { clock, exchange } = this.#ports;
    const limitMs = Math.max(0, Math.min(limits.readTimeoutMs, deadline - clock.monotonic()));
    const timeout = new AbortController();
    const signal = AbortSignal.any([timeout.signal, this.#closing.signal]);
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => timeout.abort(), limitMs);
      const settle = (attempt: Attempt): void => {
        clock.clearTimeout(timer);
        resolve(attempt);
      };
      const abandon = (): void => settle(failedAttempt('read', `no answer within ${limitMs} ms`));
      if (signal.aborted) return abandon();
      signal.addEventListener('abort', abandon);
      exchange(request, { connectTimeoutMs: limits.connectTimeoutMs, signal }).then(
        (response) => settle({ kind: 'answered', response, url: request.url }),
        (error: unknown) =>
          settle(failedAttempt(error instanceof ConnectFailure ? 'connect' : 'read', String(error))),
      );
    });
  }
}

const failedAttempt = (failure: Failure, detail: string): Attempt => ({
  kind: 'failed',
  code: failure === 'connect' ? 11205 : 11200,
  detail,
  failure,
});

function isRetried(
  outcome: WebhookOutcome,
  failure: Failure | undefined,
  { policies }: ConnectionLimits,
): boolean {
  const has = (policy: '4xx' | '5xx' | 'ct' | 'rt'): boolean => policies.has(policy) || policies.has('all');
  if (outcome.kind === 'failed') return failure === 'connect' ? has('ct') : failure === 'read' && has('rt');
  const { status } = outcome.response;
  return (status >= 400 && status < 500 && has('4xx')) || (status >= 500 && has('5xx'));
}
