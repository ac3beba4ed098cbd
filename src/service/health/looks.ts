/**
 * Owns: how each dependency is looked at in a running process, and what a failed look says of it.
 * Does not own: when (`watcher.ts`, `paces.ts`), how far side and journal are asked (adapters).
 *
 * The model is looked at by a session that is opened and closed before anything is said: no token is spent. A plain
 * request for the list of models would save one handshake a minute at most and prove less: a key without access to the
 * model, an empty account or an outage of the Realtime service alone show only when a session is asked for, and mostly
 * in the session itself.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { TwilioApi } from '../../adapters/twilio/api.ts';
import { pointsTo, TwilioNumber } from '../../adapters/twilio/number.ts';
import type { Configuration } from '../../config/environment.ts';
import { HoldfastError } from '../../runtime/ports/errors.ts';
import type { InstanceRow, Instances } from '../../runtime/ports/journal.ts';
import type { Model } from '../../runtime/ports/model.ts';
import { clockToleranceMs } from '../presence.ts';
import { localPulse } from '../pulse.ts';
import { type Finding, LookFailed } from './dependency.ts';
import type { paces } from './paces.ts';
import { reach } from './reachability.ts';
import type { DependencyLook } from './watcher.ts';

/** Null where there is nothing to look at, for the reason given. */
export type Looks = Record<keyof typeof paces, DependencyLook | { nothing: string }>;

export interface LooksOptions {
  configuration: Pick<Configuration, 'instance' | 'openai' | 'twilio' | 'publicAddress'>;
  model: Pick<Model, 'probe'>;
  api: TwilioApi;
  journal: Pick<Instances, 'instances'>;
  /** Null while it is not known. */
  publicUrl(): string | null;
  clockSkewMs(): number;
}

export function createLooks(options: LooksOptions): Looks {
  const { configuration, model, api } = options;
  return {
    model: always(() => lookAtModel(configuration.openai, model)),
    carrierApi: always(() => lookAtApi(api)),
    webhooks: webhooksLook(options),
    publicAddress: publicAddressLook(options),
    cluster: always(() => lookAtCluster(options)),
  };
}

const always = (look: DependencyLook['look']): DependencyLook => ({ look, weigh: () => 'counts' });

async function lookAtModel({ model, realtimeUrl }: Configuration['openai'], port: Pick<Model, 'probe'>) {
  const tookMs = await port.probe();
  return { detail: `${model} at ${realtimeUrl}, session open in ${Math.round(tookMs)} ms` };
}

/** Of the resource by which calls are ended and their streams fetched back. */
async function lookAtApi(api: TwilioApi): Promise<Finding> {
  await api.get('/Calls.json', z.object({ calls: z.array(z.unknown()) }), { PageSize: '1' });
  return { detail: 'it answered a request with our credentials' };
}

function webhooksLook({ configuration, api, publicUrl }: LooksOptions): Looks['webhooks'] {
  const { phoneNumber } = configuration.twilio;
  if (phoneNumber === null) return { nothing: 'not checked: TWILIO_PHONE_NUMBER is not set' };
  const number = new TwilioNumber(api, phoneNumber);
  return {
    look: async () => {
      const url = publicUrl();
      if (url === null) throw new LookFailed('address.none', 'there is no public address yet');
      if (pointsTo(await number.readRouting(), url)) return { detail: 'the number’s calls come here' };
      throw new LookFailed('webhooks.elsewhere', 'the number’s voice URL or status URL points elsewhere');
    },
    // Where Twilio could not be asked, the number points where it pointed.
    weigh: (error) => (codeOf(error) === 'carrier.unavailable' ? 'inconclusive' : 'certain'),
  };
}

/**
 * Many a network does not let a host reach itself at its own public address: what was never reached from here is not
 * known to be down. A tunnel is reached from anywhere.
 */
function publicAddressLook({ configuration, publicUrl }: LooksOptions): Looks['publicAddress'] {
  const { publicAddress, twilio } = configuration;
  let wasReached = publicAddress.kind === 'tunnel';
  return {
    look: async (signal) => {
      const url = publicUrl();
      if (url === null) throw new LookFailed('address.none', 'there is no public address yet');
      await reach({ publicUrl: url, key: twilio.authToken, nonce: randomBytes(16).toString('hex'), signal });
      wasReached = true;
      return { detail: `${url} leads to this service` };
    },
    weigh: (error) => (wasReached || codeOf(error) === 'address.foreign' ? 'counts' : 'inconclusive'),
  };
}

async function lookAtCluster({ configuration, journal, clockSkewMs }: LooksOptions): Promise<Finding> {
  const rows = await journal.instances();
  const others = rows.filter(({ instance }) => instance !== configuration.instance);
  const skewMs = Math.round(clockSkewMs());
  const isSkewed = Math.abs(skewMs) > clockToleranceMs;
  const skew = isSkewed
    ? `this host’s clock is ${skewMs} ms from the journal’s: no call is adopted here; `
    : '';
  const company = others.length === 0 ? 'alone on this journal' : others.slice(0, 10).map(tell).join(', ');
  return { detail: skew + company, isDegraded: isSkewed || others.some(isSilent) };
}

/** A look comes too rarely to tell a pause of a second from more. */
const isSilent = ({ beatAgeMs }: InstanceRow): boolean => beatAgeMs > localPulse.silentAfterMs;

function tell(row: InstanceRow): string {
  if (isSilent(row)) return `${row.instance} has not beaten for ${Math.round(row.beatAgeMs / 1_000)} s`;
  return `${row.instance} is ${row.ready ? 'ready' : 'not ready'}`;
}

const codeOf = (error: unknown): string | null =>
  error instanceof HoldfastError || error instanceof LookFailed ? error.code : null;
