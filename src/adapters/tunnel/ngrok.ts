/**
 * Owns: a public address for a process that has none: an ngrok tunnel to the public port.
 * Does not own: what is served there. The admin port is never tunnelled.
 */
import { RetryError } from '../../runtime/ports/errors.ts';

export interface Tunnel {
  /** `https://…`, without a path. */
  url: string;
  close(): Promise<void>;
}

/** @throws RetryError `carrier.unavailable` */
export async function openTunnel(host: string, port: number, authToken: string): Promise<Tunnel> {
  // Loaded only here: the native library is 10 MB that most deployments never need.
  const { default: ngrok } = await import('@ngrok/ngrok');
  try {
    const listener = await ngrok.forward({ addr: `${host}:${port}`, authtoken: authToken });
    const url = listener.url();
    if (url === null) throw new Error('the tunnel has no address');
    return { url, close: () => listener.close() };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new RetryError(
      'carrier.unavailable',
      `the tunnel did not open: ${detail.replaceAll(authToken, '…')}`,
      {
        cause: error,
      },
    );
  }
}
