/**
 * Owns: the health of a process as a page that a stranger can read.
 * Does not own: what is healthy (`health.ts`).
 */
import type { HealthReport } from '../../adapters/http/admin-server.ts';
import { type PhaseOutcome, phases } from '../../machines/service.ts';
import type { Json } from '../../runtime/ports/journal.ts';
import type { ServiceSnapshot } from '../../runtime/service-actor.ts';
import type { DeclineCause } from './admission.ts';
import type { BudgetState } from './budgets.ts';
import type { Dependency } from './dependency.ts';
import type { Health } from './health.ts';
import type { BudgetName } from './overload.ts';
import { watched } from './paces.ts';

/** What only the process knows. */
export interface ProcessFacts {
  snapshot: ServiceSnapshot;
  instance: string;
  publicUrl: string | null;
  liveCalls: number;
}

const becauseOf: Record<DeclineCause, string> = {
  starting: 'this process still starts',
  draining: 'this process is about to stop',
  journal: 'the journal does not answer',
  model: 'the model cannot be reached',
  full: 'as many calls are live here as are allowed',
  overloaded: 'more of them at once would hurt the live ones (budgets)',
  agent: 'the agent fails',
};

export function reportOf(health: Health, facts: ProcessFacts): HealthReport {
  const noAddress = facts.publicUrl === null ? ['There is no public address yet.'] : [];
  const complaints = [...noAddress, ...health.complaints()];
  const { refusal } = health;
  const calls = refusal === null ? 'New calls are taken.' : `New calls are declined: ${becauseOf[refusal]}.`;
  const { snapshot, instance, publicUrl, liveCalls } = facts;
  const { limit, usedRatio } = health.capacity;
  return {
    healthy: complaints.length === 0,
    summary: [complaints.length === 0 ? 'All is well.' : complaints.join(' '), calls].join(' '),
    ready: health.isReady,
    admitting: health.isAdmitting,
    declineCause: refusal,
    state: JSON.parse(JSON.stringify(snapshot.value)),
    instance,
    publicUrl,
    liveCalls,
    callsLimit: limit,
    capacityUsed: usedRatio === null ? null : Number(usedRatio.toFixed(2)),
    overloaded: health.budgets.isOverloaded,
    callsCeiling: health.budgets.callsCeiling,
    budgets: Object.fromEntries(health.budgets.all().map((budget) => [budget.name, tellBudget(budget)])),
    journalStalledMs: Math.round(health.journalStalledMs),
    clockSkewMs: health.clockSkewMs,
    dependencies: Object.fromEntries(
      health.all().map((dependency) => [dependency.name, tell(dependency, health)]),
    ),
    phases: Object.fromEntries(phases.map((phase) => [phase, tellPhase(snapshot.context.phases[phase])])),
  };
}

function tell(dependency: Dependency, health: Health): Json {
  const { name, state, since, detail, failures, latencyMs, lookedAt, lastError } = dependency;
  const { asks, proves, without } = watched[name];
  return {
    state,
    since: timeOf(since),
    found: detail,
    needed: asks !== 'nothing' && health.isWatched(name),
    latencyMs: latencyMs === null ? null : Math.round(latencyMs),
    lookedAt: lookedAt === null ? null : timeOf(lookedAt),
    failuresInARow: failures,
    lastError: lastError && { ...lastError, at: timeOf(lastError.at) },
    proves,
    without,
  };
}

/** What each is, and how many of its own unit make one of the page's. */
const budgetTexts: Record<BudgetName, { measures: string; unit: string; by: number }> = {
  audio: { measures: 'what this process adds to one piece of audio in a hundred', unit: 'ms', by: 1 },
  eventLoop: { measures: 'how late one timer in a hundred is', unit: 'ms', by: 1 },
  memory: { measures: 'memory of this process', unit: 'MB', by: 1e6 },
  quality: { measures: 'windows of 5 s of calls in which audio suffers here', unit: '%', by: 0.01 },
};

function tellBudget({ name, measured, limit, usedRatio, exceededSince }: BudgetState): Json {
  const { measures, unit, by } = budgetTexts[name];
  const told = (value: number | null): number | null =>
    value === null ? null : Number((value / by).toFixed(1));
  return {
    measures,
    unit,
    measured: told(measured),
    limit: told(limit),
    used: usedRatio === null ? null : Number(usedRatio.toFixed(2)),
    exceeded: exceededSince !== null,
    since: exceededSince === null ? null : timeOf(exceededSince),
  };
}

const tellPhase = ({ outcome, detail, advice, tookMs }: PhaseOutcome): Json => ({
  outcome,
  detail,
  advice,
  tookMs: Math.round(tookMs),
});

const timeOf = (at: number): string => new Date(at).toISOString();
