/**
 * Owns: how a start-up looks in a terminal: one line a phase, with its outcome, its time, and what to do; and what is
 * written down of a phase, and of a fault outside of phases and calls.
 */
import type { Phase, PhaseOutcome } from '../machines/service.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { InstanceLog } from './instance-log.ts';
import type { PhaseFact } from './phases.ts';

const names: Record<Phase, string> = {
  configuration: 'configuration',
  journal: 'journal',
  model: 'model reachable',
  http: 'HTTP',
  publicAddress: 'public address',
  webhooks: 'webhooks',
};

const marks = { passed: 'ok', failed: 'FAILED', pending: '…' };

/** `  journal          ok         12 ms  data/holdfast.db` */
export function formatPhase(phase: Phase, { outcome, detail, advice, tookMs }: PhaseOutcome): string {
  const took = `${Math.round(tookMs)} ms`.padStart(9);
  const [first = '', ...more] = detail.split('\n');
  const lines = [`  ${names[phase].padEnd(17)}${marks[outcome].padEnd(7)}${took}  ${first}`];
  for (const line of [...more, ...(advice ? [advice] : [])]) lines.push(line === '' ? '' : `    ${line}`);
  return lines.join('\n');
}

/** What came of a phase, to the log of the process and to that of the instance. */
export function tellPhase(
  { type, phase, detail }: PhaseFact,
  error: unknown,
  logger: Logger | undefined,
  instanceLog: Pick<InstanceLog, 'note'>,
): void {
  instanceLog.note(type, { phase, detail });
  if (type === 'phase.passed') return;
  const cause = logger?.isLevelEnabled('debug') ? { err: error } : {};
  logger?.warn({ category: 'service', phase, detail, ...cause }, 'a phase failed');
}

/** Never throws: whoever calls this may be the last handler there is. */
export function tellFault(error: unknown, logger: Logger | undefined): void {
  try {
    logger?.error({ category: 'service', err: error }, 'something failed outside of any call');
  } catch {
    // A line that cannot be written is no reason to end calls.
  }
}
