/** Who is told of whom: ports, paths and uids of Prometheus, Grafana, Tempo and the service agree. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  compose,
  dashboardProvider,
  datasources,
  grafanaPaths,
  prometheusConfig,
  tempoConfig,
} from '../../scripts/grafana/stack.ts';
import { toYaml } from '../../scripts/grafana/yaml.ts';
import { serviceVariables } from '../../src/config/variables.ts';

interface Container {
  network_mode: string;
  ports?: unknown;
  command?: string[];
  environment?: Record<string, string>;
  volumes: string[];
}

const { services, volumes } = compose as unknown as {
  services: Record<'service' | 'prometheus' | 'grafana' | 'tempo', Container>;
  volumes: Record<string, unknown>;
};
const sources = (
  datasources as unknown as { datasources: { uid: string; type: string; url: string; jsonData?: Json }[] }
).datasources;
type Json = { exemplarTraceIdDestinations?: { name: string; datasourceUid: string }[] };

const sourceOf = (type: string) => sources.find((source) => source.type === type);
const all = [compose, datasources, dashboardProvider, prometheusConfig, tempoConfig].map((each) =>
  JSON.stringify(each),
);

describe('the set-up', () => {
  it('listens on loopback and nowhere else', () => {
    const addresses = all.flatMap((text) =>
      [...text.matchAll(/\b\d+\.\d+\.\d+\.\d+(?=[:"])/g)].map(([address]) => address),
    );
    expect(new Set(addresses)).toEqual(new Set(['127.0.0.1']));
    for (const container of Object.values(services)) {
      expect(container.network_mode).toBe('host');
      expect(container.ports).toBeUndefined();
    }
    expect(services.grafana.environment?.GF_SERVER_HTTP_ADDR).toBe('127.0.0.1');
  });

  it('has Prometheus scrape the port that the service has by itself', () => {
    const text = JSON.stringify(prometheusConfig);
    const port = serviceVariables.ADMIN_PORT.initial;
    expect(text).toContain(`127.0.0.1:${port}`);
    expect(services.service.environment?.ADMIN_PORT).toBe(port);
  });

  it('has Grafana ask Prometheus and Tempo where they listen', () => {
    const listening = services.prometheus.command?.find((option) => option.includes('listen-address'));
    expect(`--web.listen-address=${new URL(sourceOf('prometheus')?.url ?? '').host}`).toBe(listening);
    const { server } = tempoConfig as unknown as { server: Record<string, string | number> };
    expect(sourceOf('tempo')?.url).toBe(`http://${server.http_listen_address}:${server.http_listen_port}`);
  });

  it('has the service send its traces to Tempo, and exemplars lead there', () => {
    const endpoint = new URL(services.service.environment?.OTEL_EXPORTER_OTLP_ENDPOINT ?? '');
    expect(JSON.stringify(tempoConfig)).toContain(`"http":{"endpoint":"${endpoint.host}"}`);
    expect(sourceOf('prometheus')?.jsonData?.exemplarTraceIdDestinations).toEqual([
      { name: 'trace_id', datasourceUid: sourceOf('tempo')?.uid },
    ]);
    expect(services.prometheus.command).toContain('--enable-feature=exemplar-storage');
  });

  it('mounts what there is, where it is looked for', () => {
    const mounts = Object.values(services).flatMap((container) =>
      container.volumes.map((mount) => mount.split(':')),
    );
    for (const [from = ''] of mounts) {
      if (from.startsWith('.'))
        expect(existsSync(join(import.meta.dirname, '../../grafana', from)), from).toBe(true);
      else expect(Object.keys(volumes)).toContain(from);
    }
    expect(JSON.stringify(dashboardProvider)).toContain(`"path":"${grafanaPaths.dashboards}"`);
    expect(services.grafana.volumes).toContain(`./dashboards:${grafanaPaths.dashboards}:ro`);
  });
});

describe('YAML', () => {
  it('is written so that it means the same', () => {
    const value = {
      a: ['x', { b: 'say "no"', c: "it's" }],
      on: 'yes',
      count: 8,
      empty: {},
      none: [],
      lines: 'a\nb',
      '5m': '1e3',
    };
    const text = [
      '# head',
      'a:',
      '  - x',
      '  - b: \'say "no"\'',
      '    c: "it\'s"',
      '"on": "yes"',
      'count: 8',
      'empty: {}',
      'none: []',
      'lines: |-',
      '  a',
      '  b',
      '"5m": "1e3"',
      '',
    ];
    expect(toYaml(value, ['head'])).toBe(text.join('\n'));
  });
});
