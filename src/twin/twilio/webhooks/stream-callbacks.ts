/**
 * Owns: telling an application that a stream started, stopped or failed.
 * Does not own: how the callbacks travel (`postman.ts`).
 *
 * Source: Twilio, TwiML Stream, statusCallback; captured callbacks.
 */
import type { Random } from '../../random.ts';
import { type StreamErrorCode, streamErrorText } from '../notices.ts';
import type { Postman } from './postman.ts';
import type { WebhookMethod } from './webhook-client.ts';

export interface StreamSubscription {
  url: string;
  method: WebhookMethod;
}

export interface StreamNames {
  accountSid: string;
  callSid: string;
  streamSid: string;
  /** The attribute `name`, or the stream's SID. */
  streamName: string;
}

export type StreamReport =
  | { event: 'stream-started' }
  | { event: 'stream-stopped' }
  | { event: 'stream-error'; code: StreamErrorCode };

/** Twilio's stamps carry nanoseconds. */
const stampOf = (at: number, random: Random): string =>
  `${new Date(at).toISOString().slice(0, -1)}${String(Math.floor(random() * 1e6)).padStart(6, '0')}Z`;

export function postStreamReport(
  postman: Postman,
  subscription: StreamSubscription | null,
  names: StreamNames,
  report: StreamReport,
  stamp: { at: number; random: Random },
): void {
  if (subscription === null) return;
  postman.post({
    ...subscription,
    parameters: {
      AccountSid: names.accountSid,
      CallSid: names.callSid,
      StreamEvent: report.event,
      StreamName: names.streamName,
      StreamSid: names.streamSid,
      Timestamp: stampOf(stamp.at, stamp.random),
      ...(report.event === 'stream-error' && { StreamError: streamErrorText(report.code) }),
    },
  });
}
