/** A real Prometheus that scrapes each second and reads our rules twenty times as fast as they are written. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobName } from '../../../scripts/grafana/promql.ts';
import { ruleGroups } from '../../../scripts/grafana/rules/all.ts';
import { ruleFile } from '../../../scripts/grafana/rules/rule.ts';
import { toYaml, type Yaml } from '../../../scripts/grafana/yaml.ts';
import { spawnBound } from '../../support/bound-process.ts';
import { findPort } from '../../support/free-port.ts';

const haste = 20;
/** A process that was killed on purpose. */
const isGone = /refused|reset|EOF/;
const startLimitMs = 30_000;

const secondsIn: Record<string, number> = { m: 60, h: 3_600 };
const hastened = (count: string, unit: string): string =>
  `${(Number(count) * (secondsIn[unit] ?? 1)) / haste}s`;

/** Windows, offsets and patience; names keep theirs. */
export const inHaste = (rules: string): string =>
  rules
    .replaceAll(/\[(\d+)([mh])\]/g, (_, count: string, unit: string) => `[${hastened(count, unit)}]`)
    .replaceAll(
      /\boffset (\d+)([mh])\b/g,
      (_, count: string, unit: string) => `offset ${hastened(count, unit)}`,
    )
    .replaceAll(
      /^(\s+for: )"?(\d+)([mh])"?$/gm,
      (_, key: string, count: string, unit: string) => `${key}${hastened(count, unit)}`,
    );

export interface Sample {
  labels: Readonly<Record<string, string>>;
  /** Those that are numbers, oldest first. */
  values: readonly number[];
}

export interface RuleState {
  name: string;
  health: string;
  lastError?: string;
}

function writeConfiguration(folder: string): void {
  mkdirSync(join(folder, 'rules'));
  for (const group of ruleGroups)
    writeFileSync(join(folder, 'rules', `${group.name}.yml`), inHaste(toYaml(ruleFile(group), [])));
  const config: Yaml = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ['rules/*.yml'],
    scrape_configs: [
      { job_name: jobName, file_sd_configs: [{ files: ['targets.json'], refresh_interval: '1s' }] },
    ],
  };
  writeFileSync(join(folder, 'targets.json'), '[]');
  writeFileSync(join(folder, 'prometheus.yml'), toYaml(config, []));
}

export class PrometheusProcess {
  readonly #folder: string;
  readonly #url: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #startedAt = Date.now();

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#url = `http://127.0.0.1:${port}`;
    const log = openSync(join(folder, 'log'), 'a');
    const options = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ];
    this.#child = spawnBound('prometheus', options, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  static async start(): Promise<PrometheusProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-prometheus-'));
    writeConfiguration(folder);
    const prometheus = new PrometheusProcess(folder, await findPort());
    while (!(await prometheus.#isReady())) {
      if (Date.now() - prometheus.#startedAt > startLimitMs)
        throw new Error(`Prometheus did not start: ${readFileSync(join(folder, 'log'), 'utf8')}`);
      await sleep(100);
    }
    return prometheus;
  }

  scrape(addresses: readonly string[]): void {
    writeFileSync(join(this.#folder, 'targets.json'), JSON.stringify([{ targets: addresses }]));
  }

  /** Every series of a query since the start, at each second. */
  async ask(expr: string): Promise<Sample[]> {
    const range = { start: this.#startedAt / 1_000, end: Date.now() / 1_000, step: 1 };
    const query = new URLSearchParams({ query: expr, ...mapToText(range) });
    const { result } = await this.#get<{
      result: { metric: Record<string, string>; values: [number, string][] }[];
    }>(`query_range?${query}`);
    return result.map(({ metric, values }) => ({
      labels: metric,
      values: values.map(([, value]) => Number(value)).filter(Number.isFinite),
    }));
  }

  /** Labels of the exemplars of a histogram. */
  async exemplars(selector: string): Promise<Record<string, string>[]> {
    const range = { start: this.#startedAt / 1_000, end: Date.now() / 1_000 };
    const query = new URLSearchParams({ query: selector, ...mapToText(range) });
    const series = await this.#get<{ exemplars: { labels: Record<string, string> }[] }[]>(
      `query_exemplars?${query}`,
    );
    return series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<string[]> {
    const { alerts } = await this.#get<{ alerts: { state: string; labels: { alertname: string } }[] }>(
      'alerts',
    );
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
  }

  /** Why scrapes fail of processes that answer. */
  async scrapeErrors(): Promise<string[]> {
    const { activeTargets } = await this.#get<{ activeTargets: { lastError: string }[] }>('targets');
    return activeTargets
      .map(({ lastError }) => lastError)
      .filter((error) => error !== '' && !isGone.test(error));
  }

  async rules(): Promise<RuleState[]> {
    const { groups } = await this.#get<{ groups: { rules: RuleState[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.#url}/-/ready`)).ok;
    } catch {
      return false;
    }
  }

  async #get<Data>(path: string): Promise<Data> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const body = (await answer.json()) as { status: string; error?: string; data: Data };
    if (body.status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${body.error}`);
    return body.data;
  }
}

const mapToText = (values: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
