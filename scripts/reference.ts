/**
 * Owns: `npm run reference`: writes `docs/reference` from the tables of metrics and entries.
 * Does not own: what is written (`reference/` beside this file).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { referenceFiles } from './reference/files.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'reference');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { path, text } of await referenceFiles()) {
  writeFileSync(join(folder, path), text);
  console.log(`docs/reference/${path}`);
}
