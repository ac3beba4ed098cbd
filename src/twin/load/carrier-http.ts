/**
 * Owns: the requests that the carrier makes of an application: signed forms, and the TwiML that is answered.
 * Does not own: what follows from it (`carrier-call.ts`).
 *
 * Source: Twilio, Webhooks Security; TwiML `<Connect><Stream>`.
 */
import { Agent, request } from 'node:http';
import { signRequest } from '../twilio/webhooks/signature.ts';
import { account } from './account.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const timeoutMs = 15_000;

/** Lets go of the connections that are kept for the next request. */
export const closeIdleConnections = (): void => agent.destroy();

export interface StreamOrder {
  url: string;
  parameters: Record<string, string>;
  /** What is asked when the stream has ended; null: the call ends with it. */
  action: string | null;
}

const unescapeXml = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');

const attribute = (element: string, name: string): string | null => {
  const [, value] = new RegExp(`\\b${name}="([^"]*)"`).exec(element) ?? [];
  return value === undefined ? null : unescapeXml(value);
};

/** Null where the document orders no stream. */
export function streamOrderOf(twiml: string): StreamOrder | null {
  const url = attribute(/<Stream\b[^>]*>/.exec(twiml)?.[0] ?? '', 'url');
  if (url === null) return null;
  const parameters: Record<string, string> = {};
  for (const [element] of twiml.matchAll(/<Parameter\b[^>]*>/g)) {
    parameters[attribute(element, 'name') ?? ''] = attribute(element, 'value') ?? '';
  }
  const action = attribute(/<Connect\b[^>]*>/.exec(twiml)?.[0] ?? '', 'action');
  return { url, parameters, action };
}

/** @throws Error with the status, or why there was no answer */
export function postForm(address: string, fields: Record<string, string>): Promise<string> {
  const url = address.split('#')[0] ?? address;
  const body = new URLSearchParams(fields).toString();
  const asked = request(url, {
    agent,
    method: 'POST',
    timeout: timeoutMs,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      'x-twilio-signature': signRequest(account.authToken, url, Object.entries(fields)),
    },
  });
  return new Promise((resolve, reject) => {
    asked.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        if ((response.statusCode ?? 0) < 300) resolve(Buffer.concat(parts).toString());
        else reject(new Error(`webhook ${response.statusCode}`));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('webhook timeout')));
    asked.on('error', reject);
    asked.end(body);
  });
}

/** The upgrade's signature is made over the address as TwiML has it. */
export const upgradeHeaders = (url: string): Record<string, string> => ({
  'user-agent': 'Twilio.TmeWs/1.0',
  'x-twilio-signature': signRequest(account.authToken, url),
});
