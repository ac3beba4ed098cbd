/** The balancers' configurations as they are shipped; ports, addresses and paths alone are those of the test. */
import { readText } from '../../rules/support/sources.ts';

export type BalancerName = 'nginx' | 'haproxy';

export const shippedFiles: Record<BalancerName, string> = {
  nginx: 'deploy/nginx.conf',
  haproxy: 'deploy/haproxy.cfg',
};

export interface Surroundings {
  folder: string;
  /** For plain HTTP. */
  port: number;
  tlsPort: number;
  /** Of the instances, in their order. */
  instancePorts: readonly number[];
}

/** @throws Error where the configuration does not have what is to be replaced */
export function shippedConfiguration(name: BalancerName, surroundings: Surroundings): string {
  let text = readText(shippedFiles[name]);
  for (const [shipped, ours] of replacementsFor(surroundings)[name]) {
    if (!text.includes(shipped)) throw new Error(`${shippedFiles[name]} does not have ${shipped}`);
    text = text.replaceAll(shipped, ours);
  }
  return text;
}

const replacementsFor = ({ folder, port, tlsPort, instancePorts }: Surroundings) => {
  const addresses = instancePorts.map(
    (instancePort, index) => [`10.0.0.1${index + 1}:8080`, `127.0.0.1:${instancePort}`] as const,
  );
  return {
    nginx: [
      ...addresses,
      ['listen 443 ssl', `listen 127.0.0.1:${tlsPort} ssl`],
      ['listen 127.0.0.1:8079', `listen 127.0.0.1:${port}`],
      ['/etc/holdfast/tls', folder],
      ['/run/nginx.pid', `${folder}/nginx.pid`],
      ['/var/log/nginx', folder],
    ],
    haproxy: [
      ...addresses,
      ['bind :443 ssl', `bind 127.0.0.1:${tlsPort} ssl`],
      ['bind 127.0.0.1:8079', `bind 127.0.0.1:${port}`],
      ['/etc/holdfast/tls/calls.example.com.pem', `${folder}/both.pem`],
      ['/run/haproxy/holdfast.sock', `${folder}/haproxy.sock`],
    ],
  } as const satisfies Record<BalancerName, readonly (readonly [string, string])[]>;
};
