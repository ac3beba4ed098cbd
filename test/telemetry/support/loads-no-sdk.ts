/** Prints which packages of OpenTelemetry a process loads that makes traces: none, or with a collector, some. */
import { registerHooks } from 'node:module';

const [endpoint = ''] = process.argv.slice(2);
const loaded = new Set<string>();
registerHooks({
  load: (url, context, next) => {
    const [, name] = /node_modules\/(@opentelemetry\/[^/]+)\//.exec(url) ?? [];
    if (name) loaded.add(name);
    return next(url, context);
  },
});

const { createTraces } = await import('../../../src/telemetry/traces/traces.ts');
const { createLogger } = await import('../../../src/telemetry/logger.ts');
const { systemClock } = await import('../../../src/platform/clock.ts');
const traces = await createTraces(
  { endpoint: endpoint || null, tracesEndpoint: null, headers: null },
  {
    version: '1.2.3',
    instance: 'one',
    model: 'gpt-realtime',
    secrets: [],
    clock: systemClock,
    logger: createLogger({ level: 'silent', instance: 'one', secrets: [], destination: process.stdout }),
  },
);
await traces.shutdown();
console.log(JSON.stringify([...loaded].sort()));
