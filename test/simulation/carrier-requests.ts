/**
 * Owns: a simulated process's requests to the twin's REST API, without the network, and what goes wrong with them.
 * Does not own: what is asked (`src/adapters/twilio/rest.ts`), what an answer means there.
 *
 * Invariants:
 * R1. A dead process asks nothing, and is answered nothing.
 */
import type { z } from 'zod';
import { RefusedRequestError, type TwilioApi } from '../../src/adapters/twilio/api.ts';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import { RetryError } from '../../src/runtime/ports/errors.ts';
import type { HttpRequest, HttpResponse } from '../../src/twin/twilio/http/http-message.ts';

/** `refuse`: 429, nothing done; `lost`: done, but the answer never comes; `stall`: neither. The last two cost the time limit. */
export type RestTrouble = 'refuse' | 'lost' | 'stall';

export interface RestHost {
  readonly clock: Clock;
  cross(crossing: 'rest' | 'restAnswer'): boolean;
  /** Resolves once the process is not frozen any more. */
  awake(): Promise<void>;
  /** The trouble of this moment, where there is one. */
  restTrouble(): RestTrouble | null;
}

export interface RestAccount {
  accountSid: string;
  authToken: string;
}

const requestLimitMs = 5_000;
const networkMs = 15;

const never = (): Promise<never> => new Promise(() => undefined);

/** Has the methods of `TwilioApi` that the control uses. */
export class CarrierRequests implements Pick<TwilioApi, 'get' | 'post'> {
  readonly #host: RestHost;
  readonly #account: RestAccount;
  readonly #rest: (request: HttpRequest) => HttpResponse;
  readonly #onOrder: (carrierCallId: string) => void;

  /** @param onOrder told of each request that changes a call, when it leaves the process */
  constructor(
    host: RestHost,
    account: RestAccount,
    rest: (request: HttpRequest) => HttpResponse,
    onOrder: (carrierCallId: string) => void,
  ) {
    this.#host = host;
    this.#account = account;
    this.#rest = rest;
    this.#onOrder = onOrder;
  }

  get<Answer>(path: string, schema: z.ZodType<Answer>): Promise<Answer> {
    return this.#ask('GET', path, schema, '');
  }

  post<Answer>(path: string, schema: z.ZodType<Answer>, form: Record<string, string>): Promise<Answer> {
    return this.#ask('POST', path, schema, new URLSearchParams(form).toString());
  }

  async #ask<Answer>(method: string, path: string, schema: z.ZodType<Answer>, body: string): Promise<Answer> {
    if (!this.#host.cross('rest')) return never();
    if (method === 'POST') this.#onOrder(/CA[0-9a-f]{32}/.exec(path)?.[0] ?? '');
    await this.#wait(networkMs);
    const trouble = this.#host.restTrouble();
    const answer = trouble === 'refuse' || trouble === 'stall' ? null : this.#send(method, path, body);
    await this.#wait(trouble === 'lost' || trouble === 'stall' ? requestLimitMs : networkMs);
    await this.#host.awake();
    if (!this.#host.cross('restAnswer')) return never();
    if (answer === null || trouble === 'lost') throw new RetryError('carrier.unavailable', 'simulated');
    return schema.parse(contentOf(answer));
  }

  #send(method: string, path: string, body: string): HttpResponse {
    const { accountSid, authToken } = this.#account;
    return this.#rest({
      method,
      url: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}${path}`,
      headers: {
        authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body,
    });
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#host.clock.setTimeout(resolve, delayMs));
  }
}

/** @throws RetryError, RefusedRequestError as `TwilioApi` does */
function contentOf({ status, body }: HttpResponse): unknown {
  if (status >= 500 || status === 429) throw new RetryError('carrier.unavailable', `${status}`);
  const content = JSON.parse(body) as { code?: number };
  if (status >= 400) throw new RefusedRequestError(status, content.code ?? null);
  return content;
}
