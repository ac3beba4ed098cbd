/**
 * Owns: `npm run grafana`: writes the dashboards, rules and their tests, and the set-up of Prometheus, Grafana and Tempo
 * into `grafana/`.
 * Does not own: what they say (`grafana/` beside this file).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from './grafana/files.ts';

const folder = join(import.meta.dirname, '..', 'grafana');

rmSync(folder, { recursive: true, force: true });
for (const { path, text } of generatedFiles()) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  console.log(`grafana/${path}`);
}
