/**
 * Owns: the paths that the carrier calls, and their public addresses.
 * Does not own: what is answered there.
 */

export const routes = {
  voice: '/twilio/voice',
  continue: '/twilio/continue',
  fallback: '/twilio/fallback',
  dialed: '/twilio/dialed',
  status: '/twilio/status',
  streamStatus: '/twilio/stream-status',
  /** Followed by the name of the instance that answered the call. */
  media: '/twilio/media/',
} as const;

export type Route = (typeof routes)[keyof typeof routes];

/**
 * Connection overrides (Twilio, Webhooks, Connection overrides): connect within 1 s, answer within 4 s, two retries
 * after any failure. As a fragment they are neither sent nor signed.
 */
export const connectionOverrides = '#ct=1000&rt=4000&rc=2&rp=all';

/**
 * The same for a new call, whose agent may take longer. By itself Twilio repeats a request only where no connection was made:
 * one that was reset, as a listener does that closes in that moment, would go to the fallback.
 */
export const newCallOverrides = '#ct=1000&rt=10000&rc=2&rp=all';

/** The public URL as addresses begin with it: lower-case host, no default port, no slash at the end. */
export function normalizePublicUrl(publicUrl: string): string {
  const { origin, pathname } = new URL(publicUrl);
  return origin + pathname.replace(/\/+$/, '');
}

export const addressOf = (publicUrl: string, route: Route): string => normalizePublicUrl(publicUrl) + route;

/** The same address for a WebSocket: `wss:` for `https:`, `ws:` for `http:`. */
export const socketAddressOf = (publicUrl: string, path: string): string =>
  normalizePublicUrl(publicUrl).replace(/^http/, 'ws') + path;

/** Where the carrier opens the media stream of a call that `instance` answered. */
export const streamAddressOf = (publicUrl: string, instance: string): string =>
  socketAddressOf(publicUrl, routes.media + encodeURIComponent(instance));

/** The instance that a media stream's path names; null where it is no such path. */
export function instanceIn(path: string): string | null {
  if (!path.startsWith(routes.media)) return null;
  try {
    return decodeURIComponent(path.slice(routes.media.length));
  } catch {
    return null;
  }
}
