/** Owns: stories as fast-check draws and shrinks them, over the places of a mix. */
import fc from 'fast-check';
import { type Mix, placed, placeOf } from './mix.ts';
import { readStory, type Story } from './story.ts';

/** Faults of a mix in any number up to `mostFaults`, each as the mix draws it. Fewer and earlier ones are simpler. */
export function arbitraryStory(
  mix: Mix,
  { calls, mostFaults }: { calls: number; mostFaults: number },
): fc.Arbitrary<Story> {
  const fault = fc.oneof(
    ...mix.faults.map(({ weight, value }) => ({ weight: Math.ceil(weight), arbitrary: filled(value) })),
  );
  return fc
    .record({
      seed: fc.nat({ max: 1_000_000 }),
      hosts: fc.constantFrom(...mix.hosts.map(({ value }) => value)),
      policy: fc.constantFrom(...mix.policies.map(({ value }) => value)),
      fallback: fc.constantFrom(...mix.fallbacks.map(({ value }) => value)),
      faults: fc.array(fault, { maxLength: mostFaults }),
    })
    .map(({ faults, ...rest }) =>
      readStory({ ...rest, calls, faults: faults.map((each) => placed(each, calls, rest.hosts)) }),
    );
}

/** The value with something in each of its places. */
function filled(value: unknown): fc.Arbitrary<unknown> {
  const place = placeOf(value);
  if (place !== null && 'range' in place) return fc.integer({ min: place.range.from, max: place.range.to });
  if (place !== null) return fc.oneof(...place.choices.map(filled));
  if (Array.isArray(value)) return fc.tuple(...value.map(filled));
  if (typeof value !== 'object' || value === null) return fc.constant(value);
  return fc.record(Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filled(each)])));
}
