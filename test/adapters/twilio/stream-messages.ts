/** Owns: the messages of a media stream as the carrier writes them (Twilio, Media Streams, WebSocket messages). */

export const callSid = `CA${'0123456789abcdef'.repeat(2)}`;
export const streamSid = `MZ${'fedcba9876543210'.repeat(2)}`;

/** 20 ms of mu-law; `value` tells one frame from another. */
export const framePayload = (value = 0xff): string => Buffer.alloc(160, value).toString('base64');

export const connected = (): string =>
  JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' });

export const start = (customParameters: object = { token: 'good' }, overrides: object = {}): string =>
  JSON.stringify({
    event: 'start',
    sequenceNumber: '1',
    start: {
      accountSid: `AC${'0'.repeat(32)}`,
      streamSid,
      callSid,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 },
      customParameters,
      ...overrides,
    },
    streamSid,
  });

/** Frame `chunk` counts from 1; it is message number `chunk + 1` of the stream. */
export const media = (chunk: number, payload = framePayload(chunk % 256)): string =>
  JSON.stringify({
    event: 'media',
    sequenceNumber: String(chunk + 1),
    media: { track: 'inbound', chunk: String(chunk), timestamp: String(chunk * 20), payload },
    streamSid,
  });

export const mark = (name: string, sequence: number): string =>
  JSON.stringify({ event: 'mark', sequenceNumber: String(sequence), streamSid, mark: { name } });

export const dtmf = (digit: string, sequence: number): string =>
  JSON.stringify({
    event: 'dtmf',
    streamSid,
    sequenceNumber: String(sequence),
    dtmf: { track: 'inbound_track', digit },
  });

export const stop = (sequence: number): string =>
  JSON.stringify({
    event: 'stop',
    sequenceNumber: String(sequence),
    streamSid,
    stop: { accountSid: `AC${'0'.repeat(32)}`, callSid },
  });
