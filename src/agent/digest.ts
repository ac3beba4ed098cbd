/** Owns: the name under which plain JSON is stored once, whatever the order of its keys. */
import { createHash } from 'node:crypto';
import type { Json } from '../runtime/ports/journal.ts';

/** SHA-256 of the canonical form, 64 hexadecimal digits. */
export const digestOf = (value: Json): string => createHash('sha256').update(canonical(value)).digest('hex');

/** JSON without white space, keys in the order of their UTF-16 code units (as RFC 8785 section 3.2.3 sorts them). */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}
