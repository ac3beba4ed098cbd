import { expect, test } from 'vitest';
import { drawStory, readMix, standardMix } from './mix.ts';
import { readStory } from './story.ts';
import { storyInWords } from './words.ts';

const stories = Array.from({ length: 2_000 }, (_, seed) => drawStory(standardMix, seed));

test('the standard mix makes the same story of a seed each time, and one that can be read from JSON again', () => {
  for (const story of stories.slice(0, 100)) {
    expect(drawStory(standardMix, story.seed)).toEqual(story);
    expect(readStory(JSON.parse(JSON.stringify(story)))).toEqual(story);
  }
});

test('every kind of fault comes up, and has a sentence of its own', () => {
  const kinds = new Set(
    stories.flatMap(({ faults }) =>
      faults.map(
        (fault) => `${fault.on} ${'fault' in fault && typeof fault.fault === 'string' ? fault.fault : ''}`,
      ),
    ),
  );
  const expected = standardMix.faults.map(
    ({ value }) => `${value.on} ${typeof value.fault === 'string' ? value.fault : ''}`,
  );
  expect([...kinds].sort()).toEqual([...new Set(expected)].sort());
  for (const story of stories) {
    const sentences = storyInWords(story);
    expect(sentences).toHaveLength(story.faults.length + 1);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z0-9].*\.$/);
    expect(sentences.join(' ')).not.toMatch(/undefined|NaN|\[object/);
  }
});

test('a mix or a story with a fault that nobody knows is refused', () => {
  const faults = [{ weight: 1, value: { on: 'weather', fault: 'rain' } }];
  const mix = readMix({ ...standardMix, counts: [{ weight: 1, value: 1 }], faults });
  expect(() => drawStory(mix, 1)).toThrow();
  expect(() => readMix({ ...standardMix, calls: 0 })).toThrow();
  expect(() => readStory({ seed: 1, hosts: [], policy: 'action', calls: 1, faults: [] })).toThrow();
});
