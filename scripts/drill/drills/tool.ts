/**
 * Owns: the drill in which a process dies between a tool's intent and its outcome.
 * Does not own: the tools (`../agent.ts`), carrying it out (`../run.ts`).
 */

import { replies, toolOf, toolQuestion } from '../conversation.ts';
import type { CallEvidence } from '../evidence.ts';
import type { Plan } from '../plan.ts';

type Moment = 'done' | 'undone';

/** What the caller must be told of a tool whose process died, by whether it had been done. */
function mustBeUnknown(caller: number): boolean {
  return toolOf(caller) === 'pay';
}

/** Only a tool that must not be run twice, and cannot be asked, leaves its outcome unknown. */
function wronglyTold(results: readonly CallEvidence[]): string[] {
  const wrong = results.filter(({ caller, heard, struck }) => {
    if (struck.length === 0) return false;
    const told = mustBeUnknown(caller) ? replies.unknownOutcome : toolQuestion;
    return !heard.some(({ reply }) => reply === told);
  });
  return wrong.length > 0
    ? [`the outcome is told as the tool declares it: ${wrong.map(({ callId }) => callId).join(', ')}`]
    : [];
}

/** What was asked of a tool that may be repeated was done in the end. */
function neverDone(results: readonly CallEvidence[]): string[] {
  const left = results.filter(
    ({ caller, effects, isDone }) => isDone && !mustBeUnknown(caller) && !effects.some(({ done }) => done),
  );
  return left.length > 0
    ? [`no effect is owed for ever: ${left.map(({ callId }) => callId).join(', ')}`]
    : [];
}

/** Every first attempt is held until the process that made it is dead. */
export const toolCrash = (moment: Moment): Plan => ({
  name: `tool-crash ${moment}`,
  underEachPolicy: false,
  instances: ['one'],
  staggerMs: 1_500,
  gapLimitMs: 2_500,
  act: async (scene) => {
    const { effects } = scene.stage;
    const held = new Set<number>();
    effects.treat = ({ caller }) => {
      if (held.has(caller) || scene.absences.length > 0) return { delayMs: 300 };
      held.add(caller);
      return { hold: moment };
    };
    await scene.until(3_000);
    await scene.stage.start('two');
    const isReached = (): boolean =>
      scene.calls.every(({ caller, handle }) => held.has(caller) || handle.hasEnded);
    if (!(await scene.when(isReached, 25_000))) scene.complaints.push('not every call reached its tool');
    scene.kill('one');
  },
  check: (results) => [...wronglyTold(results), ...neverDone(results)],
});
