/**
 * Owns: what a rule is here, and how Prometheus is told of it.
 * Does not own: which rules there are, how they are tried out (`example.ts`, `trial.ts`).
 *
 * Invariants:
 * A1. Whoever an alert wakes is led on: it names a runbook, a board and the panel on it.
 */
import { type BoardName, uidOf } from '../board.ts';
import { jobName } from '../promql.ts';
import type { Yaml } from '../yaml.ts';
import type { AlertExample, RecordingExample } from './example.ts';

/** `page` wakes somebody, `warn` is for today, `notice` is for whoever looks. */
export type Severity = 'page' | 'warn' | 'notice';

export interface Alert {
  /** Of a group of the file, in capitals of camels. */
  name: string;
  severity: Severity;
  expr: string;
  /** For so long it must hold. */
  forMinutes: number;
  summary: string;
  description: string;
  /** `docs/runbooks/NAME.md` */
  runbook: string;
  panel: readonly [board: BoardName, id: number];
  example: AlertExample;
}

export interface Recording {
  /** `level:metric:operations` */
  name: string;
  expr: string;
  example: RecordingExample;
}

export interface RuleGroup {
  /** Names the file and the group. */
  name: string;
  recordings: readonly Recording[];
  alerts: readonly Alert[];
}

export const runbookPath = (runbook: string): string => `docs/runbooks/${runbook}.md`;

export const labelsOf = ({ severity }: Alert): Record<string, string> => ({ severity, service: jobName });

export const annotationsOf = ({ summary, description, runbook, panel }: Alert): Record<string, string> => ({
  summary,
  description,
  runbook_url: runbookPath(runbook),
  dashboard: uidOf(panel[0]),
  panel: String(panel[1]),
});

const alertRule = (alert: Alert): Yaml => ({
  alert: alert.name,
  expr: alert.expr,
  ...(alert.forMinutes > 0 ? { for: `${alert.forMinutes}m` } : {}),
  labels: labelsOf(alert),
  annotations: annotationsOf(alert),
});

export const ruleFile = ({ name, recordings, alerts }: RuleGroup): Yaml => ({
  groups: [
    {
      name: `${jobName}_${name}`,
      rules: [...recordings.map(({ name: record, expr }) => ({ record, expr })), ...alerts.map(alertRule)],
    },
  ],
});
