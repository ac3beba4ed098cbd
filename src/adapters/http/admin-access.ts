/**
 * Owns: who may use the admin server.
 * Does not own: what it serves.
 *
 * Invariants:
 * D1. Off loopback the token is needed. On loopback it is needed by what came through a proxy or a tunnel, and by what
 *     was sent to a name that is not loopback, as a page in a browser could have it.
 * D2. What was sent to PUBLIC_URL is refused, with a token or without.
 * D3. Tokens are compared in constant time.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

export interface AdminAccessOptions {
  /** The address that the server is bound to. */
  host: string;
  /** Null or empty: nobody has one. */
  token: string | null;
  /** Null while it is not known yet. */
  publicUrl: () => string | null;
}

export type Verdict = 'admitted' | 'unauthorized' | 'forbidden';

/** Headers that proxies and tunnels add (RFC 7239; de-facto X-Forwarded-*; ngrok). */
const proxyHeader = /^(?:forwarded|via|x-forwarded-.+|x-real-ip|ngrok-.+|x-ngrok-.+|cf-connecting-ip)$/;

/** `127.0.0.0/8`, `::1` (also as an IPv4 one mapped) and `localhost`. */
export function isLoopback(hostname: string): boolean {
  const name = hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:/, '');
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Of a `Host` header, with its port. Null where it is none. */
function hostOf(header: string | undefined): URL | null {
  return header === undefined || header === '' ? null : URL.parse(`http://${header}`);
}

export class AdminAccess {
  readonly #isLocal: boolean;
  readonly #expected: Buffer | null;
  readonly #publicUrl: () => string | null;

  constructor({ host, token, publicUrl }: AdminAccessOptions) {
    this.#isLocal = isLoopback(host);
    this.#expected = token === null || token === '' ? null : digest(`Bearer ${token}`);
    this.#publicUrl = publicUrl;
  }

  judge(headers: IncomingHttpHeaders): Verdict {
    if (this.#cameByPublicUrl(headers)) return 'forbidden';
    if (this.#isLocal && isDirect(headers)) return 'admitted';
    if (this.#showsToken(headers.authorization)) return 'admitted';
    return this.#isLocal ? 'forbidden' : 'unauthorized';
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
