/**
 * The tests bite: faults are planted in a copy of the project, and the test that is named for each must fail. A few that
 * are quickly found are planted here; `npm run plant` plants them all, and so does `.ci/run`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlantedFault, plantedFaults } from '../../scripts/plant/faults.ts';
import { PlantedCopy, projectRoot } from '../../scripts/plant/planted-copy.ts';

const sourceOf = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');

const quick: readonly PlantedFault[] = [
  'a tool that must run once is run again',
  'the ring never forgets',
  'the parts of an ended call are kept',
  'a claim that met another one',
  'an append that met another one',
].map((words) => {
  const found = plantedFaults.find(({ fault }) => fault.startsWith(words));
  if (found === undefined) throw new Error(`there is no planted fault "${words}"`);
  return found;
});

describe('the planted faults', () => {
  it('break each invariant at least once', () => {
    const broken = new Set(plantedFaults.map(({ invariant }) => invariant));
    const all = Array.from({ length: 10 }, (_, index) => `I${index + 1}`);
    expect(all.filter((invariant) => !broken.has(invariant))).toEqual([]);
  });

  it.each(plantedFaults)('$invariant, $fault: its place and its finder are there', (planted) => {
    const { file, place, replacement, finder } = planted;
    expect(sourceOf(file).split(place)).toHaveLength(2);
    expect(replacement).not.toBe(place);
    expect(sourceOf(finder.file)).toContain(finder.test);
  });
});

describe('in a copy of the project', () => {
  let copy: PlantedCopy;

  beforeAll(async () => {
    copy = await PlantedCopy.make();
  }, 60_000);

  afterAll(() => copy.remove());

  it('a finder passes where there is no fault, as each does in every run of the tests', async () => {
    expect(await copy.ask(quick.slice(0, 1).map(({ finder }) => finder))).toEqual({ outcome: 'passed' });
  }, 120_000);

  it.each(quick)(
    '$fault: the finder fails',
    async (planted) => {
      const finding = await copy.plant(planted);
      expect(finding).toMatchObject({ outcome: 'failed' });
      expect(finding.outcome === 'failed' && finding.test).toContain(planted.finder.test);
    },
    120_000,
  );

  it('a fault that no place is there for is not planted, and a test that is not there finds nothing', async () => {
    const [planted] = quick as [PlantedFault];
    expect(await copy.plant({ ...planted, place: 'nowhere at all' })).toMatchObject({ outcome: 'broken' });
    const finder = { ...planted.finder, test: 'a test that nobody wrote' };
    expect(await copy.ask([finder])).toMatchObject({ outcome: 'broken' });
  }, 120_000);
});
