/**
 * Owns: `npm run charts`: draws the charts for the console, and writes them for Mermaid and Stately Studio.
 * Does not own: what is written (`charts/` beside this file).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { drawnFiles, exportedFiles } from './charts/files.ts';

const root = join(import.meta.dirname, '..');
const files = [...exportedFiles(), ...(await drawnFiles())];

for (const folder of new Set(files.map(({ path }) => dirname(join(root, path))))) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
for (const { path, text } of files) {
  writeFileSync(join(root, path), text);
  console.log(path);
}
