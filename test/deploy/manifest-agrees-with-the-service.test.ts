/** The Kubernetes manifest and the image name only what there is: ports, probes, variables, metrics, times. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { jobName } from '../../scripts/grafana/promql.ts';
import { routes } from '../../src/adapters/twilio/addresses.ts';
import { readConfiguration } from '../../src/config/environment.ts';
import { instanceId } from '../../src/config/instance.ts';
import { settingVariables } from '../../src/config/settings.ts';
import { serviceVariables } from '../../src/config/variables.ts';
import { serviceMachine } from '../../src/machines/service.ts';
import { metrics } from '../../src/telemetry/metrics/names.ts';
import { readText } from '../rules/support/sources.ts';

const root = join(import.meta.dirname, '../..');
const manifest = readText('deploy/kubernetes.yaml');

const resource = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
const documents = parseAllDocuments(manifest);
const resources = documents.map((document) => resource.parse(document.toJS()));

function find<Shape extends z.ZodType>(kind: string, name: string, shape: Shape): z.output<Shape> {
  const found = resources.find((each) => each.kind === kind && each.metadata.name === name);
  return shape.parse(found);
}
const namesOf = (kind: string): string[] =>
  resources.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const references = z.array(
  z.object({
    configMapRef: z.object({ name: z.string() }).optional(),
    secretRef: z.object({ name: z.string() }).optional(),
  }),
);
const container = z.object({
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  envFrom: references,
  env: z.array(
    z.object({ name: z.string(), valueFrom: z.object({ fieldRef: z.object({ fieldPath: z.string() }) }) }),
  ),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z.object({ preStop: z.object({ exec: z.object({ command: z.array(z.string()) }) }) }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
});
const labels = z.object({ app: z.string() });
const set = find(
  'StatefulSet',
  'holdfast',
  z.object({
    spec: z.object({
      serviceName: z.string(),
      selector: z.object({ matchLabels: labels }),
      template: z.object({
        metadata: z.object({ labels }),
        spec: z.object({
          terminationGracePeriodSeconds: z.number(),
          securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number().min(1) }),
          containers: z.tuple([container]),
        }),
      }),
    }),
  }),
).spec;
const pod = set.template.spec;
const [main] = pod.containers;

const settings = find('ConfigMap', 'holdfast', z.object({ data: z.record(z.string(), z.string()) })).data;
/** As the head of the manifest has them made. */
const secrets = [...manifest.matchAll(/--from-literal=(\w+)=/g)].map(([, name = '']) => name);
const environment = {
  ...settings,
  ...Object.fromEntries(secrets.map((name) => [name, valueFor(name)])),
  INSTANCE_ID: 'holdfast-0',
};

function valueFor(name: string): string {
  if (name === 'TWILIO_ACCOUNT_SID') return `AC${'0'.repeat(32)}`;
  return name === 'JOURNAL_URL' ? 'memory:' : 'a-secret-of-some-length';
}

const service = z.object({
  spec: z.object({
    publishNotReadyAddresses: z.boolean().default(false),
    selector: z.record(z.string(), z.string()),
    ports: z.tuple([z.object({ port: z.number() })]),
  }),
});
const ingress = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
  spec: z.object({
    rules: z.tuple([
      z.object({
        host: z.string(),
        http: z.object({
          paths: z.array(
            z.object({ path: z.string(), backend: z.object({ service: z.object({ name: z.string() }) }) }),
          ),
        }),
      }),
    ]),
  }),
});
const rulesOf = (name: string) => {
  const [{ host, http }] = find('Ingress', name, ingress).spec.rules;
  return {
    host,
    paths: Object.fromEntries(http.paths.map(({ path, backend }) => [path, backend.service.name])),
  };
};
const autoscaler = find(
  'HorizontalPodAutoscaler',
  'holdfast',
  z.object({
    spec: z.object({
      scaleTargetRef: z.object({ kind: z.literal('StatefulSet'), name: z.literal('holdfast') }),
      maxReplicas: z.number(),
      metrics: z.tuple([z.object({ pods: z.object({ metric: z.object({ name: z.string() }) }) })]),
    }),
  }),
).spec;

