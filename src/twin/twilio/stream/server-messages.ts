/**
 * Owns: reading what a server sends on a media stream, as strictly as Twilio does.
 * Does not own: what is done with it (`media-stream.ts`).
 *
 * Source: Twilio, Media Streams, WebSocket messages (to Twilio); Error Dictionary 31950, 31951.
 */
import { readBase64 } from '../../base64.ts';

export type ServerMessage =
  | { event: 'media'; audio: Buffer }
  | { event: 'mark'; name: string }
  | { event: 'clear' }
  | { event: 'refused'; code: 31950 | 31951; detail: string };

const refuse = (detail: string): ServerMessage => ({ event: 'refused', code: 31951, detail });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether the object has exactly these keys. */
const hasOnly = (value: Record<string, unknown>, ...keys: string[]): boolean =>
  Object.keys(value).length === keys.length && keys.every((key) => Object.hasOwn(value, key));

/** Any message gives a value: nothing that a server sends throws here. */
export function readServerMessage(data: string | Uint8Array, streamSid: string): ServerMessage {
  if (typeof data !== 'string') {
    return { event: 'refused', code: 31950, detail: `${data.length} bytes of binary` };
  }
  const message = parseJson(data);
  if (!isObject(message)) return refuse('not a JSON object');
  if (message.streamSid !== streamSid) return refuse('streamSid is missing or of another stream');
  switch (message.event) {
    case 'media':
      return readMedia(message);
    case 'mark':
      return readMark(message);
    case 'clear':
      return hasOnly(message, 'event', 'streamSid') ? { event: 'clear' } : refuse('clear has other fields');
    default:
      return refuse('unknown event');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readMedia(message: Record<string, unknown>): ServerMessage {
  const media = message.media;
  if (!isObject(media) || !hasOnly(message, 'event', 'streamSid', 'media')) {
    return refuse('media has missing or other fields');
  }
  const payload = media.payload;
  if (typeof payload !== 'string' || !hasOnly(media, 'payload')) {
    return refuse('media.media has missing or other fields');
  }
  const audio = readBase64(payload, false);
  return audio === null ? refuse('media.media.payload is not base64') : { event: 'media', audio };
}

function readMark(message: Record<string, unknown>): ServerMessage {
  const mark = message.mark;
  if (!isObject(mark) || !hasOnly(message, 'event', 'streamSid', 'mark')) {
    return refuse('mark has missing or other fields');
  }
  const name = mark.name;
  return typeof name === 'string' && hasOnly(mark, 'name')
    ? { event: 'mark', name }
    : refuse('mark.mark has missing or other fields');
}
