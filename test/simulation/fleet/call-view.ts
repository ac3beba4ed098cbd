/**
 * Owns: the world as one call of a fleet sees it: its own sessions and streams alone, so that a call is judged without
 * regard to the size of the fleet, and the sounds of callers may be used again.
 * Does not own: the checks.
 */
import type { Journal } from '../../../src/runtime/ports/journal.ts';
import type { TwinCall } from '../../../src/twin/twilio/call/call.ts';
import type { SimulatedLog } from '../check-log.ts';
import type { SimulatedProcess } from '../process.ts';
import type { World } from '../world.ts';

export type CallView = World;

export interface Bearing {
  /** That nobody counts. */
  journal: Journal;
  /** Instances that wrote nothing more for a while, from when on, by the monotonic clock: what was heard then is in no log. */
  shadows: { instance: string; atMs: number }[];
}

const streamPattern = /"streamSid":"([^"]*)"/;

export function viewOf(world: World, call: TwinCall, log: SimulatedLog, bearing: Bearing): CallView {
  const sessionIds = new Set(
    [...log.steps.values()].flatMap((steps) =>
      steps.flatMap(({ entry }) => (entry.type === 'model.opened' ? [entry.sessionId] : [])),
    ),
  );
  const streamIds = new Set(
    call.events.flatMap((event) => (event.event === 'streamStarted' ? [event.streamSid] : [])),
  );
  const shadows = bearing.shadows.map(
    ({ instance, atMs }) => ({ instance, leftAt: atMs }) as SimulatedProcess,
  );
  return Object.create(world, {
    journal: { value: bearing.journal },
    openai: { value: { sessions: world.openai.sessions.filter(({ id }) => sessionIds.has(id)) } },
    arrivals: {
      value: world.arrivals.filter(({ text }) => streamIds.has(streamPattern.exec(text)?.[1] ?? '')),
    },
    processes: { value: [...world.processes, ...shadows] },
  }) as CallView;
}
