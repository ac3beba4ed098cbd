/**
 * Owns: a public address for a process that has none: an ngrok tunnel to the public port.
 * Does not own: what is served there. The admin port is never tunnelled.
 *
 * Invariants:
 * U1. A tunnel that opens after its time is closed again.
 * U2. No error holds the token.
 */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { RetryError } from '../../runtime/ports/errors.ts';

/** Longer than ngrok takes, shorter than an operator's patience. */
export const openLimitMs = 20_000;

export interface Tunnel {
  /** `https://…`, without a path. */
  url: string;
  close(): Promise<void>;
}

/** What this uses of ngrok's listener. */
interface Listener {
  url(): string | null;
  close(): Promise<void>;
}

type Forward = (options: { addr: string; authtoken: string }) => Promise<Listener>;

export interface TunnelOptions {
  host: string;
  port: number;
  authToken: string;
  clock: Clock;
  /** ngrok's own unless told. */
  forward?: Forward;
}

/** Loaded only here: the native library is 10 MB that most deployments never need. */
const forwardByNgrok: Forward = async (options) => (await import('@ngrok/ngrok')).default.forward(options);

/** @throws RetryError `carrier.unavailable` */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const { host, port, authToken, clock, forward = forwardByNgrok } = options;
  const opening = forward({ addr: `${host}:${port}`, authtoken: authToken });
  try {
    const listener = await withinLimit(clock, opening);
    const url = listener.url();
    if (url === null) throw new Error('it has no address');
    return { url, close: () => listener.close() };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const safe = `the tunnel did not open: ${detail.replaceAll(authToken, '…')}`;
    throw new RetryError('carrier.unavailable', safe);
  }
}

async function withinLimit(clock: Clock, opening: Promise<Listener>): Promise<Listener> {
  let timer: TimerHandle;
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => {
      opening.then((listener) => listener.close()).catch(() => undefined);
      reject(new Error(`ngrok has not answered for ${openLimitMs / 1_000} s`));
    }, openLimitMs);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clock.clearTimeout(timer);
  }
}
