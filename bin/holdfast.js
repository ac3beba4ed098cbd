#!/usr/bin/env node
// Starts the command line on the Node.js that the project pins, from the sources in a clone, from the build elsewhere.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestNode = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src', 'cli', 'main.ts');
const built = join(root, 'dist', 'src', 'cli', 'main.js');

function findNode() {
  try {
    const pinned = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
    if (existsSync(pinned)) return pinned;
  } catch {
    // Installed without its dependencies: the Node.js that runs this may do.
  }
  return Number(process.versions.node.split('.')[0]) >= oldestNode ? process.execPath : null;
}

const node = findNode();
if (!node) {
  console.error(`holdfast needs Node.js ${oldestNode} or later. Run: npm install node@26`);
  process.exit(1);
}
const program = existsSync(source) ? ['--conditions=holdfast-source', source] : [built];
const { status, signal } = spawnSync(
  node,
  ['--disable-warning=ExperimentalWarning', ...program, ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
process.exit(signal ? 1 : (status ?? 1));
