/**
 * Owns: the front of the REST API: who may ask, which resource answers, refusals on request.
 * Does not own: the resources.
 *
 * Invariants:
 * RA1. Any request gets an answer; one that nobody may make changes nothing.
 *
 * Source: Twilio, REST API, authentication; Error Dictionary 20003, 20404, 20429.
 */
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import type { TwinSettings } from '../settings.ts';
import type { CallResources } from './call-resources.ts';
import type { PhoneNumbers } from './phone-numbers.ts';
import { answerError, RestFault, type RestRequest } from './rest-answer.ts';

interface Route {
  method: 'GET' | 'POST';
  /** Of the path below the account. */
  pattern: RegExp;
  answer: (request: RestRequest) => HttpResponse;
}

export class RestApi {
  readonly #settings: TwinSettings;
  readonly #routes: readonly Route[];
  #refusalsLeft = 0;

  constructor(settings: TwinSettings, calls: CallResources, numbers: PhoneNumbers) {
    this.#settings = settings;
    const route = (method: 'GET' | 'POST', path: string, answer: Route['answer']): Route => ({
      method,
      pattern: new RegExp(`^${path.replaceAll(':sid', '([\\w.]+)')}\\.json$`),
      answer,
    });
    this.#routes = [
      route('POST', '/Calls', (request) => calls.create(request)),
      route('GET', '/Calls', (request) => calls.list(request)),
      route('GET', '/Calls/(CA\\w+)', (request) => calls.fetch(request)),
      route('POST', '/Calls/(CA\\w+)', (request) => calls.update(request)),
      route('POST', '/Calls/:sid/Recordings', (request) => calls.createRecording(request)),
      route('GET', '/Calls/:sid/Recordings', (request) => calls.listRecordings(request)),
      route('POST', '/Calls/:sid/Recordings/:sid', (request) => calls.updateSubresource(request)),
      route('POST', '/Calls/:sid/Streams', (request) => calls.createStream(request)),
      route('POST', '/Calls/:sid/Streams/:sid', (request) => calls.updateSubresource(request)),
      route('GET', '/IncomingPhoneNumbers', (request) => numbers.answerList(request)),
      route('GET', '/IncomingPhoneNumbers/:sid', (request) => numbers.answerFetch(request)),
      route('POST', '/IncomingPhoneNumbers/:sid', (request) => numbers.answerUpdate(request)),
    ];
  }

  /** The next so many requests are answered with 20429 and do nothing. */
  refuseNext(requests: number): void {
    this.#refusalsLeft = requests;
  }

  handle(request: HttpRequest): HttpResponse {
    if (this.#refusalsLeft > 0) {
      this.#refusalsLeft -= 1;
      return answerError(20429);
    }
    if (!this.#isAuthentic(request.headers.authorization ?? '')) return answerError(20003);
    return this.#route(request);
  }

  #isAuthentic(authorization: string): boolean {
    const { accountSid, authToken, apiKeys } = this.#settings;
    const pairs = [{ sid: accountSid, secret: authToken }, ...apiKeys];
    const expected = pairs.map(({ sid, secret }) => Buffer.from(`${sid}:${secret}`).toString('base64'));
    return expected.some((credentials) => authorization === `Basic ${credentials}`);
  }

  #route(request: HttpRequest): HttpResponse {
    if (!URL.canParse(request.url)) return answerError(20404);
    const { pathname, searchParams } = new URL(request.url);
    const root = `/2010-04-01/Accounts/${this.#settings.accountSid}`;
    const path = pathname.startsWith(root) ? pathname.slice(root.length) : '';
    for (const { method, pattern, answer } of this.#routes) {
      const match = method === request.method ? pattern.exec(path) : null;
      if (match === null) continue;
      const parameters = method === 'POST' ? new URLSearchParams(request.body) : searchParams;
      return answerOrError(answer, { path: pathname, parameters, names: match.slice(1) });
    }
    return answerError(20404);
  }
}

function answerOrError(answer: Route['answer'], request: RestRequest): HttpResponse {
  try {
    return answer(request);
  } catch (error) {
    if (error instanceof RestFault) return answerError(error.code);
    throw error;
  }
}
