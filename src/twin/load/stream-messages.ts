/**
 * Owns: the messages of a media stream that come seldom, as the carrier sends them.
 * Does not own: media messages (`media-frames.ts`).
 *
 * Source: Twilio, Media Streams, WebSocket messages.
 */
import { account } from './account.ts';

export const connectedMessage = '{"event":"connected","protocol":"Call","version":"1.0.0"}';

export function startMessage(
  streamSid: string,
  callSid: string,
  customParameters: Record<string, string>,
): string {
  return JSON.stringify({
    event: 'start',
    sequenceNumber: '1',
    start: {
      accountSid: account.accountSid,
      streamSid,
      callSid,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 },
      customParameters,
    },
    streamSid,
  });
}

export const markMessage = (streamSid: string, sequence: number, name: string): string =>
  `{"event":"mark","sequenceNumber":"${sequence}","streamSid":"${streamSid}","mark":{"name":${JSON.stringify(name)}}}`;

export const stopMessage = (streamSid: string, callSid: string, sequence: number): string =>
  `{"event":"stop","sequenceNumber":"${sequence}","streamSid":"${streamSid}","stop":{"accountSid":"${account.accountSid}","callSid":"${callSid}"}}`;
