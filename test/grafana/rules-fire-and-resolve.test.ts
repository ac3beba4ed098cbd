/** The rules are tried out by Prometheus' own tool: quiet, firing, resolved, and without any series. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alerts, recordings, ruleGroups } from '../../scripts/grafana/rules/all.ts';
import { readText } from '../rules/support/sources.ts';
import { needPrograms } from './support/programs.ts';

/** promtool evaluates every rule of a file in each of its trials. */
const patienceMs = 120_000;
const folder = join(import.meta.dirname, '../../grafana/prometheus');

function promtool(...options: string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', options, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

describe('the rules', () => {
  it('are such as Prometheus takes, with its configuration', (context) => {
    needPrograms(context, ['promtool']);
    expect(promtool('check', 'config', 'prometheus.yml')).toBe('');
    expect(promtool('check', 'rules', ...ruleGroups.map(({ name }) => `rules/${name}.yml`))).toBe('');
  });

  for (const { name } of ruleGroups) {
    it(`of ${name} are quiet, fire and resolve`, { timeout: patienceMs }, (context) => {
      needPrograms(context, ['promtool']);
      expect(promtool('test', 'rules', `tests/${name}_test.yml`)).toBe('');
    });
  }
});

describe('each rule', () => {
  const trials = ruleGroups
    .map(({ name }) => readText(`grafana/prometheus/tests/${name}_test.yml`))
    .join('\n');

  it('has its trial', () => {
    const untried = [
      ...alerts.filter(({ name }) => !trials.includes(`${name} is quiet, fires and resolves`)),
      ...recordings.filter(({ name }) => !trials.includes(`${name} in the fault`)),
    ];
    expect(untried.map(({ name }) => name)).toEqual([]);
    expect(alerts.filter(({ example }) => example.firing.length === 0)).toEqual([]);
  });
});
