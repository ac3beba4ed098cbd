/**
 * Owns: `holdfast number point-here`: the number's calls come to this service from then on.
 * Does not own: the request to Twilio (`src/adapters/twilio/number.ts`).
 */
import { z } from 'zod';
import { TwilioApi } from '../adapters/twilio/api.ts';
import { type NumberRouting, TwilioNumber } from '../adapters/twilio/number.ts';
import type { Environment } from '../config/dotenv.ts';
import { type NumberConfiguration, readNumberConfiguration } from '../config/environment.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { RetryError } from '../runtime/ports/errors.ts';

const health = z.object({ publicUrl: z.string().nullable() });

/** A service that is well answers within milliseconds. */
const healthLimitMs = 3_000;

/** With a tunnel, only the running service knows where it is reached. */
async function findPublicUrl({ publicAddress, admin }: NumberConfiguration): Promise<string> {
  if (publicAddress.kind === 'url') return publicAddress.url;
  const place = `${admin.host.includes(':') ? `[${admin.host}]` : admin.host}:${admin.port}`;
  const { publicUrl } = await askHealth(`http://${place}/health`, admin.token).catch((error: unknown) => {
    throw new RetryError(
      'carrier.unavailable',
      `The tunnel's address is known to the running service only, and none answers at ${place}. Run npm start first, or set PUBLIC_URL.`,
      { cause: error },
    );
  });
  if (publicUrl !== null) return publicUrl;
  throw new RetryError(
    'carrier.unavailable',
    `The service at ${place} has no public address yet. Try again in a moment.`,
  );
}

async function askHealth(url: string, token: string | null): Promise<z.infer<typeof health>> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(healthLimitMs) });
  return health.parse(await answer.json());
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

/** @throws InvalidConfiguration; GiveUpError `carrier.refused`, RetryError `carrier.unavailable` */
export async function pointNumberHere(environment: Environment, clock: Clock): Promise<string> {
  const configuration = readNumberConfiguration(environment);
  const { twilio } = configuration;
  const publicUrl = await findPublicUrl(configuration);
  const number = new TwilioNumber(new TwilioApi(twilio, clock), twilio.phoneNumber);
  const before = await number.pointHere({ publicUrl, fallbackUrl: twilio.fallbackUrl });
  const after = await number.readRouting();
  return ['The number’s calls went to', ...describe(before), 'and now come to', ...describe(after)].join(
    '\n',
  );
}