describe('the Kubernetes manifest', () => {
  it('is YAML without an error, each of its names used once in its kind', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    const names = resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
  });

  it('starts the service with variables that there are, and with all that it needs', () => {
    const known = { ...serviceVariables, ...settingVariables };
    expect(Object.keys(environment).filter((name) => !(name in known))).toEqual([]);
    expect(readConfiguration(environment)).toMatchObject({ host: '0.0.0.0', admin: { host: '0.0.0.0' } });
    expect(main.envFrom).toEqual([
      { configMapRef: { name: 'holdfast' } },
      { secretRef: { name: 'holdfast' } },
    ]);
    expect(main.env).toEqual([
      { name: 'INSTANCE_ID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ]);
  });

  it('keeps every secret out of the file', () => {
    const secret = Object.entries(serviceVariables).filter(([, variable]) => variable.secret);
    expect(secret.filter(([name]) => name in settings)).toEqual([]);
  });

  it('names the ports on which the service listens', () => {
    const { port, admin } = readConfiguration(environment);
    expect(main.ports).toEqual([
      { name: 'public', containerPort: port },
      { name: 'admin', containerPort: admin.port },
    ]);
    const ports = namesOf('Service').map((name) => find('Service', name, service).spec.ports[0].port);
    expect(new Set(ports)).toEqual(new Set([port]));
  });

  it('asks /live and /ready of the public port, and never how healthy a process is', () => {
    const asked = [main.startupProbe, main.livenessProbe, main.readinessProbe].map(({ httpGet }) => httpGet);
    expect(asked).toEqual(['/live', '/live', '/ready'].map((path) => ({ path, port: 'public' })));
  });

  it('gives a process the time that its drain may take', () => {
    const [sleep, seconds] = main.lifecycle.preStop.exec.command;
    expect(sleep).toBe('sleep');
    const { parting, stop } = serviceMachine.implementations.delays as Record<string, number>;
    const longestMs =
      Number(seconds) * 1_000 + readConfiguration(environment).drainMs + Number(parting) + Number(stop);
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(longestMs);
  });

  it('sends new calls to ready pods, and what live calls need to all that run', () => {
    const { host, paths } = rulesOf('holdfast-webhooks');
    expect(`https://${host}`).toBe(settings.PUBLIC_URL);
    expect(paths).toEqual({
      [routes.voice]: 'holdfast-new-calls',
      '/twilio/': 'holdfast-running',
      '/live': 'holdfast-running',
    });
    const isForAll = (name: string) => find('Service', name, service).spec.publishNotReadyAddresses;
    expect([isForAll('holdfast-new-calls'), isForAll('holdfast-running')]).toEqual([false, true]);
    for (const name of ['holdfast-new-calls', 'holdfast-running', set.serviceName])
      expect(find('Service', name, service).spec.selector).toEqual(set.template.metadata.labels);
  });

  it('routes the streams of every pod that there may be to it, else to any that runs', () => {
    const { paths } = rulesOf('holdfast-streams');
    const pods = Array.from({ length: autoscaler.maxReplicas }, (_, index) => `holdfast-${index}`);
    expect(paths).toEqual(Object.fromEntries(pods.map((name) => [routes.media + name, name])));
    for (const name of pods) {
      expect(instanceId.parse(name)).toBe(name);
      const selector = { 'statefulset.kubernetes.io/pod-name': name };
      expect(find('Service', name, service).spec.selector).toEqual(selector);
    }
    const { annotations } = find('Ingress', 'holdfast-streams', ingress).metadata;
    expect(annotations['nginx.ingress.kubernetes.io/default-backend']).toBe('holdfast-running');
  });

  it('scales by a metric that there is, which the adapter hands on', () => {
    const [{ pods }] = autoscaler.metrics;
    expect(pods.metric.name).toBe(metrics.capacityUsed.name);
    const named = manifest.match(/\bholdfast_\w+/g) ?? [];
    const known = Object.values(metrics).map(({ name }) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
    const rules = find(
      'ConfigMap',
      'holdfast-adapter-rules',
      z.object({ data: z.record(z.string(), z.string()) }),
    );
    expect(parse(rules.data['config.yaml'] ?? '')).toMatchObject({
      rules: [{ name: { matches: metrics.capacityUsed.name } }],
    });
    expect(settings.CALLS_LIMIT).toMatch(/^\d+$/);
  });

  it('is scraped as the job that dashboards and alerts ask for', () => {
    const monitor = find('PodMonitor', 'holdfast', z.object({ spec: z.object({ jobLabel: z.string() }) }));
    expect(set.template.metadata.labels).toHaveProperty(monitor.spec.jobLabel, jobName);
    expect(set.selector.matchLabels).toEqual(set.template.metadata.labels);
  });
});

describe('the image', () => {
  const file = readText('deploy/Dockerfile');
  const ignored = readText('deploy/Dockerfile.dockerignore').split('\n').filter(Boolean);
  /** Of the build's own context. */
  const copied = [...file.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );

  it('is made of files that there are and that the build is given', () => {
    expect(copied.length).toBeGreaterThan(4);
    const plain = copied.filter((path) => !path.includes('*'));
    expect(plain.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(copied.filter((path) => !ignored.includes(`!${path}`))).toEqual([]);
  });

  it('runs what the build makes of the service, as nobody who may write there', () => {
    const [, program = ''] = /"dist\/(src\/.+)\.js"\]$/m.exec(file) ?? [];
    expect(existsSync(join(root, `${program}.ts`))).toBe(true);
    expect(file).toMatch(/^USER 1000:1000$/m);
  });

  it('has a folder for the journal where no other one is named', () => {
    const [, folder = ''] = /^RUN install -d -o 1000 -g 1000 -m 700 (\w+)$/m.exec(file) ?? [];
    expect(serviceVariables.JOURNAL_URL.initial).toMatch(new RegExp(`^sqlite:${folder}/`));
  });
});

describe('the unit for systemd', () => {
  const unit = readText('deploy/holdfast.service');
  const settingOf = (name: string): string => new RegExp(`^${name}=(.+)$`, 'm').exec(unit)?.[1] ?? '';

  it('starts what npm start does', () => {
    const { scripts } = JSON.parse(readText('package.json'));
    expect(settingOf('ExecStart')).toBe(
      `${settingOf('WorkingDirectory')}/node_modules/.bin/${scripts.start}`,
    );
  });

  it('gives a drain the time that it may take', () => {
    const drainMs = Number(serviceVariables.DRAIN_MS.initial);
    expect(Number.parseInt(settingOf('TimeoutStopSec'), 10) * 1_000).toBeGreaterThanOrEqual(drainMs + 8_000);
  });
});
