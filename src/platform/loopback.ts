/**
 * Owns: which host names mean this machine and no other.
 * Does not own: what is allowed there (`src/config`, `src/adapters/http`).
 */
import { isIPv4 } from 'node:net';

/**
 * 127.0.0.0/8 (RFC 1122 section 3.2.1.3), also as an IPv4 address mapped into IPv6; ::1 (RFC 4291 section 2.5.3), also in
 * the brackets that it has in a URL; and the name `localhost`.
 */
export function isLoopback(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:/, '');
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}
