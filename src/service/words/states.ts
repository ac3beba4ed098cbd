/** Owns: how a chart's state value is written for a person: by the command line, and in the console. */

/** A region in such a state has nothing to tell. */
const idle: ReadonlySet<unknown> = new Set(['none', 'idle', 'filled', 'waiting']);

/** `live: carrier streaming, model ready`; `ending hangingUp`; `ended`. Regions in their initial, idle state are left out. */
export function formatState(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return 'unknown';
  return Object.entries(value)
    .map(([name, inner]) => {
      if (typeof inner === 'string') return `${name} ${inner}`;
      const regions = Object.entries(inner as object).filter(([, state]) => !idle.has(state));
      return `${name}: ${regions.map(([region, state]) => `${region} ${nameOf(state)}`).join(', ')}`;
    })
    .join('; ');
}

/** `streaming` for a state that is what it usually is, `streaming leaving` for one that is more. */
export function nameOf(state: unknown): string {
  if (typeof state !== 'object' || state === null) return String(state);
  const [name = '', inner] = Object.entries(state)[0] ?? [];
  return inner === 'steady' ? name : `${name} ${nameOf(inner)}`;
}
