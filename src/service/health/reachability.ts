/**
 * Owns: whether the public address leads to this service: the question, the proof, and the answer's check.
 * Does not own: the route that answers (`src/adapters/http/public-server.ts`), when it is asked.
 *
 * Another service, a proxy's own page or a cached answer may well answer `/live` with 200. So the question carries a
 * nonce, and only a process with the same TWILIO_AUTH_TOKEN can answer it: any instance, as the balancer likes.
 *
 * Invariants:
 * I10. The proof of one nonce says nothing of the key, and is no token of a stream or signature of a webhook.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { proofHeader } from '../../adapters/http/public-server.ts';
import { normalizePublicUrl } from '../../adapters/twilio/addresses.ts';
import { LookFailed } from './dependency.ts';

/** HMAC (RFC 2104, SHA-256) of the nonce, base64url. */
export const proofOf = (key: string, nonce: string): string =>
  createHmac('sha256', key).update(`holdfast live ${nonce}`).digest('base64url');

export interface Question {
  publicUrl: string;
  key: string;
  nonce: string;
  signal: AbortSignal;
}

/** @throws LookFailed `address.unreached`, `address.foreign` */
export async function reach(question: Question): Promise<void> {
  const { key, nonce } = question;
  const answer = await ask(question);
  if (isSame(answer.headers.get(proofHeader) ?? '', proofOf(key, nonce))) return;
  throw new LookFailed(
    'address.foreign',
    `something answered ${answer.status} at the public address, and it is not this service`,
  );
}

async function ask({ publicUrl, nonce, signal }: Question): Promise<Response> {
  try {
    const answer = await fetch(`${normalizePublicUrl(publicUrl)}/live?nonce=${nonce}`, {
      redirect: 'manual',
      signal,
    });
    await answer.body?.cancel();
    return answer;
  } catch (error) {
    throw new LookFailed('address.unreached', `nothing answered at the public address: ${causeOf(error)}`);
  }
}

const isSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

/** The system's code: messages may name addresses. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null;
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  return typeof code === 'string' ? code : 'no connection';
}
