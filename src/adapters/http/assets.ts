/**
 * Owns: serving the page and what it is made of, and the headers that keep others out of it.
 * Does not own: the files (`src/console`).
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface Asset {
  contentType: string;
  body: string | Buffer;
  /** Its own Content-Security-Policy, where it is a page. */
  policy?: string;
}

/** `path` as the browser asks for it: `/`, `/console/page.js`. Null where there is no such file. */
export type FindAsset = (path: string) => Asset | null;

/** For everything that is no page. */
const closedPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Told with every answer, unless the answer says otherwise. */
const headers: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  // The Stately inspector, opened from the page, has to be able to say that it is there.
  'cross-origin-opener-policy': 'same-origin-allow-popups',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  'content-security-policy': closedPolicy,
};

export function setSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(headers);
  });
}

export async function assetRoutes(app: FastifyInstance, { asset }: { asset: FindAsset }): Promise<void> {
  const send = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const [path = '/'] = request.url.split('?');
    const found = asset(path);
    return found ? sendAsset(found, request, reply) : reply.code(404).send();
  };
  app.get('/', send);
  app.get('/console/*', send);
}

/** Asked for anew each time, and sent only where it has changed: an update shows at once. */
function sendAsset(
  { contentType, body, policy }: Asset,
  { headers: { 'if-none-match': known } }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const tag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  reply.headers({ 'cache-control': 'no-cache', etag: tag });
  if (policy !== undefined) reply.header('content-security-policy', policy);
  return known === tag ? reply.code(304).send() : reply.type(contentType).send(body);
}
