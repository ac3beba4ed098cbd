/**
 * Owns: how a number of calls is tried, and what is said of the search.
 * Does not own: the search (`find.ts`), a trial's round (`scripts/bench/round.ts`).
 *
 * Invariants:
 * FL1. Within is what was measured to be: audio that did not arrive, or of which nothing was timed, is beyond.
 */
import { replacesCalls, type Scenario } from '../../src/twin/load/caller-plan.ts';
import type { Figures } from '../../src/twin/load/measures.ts';
import { hasKeptUp } from '../bench/kept-up.ts';
import { measureRound, type Round } from '../bench/round.ts';
import { type SubjectName, titleOf } from '../bench/subject.ts';
import { type Found, findMostCalls, type Trial } from './find.ts';

const latencyLimitMs = 20;
const waits = { warmUpMs: 3_000, settleMs: 8_000, windowMs: 10_000 } as const;
export const mostTried = 2_000;
const generatorLateLimitMs = 10;

/**
 * Where calls are replaced: of its 6 s a call is away for its webhook and handshakes, some hundredths. With a tenth of the
 * calls away that takes over half a second, and who calls waits.
 */
const leastLiveShare = 0.9;

export function judge(calls: number, scenario: Scenario, round: Round): Trial {
  const { figures, liveCalls } = round;
  const leastLive = replacesCalls(scenario) ? leastLiveShare * calls : calls;
  const isWithin =
    liveCalls >= leastLive && hasKeptUp(round) && [figures.up, figures.down].every(isWithinLimit);
  return { calls, isWithin, isGeneratorLate: figures.generatorLate.p99 > generatorLateLimitMs };
}

/** FL1: the hundredth of nothing is 0. */
const isWithinLimit = ({ count, p99 }: Figures): boolean => count > 0 && p99 < latencyLimitMs;

export async function findLimit(
  subject: SubjectName,
  { calls, scenario }: { calls: number; scenario: Scenario },
): Promise<Found> {
  const found = await findMostCalls(calls, mostTried, async (number) => {
    const round = await measureRound(subject, { calls: number, scenario, ...waits });
    const trial = judge(number, scenario, round);
    console.error(tellTrial(trial, round));
    return trial;
  });
  const least = found.isLowerBound ? 'at least ' : '';
  console.log(
    `${titleOf(subject)}: ${least}${found.calls} calls with p99 added latency under ${latencyLimitMs} ms${found.isLowerBound ? ' (the generator gave out first)' : ''}`,
  );
  return found;
}

const tellTrial = ({ calls, isWithin }: Trial, { figures, cpuShare, generatorCpuShare }: Round): string =>
  `${String(calls).padStart(5)} calls: p99 up ${figures.up.p99.toFixed(1)} ms, down ${figures.down.p99.toFixed(1)} ms, ${(100 * cpuShare).toFixed(0)} % of a core, generator ${(100 * generatorCpuShare).toFixed(0)} %, late p99 ${figures.generatorLate.p99.toFixed(1)} ms: ${isWithin ? 'within' : 'beyond'}`;
