/**
 * Owns: the request that opens a media stream's socket, and what is wrong with a URL for one.
 * Does not own: the socket, the messages (`media-stream.ts`).
 *
 * Source: Twilio, TwiML Stream, url; captured upgrade requests; Error Dictionary 31901 to 31923, 31941.
 */
import type { SocketRefusal, SocketRequest } from '../../../runtime/ports/socket.ts';
import type { StreamErrorCode } from '../notices.ts';
import type { TwinSettings } from '../settings.ts';
import { signRequest } from '../webhooks/signature.ts';

export type Upgrade = { request: SocketRequest } | { code: StreamErrorCode };

/** Twilio documents no limit of its own: five seconds are as long as its webhooks wait for a connection. */
const handshakeTimeoutMs = 5_000;
/** Twilio documents no limit: ten minutes of audio in one message are more than it would play. */
const maxMessageBytes = 16 * 1_024 * 1_024;

/**
 * @param url as TwiML has it
 * @param base URL of the TwiML, for a relative one; null without one
 */
export function prepareUpgrade(url: string, base: string | null, settings: TwinSettings): Upgrade {
  const absolute = resolveStreamUrl(url, base);
  if (absolute === null) return { code: 31923 };
  const { protocol, search } = new URL(absolute);
  if (protocol !== 'wss:' && !(protocol === 'ws:' && settings.allowInsecureStreams)) return { code: 31922 };
  if (search !== '' && settings.streamQuery === 'refuse') return { code: 31920 };
  const requested = absolute.split(/[?#]/)[0] ?? absolute;
  return {
    request: {
      url: requested,
      headers: {
        'user-agent': 'Twilio.TmeWs/1.0',
        'x-twilio-signature': signRequest(settings.authToken, requested),
      },
      handshakeTimeoutMs,
      maxMessageBytes,
    },
  };
}

/** An absolute URL stays as it is written: that is what is signed. */
function resolveStreamUrl(url: string, base: string | null): string | null {
  if (URL.canParse(url)) return url;
  const streamBase = base?.replace(/^http/, 'ws') ?? null;
  return streamBase !== null && url !== '' && URL.canParse(url, streamBase)
    ? new URL(url, streamBase).href
    : null;
}

/** What Twilio reports for a socket that did not open. */
export function refusalCode({ kind, detail }: SocketRefusal): StreamErrorCode {
  if (kind === 'http') return 31920;
  if (kind === 'timeout') return 31901;
  if (/ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN/.test(detail)) return 31904;
  if (/SSL|TLS|certificate|wrong version number/i.test(detail)) return 31910;
  return 31902;
}
