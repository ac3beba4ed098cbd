/**
 * Owns: how Prometheus, Grafana and Tempo are set up beside the service: ports, paths and uids, each said once.
 * Does not own: boards (`boards/`), rules (`rules/`).
 *
 * Invariants:
 * K1. Everything listens on loopback. The containers share the host's network: what listens on loopback there is reached
 *     by nobody else.
 */
import { jobName } from './promql.ts';
import type { Yaml } from './yaml.ts';

const loopback = '127.0.0.1';
export const ports = {
  admin: 8081,
  prometheus: 9090,
  grafana: 3000,
  tempo: 3200,
  tempoInternal: 9095,
  otlp: 4318,
} as const;
export const addressOf = (port: keyof typeof ports): string => `${loopback}:${ports[port]}`;

export const datasourceUids = { prometheus: `${jobName}-prometheus`, tempo: `${jobName}-tempo` } as const;

/** Inside the container of Grafana. */
export const grafanaPaths = {
  provisioning: '/etc/grafana/provisioning',
  dashboards: '/var/lib/grafana/dashboards',
  runbooks: '/usr/share/grafana/public/runbooks',
} as const;

/** Where Grafana serves a runbook, as plain text. */
export const runbookUrl = (runbook: string): string => `/public/runbooks/${runbook}.md`;

const scrapeInterval = '15s';

export const prometheusConfig: Yaml = {
  global: { scrape_interval: scrapeInterval, evaluation_interval: scrapeInterval },
  storage: { exemplars: { max_exemplars: 100_000 } },
  rule_files: ['rules/*.yml'],
  scrape_configs: [
    { job_name: jobName, metrics_path: '/metrics', static_configs: [{ targets: [addressOf('admin')] }] },
  ],
};

export const datasources: Yaml = {
  apiVersion: 1,
  datasources: [
    {
      name: 'Prometheus',
      uid: datasourceUids.prometheus,
      type: 'prometheus',
      access: 'proxy',
      url: `http://${addressOf('prometheus')}`,
      isDefault: true,
      editable: false,
      jsonData: {
        httpMethod: 'POST',
        timeInterval: scrapeInterval,
        manageAlerts: true,
        exemplarTraceIdDestinations: [{ name: 'trace_id', datasourceUid: datasourceUids.tempo }],
      },
    },
    {
      name: 'Tempo',
      uid: datasourceUids.tempo,
      type: 'tempo',
      access: 'proxy',
      url: `http://${addressOf('tempo')}`,
      editable: false,
    },
  ],
};

export const dashboardProvider: Yaml = {
  apiVersion: 1,
  providers: [
    {
      name: jobName,
      type: 'file',
      folder: 'Holdfast',
      disableDeletion: true,
      allowUiUpdates: false,
      options: { path: grafanaPaths.dashboards },
    },
  ],
};

export const tempoConfig: Yaml = {
  server: {
    http_listen_address: loopback,
    http_listen_port: ports.tempo,
    grpc_listen_address: loopback,
    grpc_listen_port: ports.tempoInternal,
  },
  distributor: { receivers: { otlp: { protocols: { http: { endpoint: addressOf('otlp') } } } } },
  storage: {
    trace: { backend: 'local', local: { path: '/var/tempo/blocks' }, wal: { path: '/var/tempo/wal' } },
  },
  compactor: { compaction: { block_retention: '168h' } },
  usage_report: { reporting_enabled: false },
};

/** Secrets stay out of the image: what is copied is named. */
const imageOfService = [
  'FROM node:26-slim',
  'WORKDIR /app',
  'COPY package.json package-lock.json ./',
  'RUN npm ci --omit=dev',
  'COPY src ./src',
  'COPY agents ./agents',
  'CMD ["node", "--conditions=holdfast-source", "src/service/main.ts"]',
].join('\n');

const onHost = { network_mode: 'host', restart: 'unless-stopped' } as const;

const grafanaEnvironment = {
  GF_SERVER_HTTP_ADDR: loopback,
  GF_SERVER_HTTP_PORT: String(ports.grafana),
  GF_AUTH_ANONYMOUS_ENABLED: 'true',
  GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
  GF_AUTH_DISABLE_LOGIN_FORM: 'true',
  GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
  GF_ANALYTICS_REPORTING_ENABLED: 'false',
  GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
  GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: `${grafanaPaths.dashboards}/calls.json`,
};

export const compose: Yaml = {
  name: jobName,
  services: {
    service: {
      build: { context: '..', dockerfile_inline: imageOfService },
      ...onHost,
      env_file: ['../.env'],
      environment: {
        ADMIN_PORT: String(ports.admin),
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://${addressOf('otlp')}`,
      },
      // A drain (DRAIN_MS) and the 8 s after it.
      stop_grace_period: '30s',
      volumes: ['journal:/app/data'],
    },
    prometheus: {
      image: 'prom/prometheus:v3.5.0',
      ...onHost,
      command: [
        '--config.file=/etc/prometheus/prometheus.yml',
        `--web.listen-address=${addressOf('prometheus')}`,
        '--storage.tsdb.path=/prometheus',
        '--storage.tsdb.retention.time=15d',
        '--enable-feature=exemplar-storage',
      ],
      volumes: ['./prometheus:/etc/prometheus:ro', 'metrics:/prometheus'],
    },
    grafana: {
      image: 'grafana/grafana:12.1.0',
      ...onHost,
      depends_on: ['prometheus', 'tempo'],
      environment: grafanaEnvironment,
      volumes: [
        `./provisioning:${grafanaPaths.provisioning}:ro`,
        `./dashboards:${grafanaPaths.dashboards}:ro`,
        `../docs/runbooks:${grafanaPaths.runbooks}:ro`,
      ],
    },
    tempo: {
      image: 'grafana/tempo:2.8.1',
      ...onHost,
      command: ['-config.file=/etc/tempo.yaml'],
      volumes: ['./tempo.yaml:/etc/tempo.yaml:ro', 'traces:/var/tempo'],
    },
  },
  volumes: { journal: {}, metrics: {}, traces: {} },
};

/** At the top of the file. */
export const composeHead = [
  'The service with Prometheus, Grafana and Tempo, all on loopback: docker compose -f grafana/compose.yaml up',
  'The project’s own checks do not run it: they have no Docker and no Grafana. They run a real Prometheus with the same',
  'rules. Containers share the host’s network (Linux; on Docker Desktop it has to be allowed in its settings).',
];
