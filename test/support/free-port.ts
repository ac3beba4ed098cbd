/**
 * Owns: finding ports for servers that a test, a drill or a measurement starts.
 *
 * They lie below those that the system gives to outgoing connections: whoever asks for a port on which nobody listens yet,
 * as a balancer does again and again, would be given it itself one day.
 */
import { createServer } from 'node:net';

const lowestPort = 20_000;
const usablePorts = 12_000;

/** By this process so far: a server may take its time until it listens. */
const given = new Set<number>();

export async function findPort(): Promise<number> {
  for (;;) {
    const port = lowestPort + Math.floor(Math.random() * usablePorts);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
