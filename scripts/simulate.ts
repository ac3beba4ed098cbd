/**
 * Owns: `npm run simulate`: simulated calls under random faults, for as long as is wanted, with every invariant checked
 * after each of them; or a fleet of instances that is struck.
 * Does not own: the simulation (`test/simulation`).
 *
 * The last line of its output says how many calls there were and how they came out. Exit codes: 0 all went well; 1 a
 * call failed; 2 the command line is wrong; 13, Node.js's own, a story came to no end.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { accountOf } from '../test/simulation/account.ts';
import { Campaign } from '../test/simulation/campaign.ts';
import { Fleet } from '../test/simulation/fleet/fleet.ts';
import { isGood, planInWords, verdictInWords } from '../test/simulation/fleet/fleet-words.ts';
import { planFor } from '../test/simulation/fleet/plan.ts';
import type { Level } from '../test/simulation/level.ts';
import { drawStory, type Mix, readMixFile, standardMix } from '../test/simulation/mix.ts';
import { readStory, type Story } from '../test/simulation/story.ts';
import { allViolations, judge, type Verdict } from '../test/simulation/verdict.ts';
import { storyInWords } from '../test/simulation/words.ts';

const usage = `npm run simulate -- [options]

  --minutes N      how long, by the wall clock (1)
  --calls N        stop after so many calls
  --seed N         of the first story; each next one has the next (1)
  --level NAME     spans: many calls, audio in large pieces; frames: few, 20 ms at a time (spans)
  --faults FILE    a mix of faults (test/faults/standard.json)
  --replay WHAT    tell one story step by step: the seed of one, or a JSON file with one

  --fleet          instead: many instances on one database behind a balancer, each kind of trouble once; how calls are
                   spread, how fast they are taken over, and what the database has to do. Takes --seed, --calls (300)
  --instances N    of the fleet, at least 3 (10)`;

const progressEveryMs = 15_000;

interface Options {
  minutes: number;
  calls: number;
  seed: number;
  level: Level;
  mix: Mix;
  replay: string | null;
  /** How many instances; null where it is no fleet. */
  fleet: number | null;
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      calls: { type: 'string', default: 'Infinity' },
      seed: { type: 'string', default: '1' },
      level: { type: 'string', default: 'spans' },
      faults: { type: 'string' },
      replay: { type: 'string' },
      fleet: { type: 'boolean', default: false },
      instances: { type: 'string', default: '10' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { level } = values;
  const [minutes, calls, seed] = [values.minutes, values.calls, values.seed].map(Number) as [
    number,
    number,
    number,
  ];
  const fleet = values.fleet ? Number(values.instances) : null;
  const isFleetWrong = fleet !== null && !(Number.isInteger(fleet) && fleet >= 3);
  const isWrong = isFleetWrong || !(minutes > 0 && calls > 0 && Number.isInteger(seed) && seed >= 0);
  if (values.help || isWrong || (level !== 'spans' && level !== 'frames')) return null;
  const mix = values.faults === undefined ? standardMix : readMixFile(values.faults);
  return { minutes, calls, seed, level, mix, replay: values.replay ?? null, fleet };
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

function tellFailure({ story }: Verdict, violations: readonly string[]): void {
  console.log(`\nSeed ${story.seed} failed:`);
  for (const sentence of storyInWords(story)) console.log(`  ${sentence}`);
  for (const violation of violations) console.log(`  VIOLATED ${violation}`);
}

/** Nobody looks at where an error was made, and ours makes some on purpose in every call. */
const withoutStacks = (): void => {
  Error.stackTraceLimit = 0;
};

async function simulate({ minutes, calls, seed, level, mix }: Options): Promise<boolean> {
  withoutStacks();
  const endsAt = performance.now() + minutes * 60_000;
  const cpuAtStart = cpuMs();
  let progressAt = performance.now() + progressEveryMs;
  const rate = (done: number): number => Math.round((done * 60_000) / (cpuMs() - cpuAtStart));
  const campaign = new Campaign({
    mix,
    level,
    seed,
    isEnough: (sofar) => {
      const now = performance.now();
      if (now >= progressAt) {
        progressAt = now + progressEveryMs;
        console.log(
          `${sofar.calls} calls, ${sofar.failed} failed, ${rate(sofar.calls)} calls per minute of CPU`,
        );
      }
      return now >= endsAt || sofar.calls >= calls;
    },
    onFailed: tellFailure,
  });
  // Node.js ends where nothing is left to wait for: a story that waits for what never comes would end the run without a word.
  process.once('exit', () => {
    const { seedAtHand } = campaign;
    if (seedAtHand !== null) console.log(`The story of seed ${seedAtHand} came to no end.`);
  });
  await campaign.run();
  console.log(`\n${rate(campaign.calls)} calls per minute of CPU`);
  console.log(campaign.summary);
  return campaign.failed === 0;
}

function storyToReplay(what: string, mix: Mix): Story {
  return /^\d+$/.test(what)
    ? drawStory(mix, Number(what))
    : readStory(JSON.parse(readFileSync(what, 'utf8')));
}

async function replay(what: string, { mix, level }: Options): Promise<boolean> {
  const story = storyToReplay(what, mix);
  const verdict = await judge(story, level);
  console.log(storyInWords(story).join('\n'));
  console.log(`\n${JSON.stringify(story)}\n`);
  for (const line of accountOf(verdict.stage)) console.log(line);
  const violations = allViolations(verdict);
  console.log(violations.length === 0 ? '\nNothing was violated.' : '');
  for (const violation of violations) console.log(`VIOLATED ${violation}`);
  return violations.length === 0;
}

const fleetCalls = 300;

async function simulateFleet(instances: number, { seed, calls }: Options): Promise<boolean> {
  withoutStacks();
  const plan = planFor({ seed, instances, calls: Number.isFinite(calls) ? calls : fleetCalls });
  for (const line of planInWords(plan)) console.log(line);
  const verdict = await Fleet.play(plan);
  for (const line of verdictInWords(verdict)) console.log(line);
  return isGood(verdict);
}

const carryOut = (options: Options): Promise<boolean> => {
  if (options.fleet !== null) return simulateFleet(options.fleet, options);
  return options.replay === null ? simulate(options) : replay(options.replay, options);
};

function optionsOrFault(): Options | string {
  try {
    return readOptions() ?? usage;
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\n\n${usage}`;
  }
}

const options = optionsOrFault();
if (typeof options === 'string') {
  console.log(options);
  process.exitCode = 2;
} else {
  process.exitCode = (await carryOut(options)) ? 0 : 1;
}
