/**
 * Owns: the OpenAI Realtime service behind the `Model` port: where it is, how it is addressed, whether it lets us in.
 * Does not own: a session (`session.ts`).
 *
 * Source: OpenAI Realtime, connecting with a WebSocket.
 *
 * Invariants:
 * O1. The key is in the request's header and nowhere else: no error, cause or count holds it.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import { FixCallError, GiveUpError, RetryError } from '../../runtime/ports/errors.ts';
import type { Model, ModelRequest } from '../../runtime/ports/model.ts';
import type { OpenSocket } from '../../runtime/ports/socket.ts';
import { type Access, Connection } from './connection.ts';
import { defaultLimits, type OpenAiLimits } from './limits.ts';
import type { CountOddity } from './oddity.ts';
import type { Closing } from './refusals.ts';
import { OpenAiSession } from './session.ts';

export interface OpenAiModelOptions {
  /** As `wss://api.openai.com/v1/realtime`, without the model. */
  url: string;
  model: string;
  apiKey: string;
  clock: Clock;
  /** 0 (included) to 1 (excluded). */
  random: () => number;
  openSocket: OpenSocket;
  /** What differs from `defaultLimits`. */
  limits?: Partial<OpenAiLimits>;
  /** Told of everything that went wrong in a session that goes on. */
  count?: CountOddity;
}

/** @throws FixCallError `configuration.invalid` where the address is none */
export function createOpenAiModel(options: OpenAiModelOptions): Model {
  const access: Access = {
    url: addressOf(options),
    headers: { Authorization: `Bearer ${options.apiKey}` },
    clock: options.clock,
    random: options.random,
    // A probe ends before a ping could tell anything.
    pingEveryMs: null,
    openSocket: options.openSocket,
    limits: { ...defaultLimits, ...options.limits },
    count: options.count ?? (() => undefined),
    updates: { areConfirmed: false },
  };
  return {
    open(request, listener) {
      const session = new OpenAiSession(accessFor(request, access), request, listener);
      session.open();
      return session;
    },
    probe: () => probe(access),
  };
}

function addressOf({ url, model }: OpenAiModelOptions): string {
  if (!URL.canParse(url))
    throw new FixCallError('configuration.invalid', 'the address of the model is not a URL');
  const address = new URL(url);
  address.searchParams.set('model', model);
  return address.href;
}

function accessFor({ pingEveryMs, safetyIdentifier }: ModelRequest, access: Access): Access {
  const headers = { ...access.headers };
  if (safetyIdentifier !== undefined) headers['OpenAI-Safety-Identifier'] = safetyIdentifier;
  return { ...access, pingEveryMs, headers };
}

/** @throws GiveUpError, RetryError `configuration.invalid`, with the cause as its text */
function probe(access: Access): Promise<number> {
  const startedAt = access.clock.monotonic();
  return new Promise((resolve, reject) => {
    const connection = new Connection(access, {
      onEvent: (event) => {
        if (event.type !== 'session.created') return;
        resolve(access.clock.monotonic() - startedAt);
        connection.close();
      },
      onUnreadable: () => undefined,
      // Comes to nothing where the promise is resolved already.
      onEnded: (closing) => reject(errorOf(closing)),
    });
    connection.open();
  });
}

function errorOf({ cause, reaction }: Closing): GiveUpError | RetryError {
  const detail = `the model did not let us in: ${cause}`;
  return reaction === 'giveUp'
    ? new GiveUpError('configuration.invalid', detail)
    : new RetryError('configuration.invalid', detail);
}
