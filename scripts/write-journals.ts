/**
 * Owns: the logs that the present version leaves behind for ever: `test/journals/<version>/`. Run once at a release:
 * `node --conditions=holdfast-source scripts/write-journals.ts`.
 * Does not own: the calls (`test/journals/stories.ts`).
 *
 * Invariants:
 * K1. What a version wrote is never written again: a folder that is there is left as it is.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { formatRecording } from '../test/journals/recording.ts';
import { stories, tell } from '../test/journals/stories.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const folder = new URL(`../test/journals/${version}/`, import.meta.url);

if (existsSync(folder)) {
  console.error(`${folder.pathname} is there already: what version ${version} wrote is never written again.`);
  process.exit(1);
}
mkdirSync(folder);
for (const story of stories) {
  const text = formatRecording(await tell(story, version));
  writeFileSync(new URL(`${story.name}.json`, folder), text);
  console.log(`${story.name.padEnd(26)}${String(text.length).padStart(8)} bytes`);
}
