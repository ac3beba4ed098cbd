/**
 * Owns: what a REST request brings along, and the forms of an answer to it, errors and pages included.
 * Does not own: what it is about.
 *
 * Source: Twilio, REST API, errors and paging; Error Dictionary 20003 to 21220, 32018.
 */
import type { HttpResponse } from '../http/http-message.ts';

export interface RestRequest {
  /** Path without the query, as requested. */
  path: string;
  /** Of the body for POST, of the URL for GET. */
  parameters: URLSearchParams;
  /** What the route's pattern captured. */
  names: readonly string[];
}

const errors = {
  20003: [401, 'Authenticate'],
  20404: [404, 'The requested resource was not found'],
  20429: [429, 'Too Many Requests'],
  21205: [400, 'Url is not a valid URL'],
  21210: [400, 'From is not a verified phone number of this account'],
  21211: [400, 'The phone number you are attempting to call is not valid'],
  21220: [400, 'Call is not in-progress. Cannot redirect.'],
  32018: [400, 'Twiml size exceeded maximum allowed value of 4000 characters'],
} as const;

export type RestErrorCode = keyof typeof errors;

/** Made into an answer by the router. */
export class RestFault extends Error {
  readonly code: RestErrorCode;
  constructor(code: RestErrorCode) {
    super(errors[code][1]);
    this.code = code;
  }
}

export const answerJson = (status: number, value: unknown): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json;charset=utf-8' },
  body: JSON.stringify(value),
});

export function answerError(code: RestErrorCode): HttpResponse {
  const [status, message] = errors[code];
  const body = { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
  return answerJson(status, body);
}

const defaultPageSize = 50;
const largestPageSize = 1_000;

/** The page of the list that the request asks for by Page and PageSize. */
export function answerPage(request: RestRequest, key: string, resources: readonly unknown[]): HttpResponse {
  const { path, parameters } = request;
  const page = Math.max(0, Number(parameters.get('Page')) || 0);
  const wanted = Number(parameters.get('PageSize')) || defaultPageSize;
  const size = Math.min(Math.max(1, wanted), largestPageSize);
  const uriOf = (number: number): string => `${path}?PageSize=${size}&Page=${number}`;
  const start = page * size;
  return answerJson(200, {
    [key]: resources.slice(start, start + size),
    page,
    page_size: size,
    start,
    end: Math.max(start, Math.min(resources.length, start + size) - 1),
    uri: uriOf(page),
    first_page_uri: uriOf(0),
    next_page_uri: start + size < resources.length ? uriOf(page + 1) : null,
    previous_page_uri: page > 0 ? uriOf(page - 1) : null,
  });
}
