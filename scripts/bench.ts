/**
 * Owns: `npm run bench`: the service and its yardsticks under the same calls, in one run and in turn; then the small
 * benchmarks. `--short` is what continuous integration runs.
 * Does not own: a round (`bench/round.ts`), what is started (`bench/subject.ts`).
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isScenario } from '../src/twin/load/caller-plan.ts';
import { breachesOf, readBounds } from './bench/bounds.ts';
import { writeComparison } from './bench/comparison.ts';
import { runMicro } from './bench/micro.ts';
import { measureRound, type Round, type RoundOptions, shortWaits } from './bench/round.ts';
import { type SubjectName, subjectNames } from './bench/subject.ts';
import { subjectsOf } from './load/options.ts';

const usage = `npm run bench -- [options]

  --only NAMES     of ${subjectNames.join(',')}; then the small benchmarks are left out
  --calls 300      at once
  --seconds 20     how long they are measured
  --rounds 3       of each, in turn
  --scenario talk
  --json FILE      all rounds as data
  --short          under a minute: service and relay; fails where a bound of bench/bounds.json is passed`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    calls: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    scenario: { type: 'string', default: 'talk' },
    json: { type: 'string' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

async function measureAll(
  subjects: readonly SubjectName[],
  rounds: number,
  options: RoundOptions,
): Promise<Round[]> {
  const measured: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const subject of subjects) {
      const last = await measureRound(subject, options);
      measured.push(last);
      const { cpuSeconds, figures } = last;
      console.error(
        `round ${round} ${subject.padEnd(8)} ${cpuSeconds.toFixed(4)} CPU s per call-minute, p99 up ${figures.up.p99.toFixed(1)} ms, down ${figures.down.p99.toFixed(1)} ms`,
      );
    }
  }
  return measured;
}

async function runShort(): Promise<void> {
  const subjects = ['service', 'relay'] as const;
  const calls = 60;
  const rounds = await measureAll(subjects, 2, { calls, windowMs: 4_000, scenario: 'talk', ...shortWaits });
  console.log(writeComparison(rounds, subjects));
  const breaches = breachesOf(rounds, calls, readBounds());
  for (const breach of breaches) console.error(`beyond its bound: ${breach}`);
  if (breaches.length > 0) process.exitCode = 1;
}

async function runWhole(): Promise<void> {
  const { scenario } = values;
  if (!isScenario(scenario)) throw new Error(usage);
  const subjects = subjectsOf(values.only ?? subjectNames.join(','));
  const windowMs = Number(values.seconds) * 1_000;
  const options = {
    calls: Number(values.calls),
    windowMs,
    scenario,
  };
  const rounds = await measureAll(subjects, Number(values.rounds), options);
  console.log(writeComparison(rounds, subjects));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rounds, null, 2)}\n`);
  if (values.only === undefined) await runMicro(console.log);
}

if (values.help) console.log(usage);
else await (values.short ? runShort() : runWhole());
