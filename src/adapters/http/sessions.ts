/**
 * Owns: what a browser shows instead of the token once somebody has logged in: a signed cookie with their name, for
 * twelve hours.
 * Does not own: who may log in (`login.ts`), what is open to whom (`admin-access.ts`).
 *
 * Invariants:
 * C1. A session ends with its time, and with the token that it came from: the key is derived from the token.
 * C2. Whoever does not have the token can neither make a session nor change one.
 */
import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { fastifyCookie } from '@fastify/cookie';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { longestOperatorName } from '../../machines/entries.ts';
import type { Clock } from '../../runtime/ports/clock.ts';

export const sessionMs = 12 * 60 * 60_000;
export const cookieName = 'holdfast_session';

/** What an operator calls themselves. */
export const operatorName = z.string().trim().min(1).max(longestOperatorName);

const content = z.object({ name: operatorName, expiresAt: z.number() });

/** The library reads and writes cookies only once it has been loaded by a server. */
export const loadCookies = async (app: FastifyInstance): Promise<void> => {
  await app.register(fastifyCookie, { hook: false });
};

const attributes = { path: '/', httpOnly: true, sameSite: 'strict' } as const;

export class Sessions {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #signer: ReturnType<typeof fastifyCookie.signerFactory>;

  constructor(token: string, clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#signer = fastifyCookie.signerFactory(
      createHmac('sha256', token).update('holdfast console session').digest('base64'),
    );
  }

  /** Value of a `Set-Cookie` header. @param secure the browser came by TLS */
  begin(name: string, secure: boolean): string {
    const expiresAt = this.#clock.now() + sessionMs;
    const value = Buffer.from(JSON.stringify({ name, expiresAt })).toString('base64url');
    const maxAge = sessionMs / 1_000;
    return fastifyCookie.serialize(cookieName, this.#signer.sign(value), { ...attributes, maxAge, secure });
  }

  /** Whose session the browser shows; null without one that holds. */
  nameIn({ cookie: header }: IncomingHttpHeaders): string | null {
    const shown = header === undefined ? undefined : fastifyCookie.parse(header)[cookieName];
    const { value } = this.#signer.unsign(shown ?? '');
    if (value === null) return null;
    const { success, data } = content.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString()));
    return success && data.expiresAt > this.#clock.now() ? data.name : null;
  }
}

/** Value of a `Set-Cookie` header by which the browser forgets its session. */
export const endOfSession = (): string =>
  fastifyCookie.serialize(cookieName, '', { ...attributes, maxAge: 0 });
