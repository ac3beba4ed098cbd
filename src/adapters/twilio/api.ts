/**
 * Owns: requests to the carrier's REST API (Twilio, REST API requests and errors): authentication, time limit, and what
 * a failure means.
 * Does not own: which resources are asked for (`rest.ts`, `number.ts`).
 *
 * It speaks fetch and not the official client: loading that one takes 150 ms to 190 ms, in which no call of the process
 * would hear anything, and 39 MB, where the first fetch takes 27 ms and 4 MB.
 *
 * Invariants:
 * A1. An error names the carrier's status and code, never an address, a number, an id or a secret.
 * I9. An answer is read up to 1 MB.
 */
import { z } from 'zod';
import type { Clock } from '../../runtime/ports/clock.ts';
import { GiveUpError, HoldfastError, RetryError } from '../../runtime/ports/errors.ts';
import { parseJson } from './json.ts';

const requestLimitMs = 5_000;
const mostAnswerBytes = 1_024 * 1_024;

export interface TwilioAccount {
  accountSid: string;
  authToken: string;
  /** `https://api.twilio.com`, or where a stand-in for it listens. */
  apiUrl: string;
}

/** The carrier refused for good, and said why by a code (Twilio, Error and warning dictionary). */
export class RefusedRequestError extends GiveUpError {
  /** Null where the answer held none. */
  readonly twilioCode: number | null;

  constructor(status: number, twilioCode: number | null) {
    const code = twilioCode === null ? 'no error code' : `error ${twilioCode}`;
    super('carrier.refused', `Twilio's REST API answered ${status} with ${code}`);
    this.twilioCode = twilioCode;
  }
}

const refusal = z.object({ code: z.int().nullable().catch(null) });

export class TwilioApi {
  readonly #account: TwilioAccount;
  readonly #clock: Clock;

  constructor(account: TwilioAccount, clock: Clock) {
    this.#account = account;
    this.#clock = clock;
  }

  /**
   * @param path below the account, as `/Calls/CA....json`
   * @throws RefusedRequestError `carrier.refused`, RetryError `carrier.unavailable`
   */
  get<Answer>(path: string, schema: z.ZodType<Answer>, query: Record<string, string> = {}): Promise<Answer> {
    const search = new URLSearchParams(query).toString();
    return this.#request(search === '' ? path : `${path}?${search}`, schema, { method: 'GET' });
  }

  /** As `get`, with a form. */
  post<Answer>(path: string, schema: z.ZodType<Answer>, form: Record<string, string>): Promise<Answer> {
    return this.#request(path, schema, { method: 'POST', body: new URLSearchParams(form) });
  }

  async #request<Answer>(path: string, schema: z.ZodType<Answer>, init: RequestInit): Promise<Answer> {
    const controller = new AbortController();
    const timer = this.#clock.setTimeout(() => controller.abort(), requestLimitMs);
    try {
      return await this.#ask(path, schema, { ...init, signal: controller.signal });
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throw new RetryError('carrier.unavailable', `Twilio's REST API did not answer: ${causeOf(error)}`);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  async #ask<Answer>(path: string, schema: z.ZodType<Answer>, init: RequestInit): Promise<Answer> {
    const { accountSid, authToken, apiUrl } = this.#account;
    const account = `${apiUrl.replace(/\/+$/, '')}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}`;
    const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
    const response = await fetch(account + path, {
      ...init,
      headers: { accept: 'application/json', authorization },
      redirect: 'manual',
    });
    const answer = parseJson(await readBounded(response));
    if (!response.ok) throw failureOf(response.status, answer);
    const result = schema.safeParse(answer);
    if (result.success) return result.data;
    throw new RetryError(
      'carrier.unavailable',
      `Twilio's REST API answered ${response.status} with no known shape`,
    );
  }
}

/** Worth another try: the answer says "later", or comes from something in between. */
function failureOf(status: number, answer: unknown): HoldfastError {
  if (status === 408 || status === 429 || status >= 500)
    return new RetryError('carrier.unavailable', `Twilio's REST API answered ${status}`);
  const { data } = refusal.safeParse(answer);
  return new RefusedRequestError(status, data?.code ?? null);
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > mostAnswerBytes)
      throw new RetryError('carrier.unavailable', "Twilio's REST API answered too much");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The system's code where there is one: messages may name addresses. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'AbortError') return `nothing came within ${requestLimitMs} ms`;
  const cause = error.cause as { code?: unknown } | undefined;
  return typeof cause?.code === 'string' ? cause.code : error.name;
}
