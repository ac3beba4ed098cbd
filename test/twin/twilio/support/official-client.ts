/** Owns: the official package's REST client, pointed at a twin. */
import twilio from 'twilio';
import { accountSid, authToken } from './rig.ts';

type Client = ReturnType<typeof twilio>;

export function officialClient(twinUrl: string, token = authToken): Client {
  const inner = new twilio.RequestClient();
  const httpClient = {
    request: (options: Parameters<typeof inner.request>[0]) =>
      inner.request({ ...options, uri: options.uri.replace('https://api.twilio.com', twinUrl) }),
  };
  return twilio(accountSid, token, { httpClient: httpClient as typeof inner });
}
