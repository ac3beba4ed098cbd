/**
 * Owns: drawing stories from a mix: how likely what is, and between which bounds.
 * Does not own: what a fault is (`story.ts`).
 *
 * A mix as JSON (`test/faults/standard.json` is one):
 *
 *     {
 *       "about": "for whom reads it",
 *       "calls": 4,                                   calls of a story
 *       "hosts": [{ "weight": 1, "value": ["a", "a"] }],
 *       "policies": [{ "weight": 1, "value": "action" }],
 *       "fallbacks": [{ "weight": 1, "value": "hangUp" }],
 *       "counts": [{ "weight": 1, "value": 2 }],      how many faults a story has
 *       "faults": [{ "weight": 5, "value": { "on": "stream", "fault": "reset", "afterMs": { "from": 0, "to": 40000 } } }]
 *     }
 *
 * A weight is a share of the sum of its list. Within a fault `{ "from": a, "to": b }` stands for a whole number from a
 * to b, and `{ "oneOf": [..] }` for one of the values, which may again hold such places. What comes of it must be a
 * fault of a story. A `call` or `process` that the story does not have is taken round from the start.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Random, seededRandom } from '../../src/twin/random.ts';
import { readStory, type Story } from './story.ts';

const weighted = <Value extends z.ZodType>(value: Value) =>
  z.array(z.strictObject({ weight: z.number().positive(), value })).min(1);

const mixSchema = z.strictObject({
  about: z.string(),
  calls: z.int().min(1),
  hosts: weighted(z.array(z.string())),
  policies: weighted(z.unknown()),
  fallbacks: weighted(z.enum(['hangUp', 'transfer'])),
  counts: weighted(z.int().min(0)),
  faults: weighted(z.record(z.string(), z.json())),
});
export type Mix = z.output<typeof mixSchema>;

/** @throws ZodError where the value is no mix */
export const readMix = (value: unknown): Mix => mixSchema.parse(value);

/** @throws ZodError, and what reading the file throws */
export const readMixFile = (path: string | URL): Mix => readMix(JSON.parse(readFileSync(path, 'utf8')));

export const standardMix: Mix = readMixFile(new URL('../faults/standard.json', import.meta.url));

/** The story that a seed makes of a mix: always the same. */
export function drawStory(mix: Mix, seed: number, calls = mix.calls): Story {
  const random = seededRandom(seed);
  const hosts = pick(mix.hosts, random);
  const policy = pick(mix.policies, random);
  const fallback = pick(mix.fallbacks, random);
  const count = pick(mix.counts, random);
  const faults = Array.from({ length: count }, () => fill(pick(mix.faults, random), random));
  return readStory({
    seed,
    hosts,
    policy,
    calls,
    fallback,
    faults: faults.map((fault) => placed(fault, calls, hosts)),
  });
}

/** A fault whose call and process there are. */
export function placed(fault: unknown, calls: number, hosts: readonly string[]): unknown {
  const { call, process, ...rest } = fault as { call?: number; process?: number | 'every' };
  return {
    ...rest,
    ...(call !== undefined && { call: call % calls }),
    ...(process !== undefined && { process: process === 'every' ? process : process % hosts.length }),
  };
}

function pick<Value>(list: readonly { weight: number; value: Value }[], random: Random): Value {
  let left = random() * list.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, value } of list) {
    left -= weight;
    if (left < 0) return value;
  }
  return (list.at(-1) as { value: Value }).value;
}

export type Place = { range: { from: number; to: number } } | { choices: readonly unknown[] } | null;

/** Whether the value stands for others. */
export function placeOf(value: unknown): Place {
  if (typeof value !== 'object' || value === null) return null;
  if ('from' in value && 'to' in value) return { range: value as { from: number; to: number } };
  return 'oneOf' in value ? { choices: (value as { oneOf: unknown[] }).oneOf } : null;
}

/** The value with something in each of its places. */
function fill(value: unknown, random: Random): unknown {
  const place = placeOf(value);
  if (place !== null && 'range' in place) {
    const { from, to } = place.range;
    return from + Math.floor(random() * (to - from + 1));
  }
  if (place !== null) return fill(place.choices[Math.floor(random() * place.choices.length)], random);
  if (Array.isArray(value)) return value.map((each) => fill(each, random));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fill(each, random)]));
}
