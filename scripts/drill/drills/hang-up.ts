/**
 * Owns: the drill in which callers hang up while something else goes wrong: nobody is called back.
 * Does not own: carrying it out (`../run.ts`).
 */
import type { CallFaults } from '../../../src/twin/twilio/faults.ts';
import type { CallEvidence } from '../evidence.ts';
import type { Plan } from '../plan.ts';

const killAtMs = 8_000;
const staggerMs = 3_000;

function faultsFor(caller: number, afterMs: number): CallFaults {
  if (caller % 3 === 0) return { streams: [{ fault: 'reset', afterMs }] };
  if (caller % 3 === 1) return { streams: [{ fault: 'closeFrame', afterMs }] };
  return {};
}

/**
 * Twilio reports the end of a call without saying who ended it. While no stream is open, a caller who hangs up cannot be
 * told from Twilio ending the call because its stream was lost.
 */
function mayHaveEndedWith({ events }: CallEvidence): readonly string[] {
  const endedAt = events.find(({ event }) => event === 'callEnded')?.at ?? 0;
  const before = events.filter(({ event, at }) => at < endedAt && event.startsWith('stream'));
  const isOpen = before.at(-1)?.event === 'streamStarted';
  return isOpen ? ['caller.hungUp'] : ['caller.hungUp', 'stream.lost'];
}

/** A call that its caller left before Twilio could bring it back; never one that somebody revived. */
function revived(results: readonly CallEvidence[]): string[] {
  const back = results.filter(({ events }) => {
    const ended = events.find(({ event }) => event === 'callEnded');
    return ended && events.some((event) => event.event === 'streamOpening' && event.at > ended.at);
  });
  return back.length > 0 ? [`nobody is called back: ${back.map(({ callId }) => callId).join(', ')}`] : [];
}

export const callerHangupRace: Plan = {
  name: 'caller-hangup-race',
  underEachPolicy: false,
  instances: ['one', 'two'],
  staggerMs,
  callPlan: (caller, random) => {
    const afterMs = 3_000 + random() * 6_000;
    return { faults: faultsFor(caller, afterMs), hangUpAfterMs: afterMs + random() * 2_500 - 200 };
  },
  mayEndWith: mayHaveEndedWith,
  act: async (scene) => {
    await scene.until(killAtMs);
    scene.kill('one');
    await scene.until(killAtMs + 1_000);
    await scene.stage.start('three');
  },
  check: revived,
};
