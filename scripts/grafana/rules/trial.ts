/**
 * Owns: the unit tests of rules as promtool runs them: each rule is quiet, fires and resolves on its example, and is
 * quiet (or fires) where there are no series at all.
 * Does not own: the examples (`example.ts`), running promtool (`test/grafana`).
 */
import { jobName } from '../promql.ts';
import type { Yaml } from '../yaml.ts';
import { type ExampleLabels, type Firing, phases, type Series } from './example.ts';
import { type Alert, annotationsOf, labelsOf, type Recording, type RuleGroup } from './rule.ts';

const instance = 'one';
const { quietMinutes, faultMinutes, afterMinutes } = phases;
const at = {
  quiet: `${quietMinutes - 1}m`,
  faultBegan: `${quietMinutes + 2}m`,
  fault: `${quietMinutes + faultMinutes - 1}m`,
  resolved: `${quietMinutes + faultMinutes + afterMinutes - 1}m`,
};

function selectorOf({ name, labels }: Series): string {
  const all: ExampleLabels = { job: jobName, instance, ...labels };
  const written = Object.entries(all).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${written.join(',')}}`;
}

const inputs = (series: readonly Series[]): Yaml =>
  series.map((each) => ({ series: selectorOf(each), values: each.values }));

/** A text of an alert as Prometheus fills it in. */
const filled = (text: string, labels: ExampleLabels, value: string): string =>
  text
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '')
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, value);

function expected(alert: Alert, { labels, value = '' }: Firing): Yaml {
  const all = { job: jobName, ...labels };
  const annotations = Object.entries(annotationsOf(alert)).map(([key, text]) => [
    key,
    filled(text, all, value),
  ]);
  return { exp_labels: { ...all, ...labelsOf(alert) }, exp_annotations: Object.fromEntries(annotations) };
}

const ask = (alert: Alert, evalTime: string, firing: readonly Firing[]): Yaml => ({
  eval_time: evalTime,
  alertname: alert.name,
  exp_alerts: firing.map((each) => expected(alert, each)),
});

function alertTrials(alert: Alert): Yaml[] {
  const { series, firing, inNewProcess } = alert.example;
  return [
    {
      name: `${alert.name} is quiet, fires and resolves`,
      interval: '1m',
      input_series: inputs(series),
      alert_rule_test: [ask(alert, at.quiet, []), ask(alert, at.fault, firing), ask(alert, at.resolved, [])],
    },
    ...(inNewProcess ? [newProcessTrial(alert, inNewProcess)] : []),
  ];
}

const nothingTrial = (alerts: readonly Alert[]): Yaml => ({
  name: 'all of them without any series',
  interval: '1m',
  input_series: [],
  alert_rule_test: alerts.map((alert) => ask(alert, at.quiet, alert.example.firesOnNothing ?? [])),
});

const newProcessTrial = (alert: Alert, series: readonly Series[]): Yaml => ({
  name: `${alert.name} in a new process`,
  interval: '1m',
  input_series: inputs(series),
  alert_rule_test: [
    ask(alert, at.quiet, []),
    ask(alert, at.faultBegan, alert.example.firing),
    ask(alert, at.resolved, []),
  ],
});

const recordingTrial = ({ name, example }: Recording): Yaml => ({
  name: `${name} in the fault`,
  interval: '1m',
  input_series: inputs(example.series),
  promql_expr_test: [
    {
      expr: `round(${name}, 0.001)`,
      eval_time: at.fault,
      exp_samples: [{ labels: `{job="${jobName}"}`, value: example.value }],
    },
    { expr: name, eval_time: '0m', exp_samples: [] },
  ],
});

export const trialFile = ({ name, recordings, alerts }: RuleGroup): Yaml => ({
  rule_files: [`../rules/${name}.yml`],
  evaluation_interval: '1m',
  tests: [...recordings.map(recordingTrial), ...alerts.flatMap(alertTrials), nothingTrial(alerts)],
});
