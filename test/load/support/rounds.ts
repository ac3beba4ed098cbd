/** Rounds with chosen figures. */
import type { Round } from '../../../scripts/bench/round.ts';
import type { SubjectName } from '../../../scripts/bench/subject.ts';
import { Measures } from '../../../src/twin/load/measures.ts';

export function roundWith(subject: SubjectName, figures: Partial<Round> = {}): Round {
  return {
    subject,
    cpuSeconds: 0.1,
    generatorCpuSeconds: 0.1,
    cpuShare: 0.5,
    generatorCpuShare: 0.5,
    busyShare: 0.5,
    waitShare: 0.01,
    generatorWaitShare: 0.01,
    keptUp: 1,
    rssBytesPerCall: 100_000,
    liveBytesPerCall: 50_000,
    liveCalls: 10,
    figures: new Measures().window(),
    counts: {},
    ...figures,
  };
}
