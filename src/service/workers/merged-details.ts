/**
 * Owns: the details of a phase from several workers as one text: what they have in common once, and what differs one
 * after the other.
 */

/** Of more than this many different ones the rest is counted. */
const mostShown = 4;

/** `agent a, instance x-1` and `agent a, instance x-2` make `agent a, instance x-1 and x-2`. */
export function mergeDetails(details: readonly string[]): string {
  const different = [...new Set(details)];
  const parts = different.map((detail) => detail.split(', '));
  const [first = []] = parts;
  if (parts.some(({ length }) => length !== first.length)) return different.join('\n');
  return first.map((_, index) => mergeParts(parts.map((part) => part[index] ?? ''))).join(', ');
}

/** Words that all begin with stand once. */
function mergeParts(parts: readonly string[]): string {
  const different = [...new Set(parts)];
  const [first = '', second] = different;
  if (second === undefined) return first;
  const [word = ''] = /^\w+ /.exec(first) ?? [];
  const isCommon = different.every((part) => part.startsWith(word));
  return isCommon ? word + list(different.map((part) => part.slice(word.length))) : list(different);
}

function list(items: readonly string[]): string {
  const rest = items.length - mostShown;
  const shown = rest > 0 ? [...items.slice(0, mostShown), `${rest} more`] : items;
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
