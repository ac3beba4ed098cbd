/**
 * Owns: who may connect: path, key, model; and the words of every refusal.
 * Does not own: carrying it out on a socket (`server.ts`, `memory-connection.ts`).
 *
 * The live service takes most connections that it refuses: it answers 101, sends an `error` event and closes.
 *
 * Source: OpenAI Realtime, WebSocket, connecting; refusals as public issue threads record them.
 */
import type { Socket } from '../../../runtime/ports/socket.ts';
import type { InBandReason } from '../faults.ts';
import type { ProtocolError } from '../protocol/protocol-errors.ts';

/** An upgrade request. Names of headers in lower case. */
export interface ConnectionRequest {
  url: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

export type Admission =
  | { kind: 'accepted'; model: string; isSideband: boolean }
  | { kind: 'refusedInBand'; reason: InBandReason }
  | { kind: 'refused'; status: number; retryAfterSeconds: number | null };

export const realtimePath = '/v1/realtime';

/** The subprotocol that is selected where a client offers any. */
export const realtimeProtocol = 'realtime';

const keyProtocolPrefix = 'openai-insecure-api-key.';

/** Of a sideband connection, which names a call instead of a model. */
const sidebandModel = 'gpt-realtime-2.1';

/** Whether the live service offers a model of this name. Previews of `gpt-4o` have been shut down. */
const isOffered = (model: string): boolean => /^gpt-(realtime|audio)(-|$)/.test(model);

/** Judges a request. `keys`: those that are accepted, or null for any. */
export function admit(request: ConnectionRequest, keys: readonly string[] | null): Admission {
  const { pathname, searchParams } = new URL(request.url, 'ws://twin');
  if (pathname !== realtimePath) return { kind: 'refused', status: 404, retryAfterSeconds: null };
  if (request.headers['openai-beta'] !== undefined) return refuseInBand('beta_api_shape_disabled');
  const key = keyOf(request);
  if (key === null || keys?.includes(key) === false) return refuseInBand('invalid_api_key');
  if (searchParams.has('call_id')) return { kind: 'accepted', model: sidebandModel, isSideband: true };
  if (searchParams.has('intent')) return refuseInBand('invalid_intent');
  const model = searchParams.get('model');
  if (model === null || model === '') return refuseInBand('missing_model');
  return isOffered(model) ? { kind: 'accepted', model, isSideband: false } : refuseInBand('model_not_found');
}

const refuseInBand = (reason: InBandReason): Admission => ({ kind: 'refusedInBand', reason });

function keyOf({ headers }: ConnectionRequest): string | null {
  const bearer = /^Bearer (\S+)$/i.exec(String(headers.authorization ?? ''))?.[1];
  const protocols = String(headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  const offered = protocols.find((protocol) => protocol.startsWith(keyProtocolPrefix));
  return bearer ?? offered?.slice(keyProtocolPrefix.length) ?? null;
}

interface InBandRefusal {
  code: number;
  type: ProtocolError['type'];
  message: string;
}

const inBandRefusals: Record<InBandReason, InBandRefusal> = {
  invalid_api_key: {
    code: 3000,
    type: 'invalid_request_error',
    message: 'Incorrect API key provided.',
  },
  beta_api_shape_disabled: {
    code: 4000,
    type: 'invalid_request_error',
    message: 'The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.',
  },
  missing_model: {
    code: 4000,
    type: 'invalid_request_error',
    message: 'You must provide a model parameter.',
  },
  invalid_intent: {
    code: 4000,
    type: 'invalid_request_error',
    message: 'The intent is not supported.',
  },
  model_not_found: {
    code: 4004,
    type: 'invalid_request_error',
    message: 'The model does not exist or you do not have access to it.',
  },
  insufficient_quota: {
    code: 1013,
    type: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  },
};

/** Says why in an `error` event, then closes with the code of that reason. */
export function sendRefusal(socket: Socket, reason: InBandReason, eventId: string): void {
  const { code, type, message } = inBandRefusals[reason];
  const error = { type, code: reason, message, param: null, event_id: null };
  socket.send(JSON.stringify({ type: 'error', event_id: eventId, error }));
  socket.close(code, `${type}.${reason}`);
}

const refusalMessages: Readonly<Record<number, string>> = {
  401: 'You did not provide a valid API key.',
  403: 'You do not have access to this resource.',
  404: 'There is nothing here.',
  429: 'Too many requests. Please try again later.',
  503: 'The service is overloaded. Please try again later.',
};

/** The body of an HTTP refusal. */
export const refusalBody = (status: number): string =>
  JSON.stringify({
    error: {
      message: refusalMessages[status] ?? 'The request was refused.',
      type: status < 500 ? 'invalid_request_error' : 'server_error',
      param: null,
      code: null,
    },
  });
