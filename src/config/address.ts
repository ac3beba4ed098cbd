/**
 * Owns: which addresses are accepted: hosts to listen on, ports, URLs to call and to be called at.
 * Does not own: listening, connecting.
 *
 * Invariants:
 * U1. A URL without encryption is accepted for loopback only (but for a collector of traces: `neighbourUrl`), judged by the
 *     host that the URL standard reads from it, never by its text; what is returned is what was judged.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopback } from '../platform/loopback.ts';

/** An IP address or a host name to listen on. */
export const host = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || /^[a-z0-9.-]{1,253}$/i.test(text),
    'must be an IP address or a host name',
  );

/** A TCP port; 0 lets the system choose a free one. */
export const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number from 0 to 65535')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be a port number from 0 to 65535');

interface UrlRule {
  /** The encrypted scheme and the one for loopback, with their colons. */
  schemes: readonly [secure: string, plain: string];
  /** What may follow the host. */
  parts: 'origin' | 'path' | 'query';
  /** The plain scheme is accepted for other hosts too. */
  plainAnywhere?: true;
}

function urlFault(url: URL, { schemes: [secure, plain], parts, plainAnywhere }: UrlRule): string | null {
  if (url.protocol !== secure && url.protocol !== plain) return `must begin with ${secure}//`;
  if (url.protocol === plain && !plainAnywhere && !isLoopback(url.hostname)) {
    return `must begin with ${secure}//: ${plain}// is accepted for localhost, 127.0.0.0/8 and [::1] only`;
  }
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password';
  if (url.hash !== '') return 'must not hold a fragment (#...)';
  if (parts !== 'query' && url.search !== '') return 'must not hold a query (?...)';
  if (parts === 'origin' && url.pathname !== '/') return 'must not hold a path: scheme, host and port only';
  return null;
}

/** The URL as the standard writes it, or what is wrong with it. */
function judge(text: string, rule: UrlRule): { href: string } | { fault: string } {
  const url = URL.parse(text);
  if (url === null) return { fault: `must be a URL that begins with ${rule.schemes[0]}//` };
  const fault = urlFault(url, rule);
  if (fault !== null) return { fault };
  return { href: rule.parts === 'query' ? url.href : url.href.replace(/\/+$/, '') };
}

const webUrl = (rule: UrlRule) =>
  z.string().transform((text, context) => {
    const judged = judge(text, rule);
    if ('href' in judged) return judged.href;
    context.addIssue({ code: 'custom', message: judged.fault });
    return z.NEVER;
  });

/** `https://host[:port]`, without a slash at the end. */
export const originUrl = webUrl({ schemes: ['https:', 'http:'], parts: 'origin' });

/** As `originUrl`, with a path. */
export const serviceUrl = webUrl({ schemes: ['https:', 'http:'], parts: 'path' });

/** As `serviceUrl`, of a service within one's own network, which is sent no personal data. */
export const neighbourUrl = webUrl({ schemes: ['https:', 'http:'], parts: 'path', plainAnywhere: true });

/** As `serviceUrl`, with a query; kept to the letter. */
export const documentUrl = webUrl({ schemes: ['https:', 'http:'], parts: 'query' });

/** `wss://host[:port][/path]`, without a slash at the end. */
export const socketUrl = webUrl({ schemes: ['wss:', 'ws:'], parts: 'path' });
