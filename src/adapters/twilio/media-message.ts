/**
 * Owns: the messages of a media stream, both ways (Twilio, Media Streams, WebSocket messages): reading and validating
 * what the carrier sends, writing what we send.
 * Does not own: what a message does (`media-stream.ts`).
 *
 * Invariants:
 * I10. Whatever the bytes are, reading gives a message or names the fault; it never throws.
 */
import { z } from 'zod';
import { parseJson } from './json.ts';

export interface MediaFrame {
  event: 'media';
  sequence: number;
  streamId: string;
  /** Milliseconds since the stream began, by the carrier's clock. */
  timestampMs: number;
  /** G.711 mu-law at 8 kHz, in memory that the next frame uses again. */
  audio: Uint8Array;
}

export interface StreamStarted {
  event: 'start';
  sequence: number;
  streamId: string;
  carrierCallId: string;
  token: string | null;
}

/** What may come once the stream has started. */
export type StreamMessage =
  | MediaFrame
  | { event: 'mark'; sequence: number; streamId: string; name: string }
  | { event: 'dtmf'; sequence: number; streamId: string; digit: string }
  | { event: 'stop'; sequence: number; streamId: string };

export type CarrierMessage = { event: 'connected' } | StreamStarted | StreamMessage;

/** Why a message was not taken in: not text, not JSON, no event that is known, or that event's fields are wrong. */
export type MessageFault = 'binary' | 'json' | 'event' | Exclude<CarrierMessage['event'], 'connected'>;

const sequenceNumber = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const streamSid = z.string().regex(/^MZ[0-9a-fA-F]{32}$/);
const common = { sequenceNumber, streamSid };

const startSchema = z
  .object({
    ...common,
    start: z.object({
      callSid: z.string().regex(/^CA[0-9a-fA-F]{32}$/),
      customParameters: z
        .object({ token: z.string().max(500).nullable().default(null) })
        .default({ token: null }),
      mediaFormat: z.object({
        encoding: z.literal('audio/x-mulaw'),
        sampleRate: z.literal(8_000),
        channels: z.literal(1),
      }),
    }),
  })
  .transform(
    ({ sequenceNumber: sequence, streamSid: streamId, start }): StreamStarted => ({
      event: 'start',
      sequence,
      streamId,
      carrierCallId: start.callSid,
      token: start.customParameters.token,
    }),
  );

const mediaSchema = z
  .object({
    ...common,
    media: z.object({
      track: z.literal('inbound'),
      timestamp: sequenceNumber,
      payload: z
        .string()
        .regex(/^[A-Za-z0-9+/]+={0,2}$/)
        .refine(isWholeBase64),
    }),
  })
  .transform(
    ({ sequenceNumber: sequence, streamSid: streamId, media }): MediaFrame => ({
      event: 'media',
      sequence,
      streamId,
      timestampMs: media.timestamp,
      audio: Buffer.from(media.payload, 'base64'),
    }),
  );

const markSchema = z
  .object({ ...common, mark: z.object({ name: z.string().max(200) }) })
  .transform(({ sequenceNumber: sequence, streamSid: streamId, mark: { name } }) => ({
    event: 'mark' as const,
    sequence,
    streamId,
    name,
  }));

