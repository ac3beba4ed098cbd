/** The way round the server framework leads to the same answers as the way through it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Signature } from '../../src/adapters/twilio/signature.ts';
import { Tally } from '../../src/adapters/twilio/tally.ts';
import { twilioWebhooks } from '../../src/adapters/twilio/webhooks.ts';
import type { CarrierDesk } from '../../src/runtime/ports/carrier.ts';
import { FixCallError, RetryError } from '../../src/runtime/ports/errors.ts';
import type { HttpRequest } from '../../src/twin/twilio/http/http-message.ts';
import { signRequest } from '../../src/twin/twilio/webhooks/signature.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { type Door, openBareDoor, openFrameworkDoor } from './door.ts';

const publicUrl = 'https://calls.example.com';
const authToken = 'offline-auth-token';
const [known, unknown, failing] = ['1', '2', '3'].map((digit) => `CA${digit.repeat(32)}`) as [
  string,
  string,
  string,
];

const desk: CarrierDesk = {
  answerCall: async ({ carrierCallId }) =>
    carrierCallId === failing
      ? Promise.reject(new RetryError('journal.unavailable', 'stalled'))
      : { do: 'connect', callId: carrierCallId, attempt: 1, token: 'token', pauseMs: 0 },
  continueCall: async (carrierCallId) =>
    carrierCallId === known
      ? { do: 'wait', pauseMs: 1_000 }
      : Promise.reject(new FixCallError('call.unknown', carrierCallId)),
  report: async (carrierCallId) =>
    carrierCallId === failing ? Promise.reject(new RetryError('journal.unavailable', 'stalled')) : undefined,
  admitStream: async () => null,
  isCutOff: () => false,
};

function requestOf(path: string, fields: Record<string, string>, signature?: string): HttpRequest {
  const url = `${publicUrl}${path}`;
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'i-twilio-idempotency-token': 'token',
      'x-twilio-signature': signature ?? signRequest(authToken, url, Object.entries(fields)),
    },
    body: new URLSearchParams(fields).toString(),
  };
}

const doors: Door[] = [];

beforeAll(async () => {
  for (const open of [openFrameworkDoor, openBareDoor]) {
    const clock = new VirtualClock();
    const routes = twilioWebhooks({
      desk,
      clock,
      tally: new Tally(clock, () => undefined),
      signature: new Signature(authToken, () => publicUrl),
      publicUrl: () => publicUrl,
      instance: 'one',
      fallbackUrl: null,
    });
    doors.push(await open(routes));
  }
});

afterAll(() => Promise.all(doors.map((door) => door.close())));

const stream = { StreamSid: `MZ${'4'.repeat(32)}`, StreamEvent: 'stream-error', StreamError: '31921' };

test.each([
  ['a call comes in', requestOf('/twilio/voice', { CallSid: known, From: '+1555', To: '+1666' })],
  ['the journal is away', requestOf('/twilio/voice', { CallSid: failing })],
  ['a call goes on', requestOf('/twilio/continue?waits=3', { CallSid: known })],
  ['nobody knows the call', requestOf('/twilio/continue', { CallSid: unknown })],
  ['the call is over', requestOf('/twilio/continue', { CallSid: known, CallStatus: 'completed' })],
  ['a status is reported', requestOf('/twilio/status', { CallSid: known, CallStatus: 'completed' })],
  ['a status cannot be kept', requestOf('/twilio/status', { CallSid: failing, CallStatus: 'completed' })],
  ['a stream failed', requestOf('/twilio/stream-status', { CallSid: known, ...stream })],
  ['a field is missing', requestOf('/twilio/voice', { From: '+1555' })],
  ['the signature is another’s', requestOf('/twilio/voice', { CallSid: known }, 'c2lnbmVk')],
  ['there is no such route', requestOf('/twilio/elsewhere', { CallSid: known })],
])('when %s', async (_, request) => {
  const [framework, bare] = await Promise.all(doors.map((door) => door.take(request)));
  expect(bare?.status).toBe(framework?.status);
  if (framework?.status === 404) return;
  expect(bare?.body).toBe(framework?.body);
  expect(bare?.headers['content-type']).toBe(framework?.headers['content-type']);
});
