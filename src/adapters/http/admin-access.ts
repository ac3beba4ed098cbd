/**
 * Owns: who may use the admin server.
 * Does not own: what it serves.
 *
 * Invariants:
 * D1. Off loopback the token is needed. On loopback it is needed by what came through a proxy or a tunnel, and by what
 *     was sent to a name that is not loopback, as a page in a browser could have it.
 * D2. What was sent to PUBLIC_URL is refused, with a token or without.
 * D3. Tokens are compared in constant time.
 * D4. A session stands for the token that it was begun with, and for nothing more: D1 and D2 hold for it as well.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../../platform/loopback.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { Sessions } from './sessions.ts';

export interface AdminAccessOptions {
  /** The address that the server is bound to. */
  host: string;
  /** Null or empty: nobody has one. */
  token: string | null;
  /** Null while it is not known yet. */
  publicUrl: () => string | null;
  /** Of the account that the process runs under: whoever comes directly on loopback. */
  localName: string;
  clock: Pick<Clock, 'now'>;
}

/** Whoever shows the token itself, as programs do, has no name. */
const bearerName = 'bearer of the token';

export type Verdict = 'admitted' | 'unauthorized' | 'forbidden';

/** Headers that proxies and tunnels add (RFC 7239; de-facto X-Forwarded-*; ngrok). */
const proxyHeader = /^(?:forwarded|via|x-forwarded-.+|x-real-ip|ngrok-.+|x-ngrok-.+|cf-connecting-ip)$/;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Of a `Host` header, with its port. Null where it is none. */
function hostOf(header: string | undefined): URL | null {
  return header === undefined || header === '' ? null : URL.parse(`http://${header}`);
}

export class AdminAccess {
  readonly #isLocal: boolean;
  readonly #expected: Buffer | null;
  readonly #publicUrl: () => string | null;
  readonly #localName: string;
  readonly #sessions: Sessions | null;

  constructor({ host, token, publicUrl, localName, clock }: AdminAccessOptions) {
    const hasToken = token !== null && token !== '';
    this.#isLocal = isLoopback(host);
    this.#expected = hasToken ? digest(`Bearer ${token}`) : null;
    this.#sessions = hasToken ? new Sessions(token, clock) : null;
    this.#publicUrl = publicUrl;
    this.#localName = localName;
  }

  judge(headers: IncomingHttpHeaders): Verdict {
    if (this.#cameByPublicUrl(headers)) return 'forbidden';
    if (!this.needsLogin(headers)) return 'admitted';
    if (this.#showsToken(headers.authorization)) return 'admitted';
    if (this.#sessionIn(headers) !== null) return 'admitted';
    return this.#isLocal ? 'forbidden' : 'unauthorized';
  }

  /** Whether it takes a token or a session to be let in (D1). */
  needsLogin(headers: IncomingHttpHeaders): boolean {
    return !this.#isLocal || !isDirect(headers);
  }

  /** Whether the login page is shown to whoever is not let in. */
  mayLogIn(headers: IncomingHttpHeaders): boolean {
    return this.#expected !== null && !this.#cameByPublicUrl(headers);
  }

  /** Of somebody who was let in. */
  nameOf(headers: IncomingHttpHeaders): string {
    if (!this.needsLogin(headers)) return this.#localName;
    return this.#sessionIn(headers) ?? bearerName;
  }

  isToken(token: string): boolean {
    return this.#showsToken(`Bearer ${token}`);
  }

  /** Value of a `Set-Cookie` header, for somebody who showed the token. @param secure the browser came by TLS */
  beginSession(name: string, secure: boolean): string {
    return this.#sessions?.begin(name, secure) ?? '';
  }

  #sessionIn(headers: IncomingHttpHeaders): string | null {
    return this.#sessions?.nameIn(headers) ?? null;
  }

  #cameByPublicUrl(headers: IncomingHttpHeaders): boolean {
    const publicUrl = this.#publicUrl();
    if (publicUrl === null) return false;
    const { host } = new URL(publicUrl);
    const forwarded = headers['x-forwarded-host'];
    return [headers.host, ...(typeof forwarded === 'string' ? forwarded.split(',') : [])].some(
      (name) => hostOf(name?.trim())?.host === host,
    );
  }

  #showsToken(authorization: string | undefined): boolean {
    return this.#expected !== null && timingSafeEqual(this.#expected, digest(authorization ?? ''));
  }
}

function isDirect(headers: IncomingHttpHeaders): boolean {
  const host = hostOf(headers.host);
  if (host === null || !isLoopback(host.hostname)) return false;
  return !Object.keys(headers).some((name) => proxyHeader.test(name));
}
