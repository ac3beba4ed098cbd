/**
 * Owns: the token that a media stream must show: an HMAC over call id, attempt and expiry.
 * Does not own: whether it was spent (the log knows: `owner.claimed` with its attempt spends it).
 *
 * Invariants:
 * I10. A token that was not made with our key, or has expired, is no token.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface StreamToken {
  callId: string;
  attempt: number;
  /** Milliseconds since the Unix epoch. */
  expiresAt: number;
}

const sign = (key: string, body: string): string =>
  createHmac('sha256', key).update(`holdfast stream ${body}`).digest('base64url');

/** `callId.attempt.expiresAt.hmac`, the HMAC (RFC 2104, SHA-256) in base64url: 100 to 200 characters. */
export function mintStreamToken(key: string, { callId, attempt, expiresAt }: StreamToken): string {
  const body = `${callId}.${attempt}.${expiresAt}`;
  return `${body}.${sign(key, body)}`;
}

/** What the token says, or null where it is malformed, forged or expired at `now`. */
export function readStreamToken(key: string, token: string, now: number): StreamToken | null {
  const match = /^([^.]{1,200})\.(\d{1,6})\.(\d{1,16})\.([\w-]{43})$/.exec(token);
  if (!match) return null;
  const [, callId = '', attempt, expiresAt, mac = ''] = match;
  const expected = sign(key, `${callId}.${attempt}.${expiresAt}`);
  // As text: of its last character, base64url decodes only some bits.
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(mac))) return null;
  return Number(expiresAt) > now ? { callId, attempt: Number(attempt), expiresAt: Number(expiresAt) } : null;
}
