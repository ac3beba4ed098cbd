/**
 * Owns: `holdfast number point-here`: the number's calls come to this service from then on.
 * Does not own: the request to Twilio (`src/adapters/twilio/number.ts`).
 */
import { z } from 'zod';
import { TwilioApi } from '../adapters/twilio/api.ts';
import { type NumberRouting, TwilioNumber } from '../adapters/twilio/number.ts';
import type { Environment } from '../config/dotenv.ts';
import { type NumberConfiguration, readNumberConfiguration } from '../config/environment.ts';
import { systemClock } from '../platform/clock.ts';
import { RetryError } from '../runtime/ports/errors.ts';

const health = z.object({ publicUrl: z.string() });

/** With a tunnel, only the running service knows where it is reached. */
async function findPublicUrl({ publicAddress, admin }: NumberConfiguration): Promise<string> {
  if (publicAddress.kind === 'url') return publicAddress.url;
  const headers: Record<string, string> =
    admin.token === null ? {} : { authorization: `Bearer ${admin.token}` };
  try {
    const answer = await fetch(`http://${admin.host}:${admin.port}/health`, { headers });
    return health.parse(await answer.json()).publicUrl;
  } catch (error) {
    throw new RetryError(
      'carrier.unavailable',
      `The tunnel's address is known to the running service only, and none answers at ${admin.host}:${admin.port}. Run npm start first, or set PUBLIC_URL.`,
      { cause: error },
    );
  }
}

function describe({ voice, fallback, status, applicationSid, trunkSid }: NumberRouting): string[] {
  const show = ({ url, method }: { url: string; method: string }): string =>
    url === '' ? '(nothing)' : `${method} ${url}`;
  return [
    `  voice     ${show(voice)}`,
    `  fallback  ${show(fallback)}`,
    `  status    ${show(status)}`,
    ...(applicationSid === '' ? [] : [`  application ${applicationSid} (taken off)`]),
    ...(trunkSid === '' ? [] : [`  trunk ${trunkSid} (taken off)`]),
  ];
}

export async function pointNumberHere(environment: Environment): Promise<string> {
  const configuration = readNumberConfiguration(environment);
  const { twilio } = configuration;
  const publicUrl = await findPublicUrl(configuration);
  const number = new TwilioNumber(new TwilioApi(twilio, systemClock), twilio.phoneNumber);
  const before = await number.pointHere({ publicUrl, fallbackUrl: twilio.fallbackUrl });
  const after = await number.readRouting();
  return ['The number’s calls went to', ...describe(before), 'and now come to', ...describe(after)].join(
    '\n',
  );
}
