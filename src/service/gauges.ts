/**
 * Owns: the values of now that a scrape asks a process for: its calls by state, sockets, timers, the journal's queue.
 * Does not own: what is counted as it happens (`src/telemetry`).
 */
import type { CallState } from '../runtime/step.ts';
import type { Metrics } from '../telemetry/metrics/metrics.ts';
import type { Assembly } from './assembly.ts';
import type { Health } from './health/health.ts';

/** Before the parts of the process are there nothing lives. */
export function askGauges(
  metrics: Metrics,
  assembly: () => Assembly | undefined,
  health: () => Health | undefined,
): void {
  const calls = () => [...(assembly()?.registry.calls() ?? [])];
  const parts = () => [...(assembly()?.live.all() ?? [])].map(([, call]) => call);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  metrics.ask('callsLive', () => [[{}, assembly()?.registry.size ?? 0]]);
  metrics.ask('callsInState', () => countStates(calls().map(({ state }) => state)));
  metrics.ask('openTimers', () => [[{}, sum(calls().map(({ state }) => state.due.size))]]);
  metrics.ask('journalQueue', () => [[{}, sum(calls().map(({ queuedEntries }) => queuedEntries))]]);
  metrics.ask('journalStalled', () => [[{}, (assembly()?.registry.stalledMs ?? 0) / 1_000]]);
  metrics.ask('openSockets', () => [
    [{ peer: 'carrier' }, sum(parts().map(({ openLines }) => openLines))],
    [{ peer: 'model' }, sum(parts().map(({ openSessions }) => openSessions))],
  ]);
  const dependencies = () => [...(health()?.dependencies() ?? [])];
  metrics.ask('ready', () => [[{}, Number(health()?.isReady ?? false)]]);
  metrics.ask('admission', () => [[{}, Number(health()?.isAdmitting ?? false)]]);
  metrics.ask('capacityUsed', () => [[{}, health()?.capacity.usedRatio ?? 0]]);
  metrics.ask('budgetUsed', () =>
    (health()?.budgets.all() ?? []).map(({ name, usedRatio }) => [{ budget: name }, usedRatio ?? 0]),
  );
  metrics.ask('clockSkew', () => [[{}, (health()?.clockSkewMs ?? 0) / 1_000]]);
  metrics.ask('dependencyUp', () =>
    dependencies().map(({ name, isUp }) => [{ dependency: name }, Number(isUp)]),
  );
  metrics.ask('dependencySeconds', () =>
    dependencies().map(({ name, latencyMs }) => [{ dependency: name }, (latencyMs ?? Number.NaN) / 1_000]),
  );
  metrics.ask('playbackQueue', () => [
    [{}, Math.max(0, ...parts().map(({ bridge }) => bridge.quality().playbackQueueMs / 1_000))],
  ]);
}

type StateSample = readonly [labels: { region: string; state: string }, value: number];

function countStates(states: readonly CallState[]): StateSample[] {
  const counts = new Map<string, number>();
  for (const { snapshot } of states) {
    for (const place of placesOf(snapshot.value)) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return [...counts].map(([place, value]) => {
    const [region = '', state = ''] = place.split('/');
    return [{ region, state }, value];
  });
}

/** `region/state` for each region of a live call; `call/state` for one that is ending or over. */
function placesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [`call/${String(value)}`];
  const [[name, within] = ['', null]] = Object.entries(value);
  if (name !== 'live' || typeof within !== 'object' || within === null) return [`call/${nameOf(value)}`];
  return Object.entries(within).map(([region, state]) => `${region}/${nameOf(state)}`);
}

const nameOf = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([name, within]) => `${name}.${nameOf(within)}`)
        .join('+')
    : String(value);
