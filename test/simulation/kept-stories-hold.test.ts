/**
 * Stories in which something of ours went wrong once: each is told again, whatever the mix has become since. A story
 * that fails is kept by writing what `npm run simulate -- --replay` prints of it into `test/faults/kept`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readStory } from './story.ts';
import { allViolations, judge } from './verdict.ts';

const folder = new URL('../faults/kept/', import.meta.url);
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));

test.each(names)('%s: everything holds again', async (name) => {
  const story = readStory(JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')));
  expect(allViolations(await judge(story, 'spans'))).toEqual([]);
});
