/** Owns: the carrier's webhooks on a fastify server without a socket, and the carrier that signs what it sends. */
import Fastify, { type FastifyInstance } from 'fastify';
import { getExpectedBodyHash, getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { Signature } from '../../../src/adapters/twilio/signature.ts';
import { Tally } from '../../../src/adapters/twilio/tally.ts';
import { twilioWebhooks, type WebhookOptions } from '../../../src/adapters/twilio/webhooks.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { RecordedDesk } from './recorded-desk.ts';
import { callSid } from './stream-messages.ts';

export const publicUrl = 'https://calls.example';
export const authToken = 'the token';

export type Form = Record<string, string | string[]>;

export const callForm: Form = {
  CallSid: callSid,
  AccountSid: `AC${'0'.repeat(32)}`,
  ApiVersion: '2010-04-01',
  From: '+15550001',
  To: '+15550002',
  CallStatus: 'ringing',
  Direction: 'inbound',
  FromCity: '  ',
};

export const encodeForm = (form: Form): string =>
  new URLSearchParams(
    Object.entries(form).flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
  ).toString();

export class WebhookStage {
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  readonly tally = new Tally(this.clock, (line) => this.lines.push(line));
  readonly desk = new RecordedDesk();
  readonly app: FastifyInstance = Fastify();

  constructor(options: Partial<WebhookOptions> = {}) {
    const { desk, clock, tally } = this;
    const signature = new Signature(authToken, () => publicUrl);
    const routes = twilioWebhooks({
      desk,
      clock,
      tally,
      signature,
      publicUrl: () => publicUrl,
      instance: 'a-1',
      fallbackUrl: null,
      ...options,
    });
    this.app.register(routes);
  }

  /** A form that the carrier signed. */
  post(path: string, form: Form = callForm, headers: Record<string, string> = {}) {
    const signature = getExpectedTwilioSignature(authToken, publicUrl + path, form);
    return this.send(path, encodeForm(form), { 'x-twilio-signature': signature, ...headers });
  }

  /** A JSON body that the carrier signed. */
  postJson(path: string, body: string) {
    const signedPath = `${path}?bodySHA256=${getExpectedBodyHash(body)}`;
    const signature = getExpectedTwilioSignature(authToken, publicUrl + signedPath, {});
    const headers = { 'x-twilio-signature': signature, 'content-type': 'application/json' };
    return this.send(signedPath, body, headers);
  }

  send(path: string, payload: string, headers: Record<string, string> = {}) {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.app.inject({ method: 'POST', url: path, headers: { ...type, ...headers }, payload });
  }

  /** Lets `delayMs` pass once somebody waits for it. */
  async pass(delayMs: number): Promise<void> {
    while (this.clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    await this.clock.advance(delayMs);
  }
}

export const never = (): Promise<never> => new Promise(() => undefined);
