/**
 * Owns: `npm run plant`: faults planted one by one in a copy of the project, and the tests that must find them. A fault
 * that survives is a test that does not bite.
 * Does not own: the faults and their finders (`plant/faults.ts`).
 *
 * Changes nothing here. Exit codes: 0 each fault was found; 1 one was not, or a finder fails without any; 2 the command
 * line is wrong.
 */
import { parseArgs } from 'node:util';
import { type PlantedFault, plantedFaults } from './plant/faults.ts';
import { type Finding, PlantedCopy } from './plant/planted-copy.ts';

const usage = `npm run plant -- [options]

  --only WHAT   faults of one invariant (I5), or with the word in their names`;

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`;

function inWords(finding: Finding, { finder }: PlantedFault): string {
  if (finding.outcome === 'passed') return `SURVIVED ${finder.file}, "${finder.test}"`;
  if (finding.outcome === 'broken') return `NOT JUDGED: ${finding.why}`;
  const run = finding.run === null ? '' : `, in run ${finding.run}`;
  return `found by ${finder.file}, "${finding.test}"${run}`;
}

/** Each finder must pass where there is nothing to find. */
async function isSound(copy: PlantedCopy, faults: readonly PlantedFault[]): Promise<boolean> {
  const startedAt = performance.now();
  const finding = await copy.ask(faults.map(({ finder }) => finder));
  if (finding.outcome === 'passed') {
    console.log(`Without a fault every finder passes (${seconds(startedAt)}).\n`);
    return true;
  }
  console.log(
    finding.outcome === 'failed'
      ? `Without a fault this fails already: ${finding.file}, "${finding.test}"`
      : `The finders could not be run: ${finding.why}`,
  );
  return false;
}

async function plantAll(copy: PlantedCopy, faults: readonly PlantedFault[]): Promise<boolean> {
  let found = 0;
  for (const planted of faults) {
    const startedAt = performance.now();
    const finding = await copy.plant(planted);
    found += finding.outcome === 'failed' ? 1 : 0;
    console.log(`${planted.invariant.padEnd(11)} ${planted.fault}`);
    console.log(`${' '.repeat(12)}${inWords(finding, planted)} (${seconds(startedAt)})`);
  }
  console.log(`\n${faults.length} faults planted, ${found} found`);
  return found === faults.length;
}

function chosenFaults(): readonly PlantedFault[] {
  const { only } = parseArgs({ options: { only: { type: 'string' } } }).values;
  if (only === undefined) return plantedFaults;
  return plantedFaults.filter(({ invariant, fault }) => invariant === only || fault.includes(only));
}

function faultsOrNone(): readonly PlantedFault[] {
  try {
    return chosenFaults();
  } catch {
    return [];
  }
}

const faults = faultsOrNone();
if (faults.length === 0) {
  console.log(usage);
  process.exitCode = 2;
} else {
  const copy = await PlantedCopy.make();
  try {
    const isGood = (await isSound(copy, faults)) && (await plantAll(copy, faults));
    process.exitCode = isGood ? 0 : 1;
  } finally {
    await copy.remove();
  }
}
