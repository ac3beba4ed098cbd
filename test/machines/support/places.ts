/** Where a call is in the chart, in words. */
import type { CallState } from '../../../src/runtime/step.ts';

const pathOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : Object.entries(value as object)
        .map(([name, inner]) => `${name}.${pathOf(inner)}`)
        .join();

/** The place of the whole call, and those of its regions. */
export function placesOf(value: CallState['snapshot']['value']): {
  top: string;
  regions: Record<string, string>;
} {
  if (typeof value === 'object' && 'live' in value) {
    const regions = Object.entries(value.live as object).map(([region, inner]) => [region, pathOf(inner)]);
    return { top: 'live', regions: Object.fromEntries(regions) };
  }
  return { top: pathOf(value), regions: {} };
}
