/**
 * Owns: the shape of an HTTP message as the twin sends and takes it, whatever carries it.
 * Does not own: sockets (`http-exchange.ts`, `http-listener.ts`), what the messages mean.
 */

export interface HttpRequest {
  method: string;
  /** Absolute, with its query, without a fragment. */
  url: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface HttpResponse {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface ExchangeLimits {
  /** How long the connection, TLS included, may take; after that the exchange rejects with `ConnectFailure`. */
  connectTimeoutMs: number;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** No connection was made, so that the far side cannot have seen anything of the request. */
export class ConnectFailure extends Error {}

/** Sends a request. Rejects with `ConnectFailure`, or with any other error when the answer did not come. */
export type Exchange = (request: HttpRequest, limits: ExchangeLimits) => Promise<HttpResponse>;
