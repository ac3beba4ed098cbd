/** The places of the call chart and its timers, as a kind of state names them (`kinds.ts`). */
import type { AnyStateNode } from 'xstate';
import { callMachine } from '../../../src/machines/call/machine.ts';
import { nodesOf } from './configuration.ts';

/** Regions that no kind holds. */
export const observers: readonly string[] = ['silence'];

export interface Timer {
  id: string;
  /** Null: of the whole call. */
  region: string | null;
  place: string;
  /** It may elapse and leave its state where it was. */
  canVanish: boolean;
}

const root: AnyStateNode = callMachine.root;
export const leavesOf = (node: AnyStateNode): AnyStateNode[] =>
  nodesOf(node).filter(({ type }) => type === 'atomic' || type === 'final');

export const topPlaces = Object.values(root.states).flatMap((node) =>
  node.key === 'live' ? ['live'] : leavesOf(node).map(({ path }) => path.join('.')),
);

export const regionNodes = Object.values(root.states.live?.states ?? {}).filter(
  ({ key }) => !observers.includes(key),
);
export const regions: readonly string[] = regionNodes.map(({ key }) => key);

const placeOf = (node: AnyStateNode): string => node.path.slice(2).join('.');
export const regionPlaces = new Map(regionNodes.map((node) => [node.key, leavesOf(node).map(placeOf)]));

const alike: ReadonlySet<string> = new Set([
  'live.farewell.requested',
  'live.farewell.overtime',
  'live.media.restarting',
]);

/** All that kinds are in: `deciding` is left at once, two goodbyes are alike two others (`kinds.ts`). */
export const places: readonly string[] = [
  ...topPlaces.filter((top) => top !== 'live' && top !== 'ending.deciding'),
  ...[...regionPlaces]
    .flatMap(([region, inner]) => inner.map((place) => `live.${region}.${place}`))
    .filter((place) => !alike.has(place)),
];

/** Places that are left by themselves once something elsewhere allows it. */
export const restless = new Map(
  regionNodes
    .map((node): [string, string[]] => [
      node.key,
      nodesOf(node)
        .filter(({ always }) => (always?.length ?? 0) > 0)
        .map(placeOf),
    ])
    .filter(([, places]) => places.length > 0),
);

function timerOf(node: AnyStateNode, id: string): Timer {
  const [top, region] = node.path;
  const candidates = node.after.filter(({ eventType }) => eventType === id);
  const canVanish = candidates.some(({ target }) => !target) || candidates.at(-1)?.guard !== undefined;
  const isOfRegion = top === 'live' && region !== undefined;
  return {
    id,
    region: isOfRegion ? region : null,
    place: isOfRegion ? placeOf(node) : node.path.join('.'),
    canVanish,
  };
}

export const timers: readonly Timer[] = nodesOf(root)
  .flatMap((node) =>
    [...new Set(node.after.map(({ eventType }) => eventType))].map((id) => timerOf(node, id)),
  )
  .filter(({ region }) => region === null || !observers.includes(region));

export const isWithin = (place: string, outer: string): boolean =>
  place === outer || place.startsWith(`${outer}.`);