const dtmfSchema = z
  .object({ ...common, dtmf: z.object({ digit: z.string().regex(/^[0-9*#A-D]$/) }) })
  .transform(({ sequenceNumber: sequence, streamSid: streamId, dtmf: { digit } }) => ({
    event: 'dtmf' as const,
    sequence,
    streamId,
    digit,
  }));

const stopSchema = z.object(common).transform(({ sequenceNumber: sequence, streamSid: streamId }) => ({
  event: 'stop' as const,
  sequence,
  streamId,
}));

const schemas = {
  start: startSchema,
  media: mediaSchema,
  mark: markSchema,
  dtmf: dtmfSchema,
  stop: stopSchema,
} as const;

const envelope = z.object({ event: z.enum(['connected', 'start', 'media', 'mark', 'dtmf', 'stop']) });

/**
 * The ordinary frame as it comes 50 times a second. Head, payload and tail cover the whole text and nothing in
 * it can be escaped, so a match proves the shape that `mediaSchema` asks for. Fields in another order are as right, and
 * take the long way.
 */
const frameHead =
  /^\{"event":"media","sequenceNumber":"(\d{1,15})","media":\{"track":"inbound","chunk":"\d{1,15}","timestamp":"(\d{1,15})","payload":"/;
const frameTail = /^"\},"streamSid":"(MZ[0-9a-fA-F]{32})"\}$/;
const frameTailCharacters = 52;

/** The ordinary echo of a mark, with a name that needs no escaping. */
const ordinaryMark =
  /^\{"event":"mark","sequenceNumber":"(\d{1,15})","streamSid":"(MZ[0-9a-fA-F]{32})","mark":\{"name":"([\w:.-]{0,200})"\}\}$/;

export function readMessage(data: string | Uint8Array): CarrierMessage | MessageFault {
  if (typeof data !== 'string') return 'binary';
  return readOrdinaryFrame(data) ?? readOrdinaryMark(data) ?? readAnyMessage(data);
}

function readOrdinaryFrame(text: string): MediaFrame | null {
  const head = frameHead.exec(text);
  if (head === null) return null;
  const tail = frameTail.exec(text.slice(-frameTailCharacters));
  if (tail === null) return null;
  const audio = decodeFrame(text.slice(head[0].length, -frameTailCharacters));
  if (audio === null) return null;
  const [, sequence, timestampMs] = head;
  const [, streamId = ''] = tail;
  return { event: 'media', sequence: Number(sequence), streamId, timestampMs: Number(timestampMs), audio };
}

/** The audio of the frame at hand: half a second at most, and as much of it as the last frame had. */
const frameMemory = Buffer.allocUnsafeSlow(4_000);
let frameAudio = frameMemory.subarray(0, 160);

/** Null where it is not plain base64, or more than a frame. */
function decodeFrame(payload: string): Uint8Array | null {
  const bytes = (payload.length / 4) * 3 - (payload.endsWith('==') ? 2 : payload.endsWith('=') ? 1 : 0);
  if (bytes <= 0 || bytes > frameMemory.length || !isPlain(payload)) return null;
  // What is no base64 is left out, and makes for fewer bytes.
  if (frameMemory.write(payload, 'base64') !== bytes) return null;
  if (bytes !== frameAudio.length) frameAudio = frameMemory.subarray(0, bytes);
  return frameAudio;
}

/** Without the letters of RFC 4648 section 5, which are decoded as well. */
const isPlain = (payload: string): boolean => !payload.includes('-') && !payload.includes('_');

function readOrdinaryMark(text: string): StreamMessage | null {
  const [, sequence, streamId, name] = ordinaryMark.exec(text) ?? [];
  if (streamId === undefined || name === undefined) return null;
  return { event: 'mark', sequence: Number(sequence), streamId, name };
}

function readAnyMessage(text: string): CarrierMessage | MessageFault {
  const message = parseJson(text);
  if (message === undefined) return 'json';
  const known = envelope.safeParse(message);
  if (!known.success) return 'event';
  const { event } = known.data;
  if (event === 'connected') return { event };
  const result = schemas[event].safeParse(message);
  return result.success ? result.data : event;
}

/** RFC 4648 section 4: whole groups of four characters. */
function isWholeBase64(payload: string): boolean {
  return payload.length % 4 === 0;
}

/** Writes what we send on one stream. `streamId` holds nothing that JSON would escape. */
export class MessageWriter {
  readonly #mediaHead: string;
  readonly #markHead: string;
  readonly clear: string;

  constructor(streamId: string) {
    this.#mediaHead = `{"event":"media","streamSid":"${streamId}","media":{"payload":"`;
    this.#markHead = `{"event":"mark","streamSid":"${streamId}","mark":{"name":`;
    this.clear = `{"event":"clear","streamSid":"${streamId}"}`;
  }

  media(audio: Buffer): string {
    return `${this.#mediaHead}${audio.toString('base64')}"}}`;
  }

  mark(name: string): string {
    return `${this.#markHead}${JSON.stringify(name)}}}`;
  }
}
