/** Owns: how the command line writes a chart's state value. */

/** `live: carrier streaming, model ready`; `ending hangingUp`; `ended`. Regions in their initial, idle state are left out. */
export function formatState(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return 'unknown';
  return Object.entries(value)
    .map(([name, inner]) => {
      if (typeof inner === 'string') return `${name} ${inner}`;
      const regions = Object.entries(inner as object).filter(
        ([, state]) => state !== 'none' && state !== 'idle',
      );
      return `${name}: ${regions.map(([region, state]) => `${region} ${nameOf(state)}`).join(', ')}`;
    })
    .join('; ');
}

/** The chart's regions have no states within states; a later one's may. */
const nameOf = (state: unknown): string => (typeof state === 'string' ? state : JSON.stringify(state));
