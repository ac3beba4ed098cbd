/**
 * Owns: `npm run drill`: the command line, what is shown while drills run, and the table.
 * Does not own: the drills (`drill/catalogue.ts`), running one (`drill/run.ts`).
 *
 * Exit codes: 0 every promise was held; 1 one was not, or a drill cannot be held; 2 the command line is wrong.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drills, drillsByHand, fleetDrills } from './drill/catalogue.ts';
import { canHaveFleet } from './drill/fleet.ts';
import { type Plan, type Policy, policies } from './drill/plan.ts';
import { run } from './drill/run.ts';
import { headLine, markdown, merge, replaceTable, rowLine } from './drill/table.ts';
import type { Row } from './drill/verdict.ts';

const documentPath = join(import.meta.dirname, '../docs/drills.md');

/** More calls at once than this are run policy by policy, and drill by drill. */
const mostCallsAtOnce = 60;

const mostLanes = 3;

const usage = `npm run drill -- <name> [--calls 20] [--policy action|hold|end|every] [--runs 1] [--seed S] [--keep] [--write] [--shared]

  ${Object.keys(drills).join(' ')}
  all (the above)
  ${Object.keys(fleetDrills).join(' ')}
  fleet (the line above and rolling-restart: three instances behind nginx, on PostgreSQL)
  ${Object.keys(drillsByHand).join(' ')}

  --policy  what the twin's Twilio does when a stream has ended; every, where the drill asks for it
  --keep    keeps journal and logs of drills that went well too
  --write   puts the table into docs/drills.md
  --shared  the machine is busy with other things: what hangs on its speed is told, and fails nothing`;

interface Order {
  names: string[];
  calls: number;
  policies: readonly Policy[];
  runs: number;
  seed: number;
  keep: boolean;
  write: boolean;
  shared: boolean;
}

/** A busy machine adds silences of its own, and callers who wait too long say things again. */
const hangOnSpeed =
  /^(the gap|who is not struck|no turn|no word|every word|the cap|at most two sessions|a process that is gone)/;

const known: typeof drills = { ...drills, ...fleetDrills, ...drillsByHand };

const together: Readonly<Record<string, readonly string[]>> = {
  all: Object.keys(drills),
  fleet: [...Object.keys(fleetDrills), 'rolling-restart'],
};

class UsageError extends Error {}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--${name} must be a whole number`);
  return Number(text);
}

function policiesFrom(text: string): readonly Policy[] {
  if (text === 'every') return policies;
  const policy = policies.find((name) => name === text);
  if (!policy) throw new UsageError(`there is no policy ${text}`);
  return [policy];
}

function namesFrom(words: readonly string[]): string[] {
  const names = words.flatMap((word) => together[word] ?? [word]);
  const unknown = names.find((name) => !(name in known));
  if (unknown) throw new UsageError(`there is no drill ${unknown}`);
  if (names.length === 0) throw new UsageError('which drill?');
  return names;
}

const options = {
  calls: { type: 'string', default: '20' },
  policy: { type: 'string', default: 'every' },
  runs: { type: 'string', default: '1' },
  seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1e6)) },
  keep: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  shared: { type: 'boolean', default: false },
} as const;

function parseWords() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readOrder(): Order {
  const { values, positionals } = parseWords();
  return {
    names: namesFrom(positionals),
    calls: wholeNumber('calls', values.calls),
    policies: policiesFrom(values.policy),
    runs: wholeNumber('runs', values.runs),
    seed: wholeNumber('seed', values.seed),
    keep: values.keep,
    write: values.write,
    shared: values.shared,
  };
}

/** The policies that run at the same time. */
function batches(plan: Plan, { policies: chosen, calls }: Order): (readonly Policy[])[] {
  if (!plan.underEachPolicy) return [chosen.slice(0, 1)];
  return calls * chosen.length <= mostCallsAtOnce ? [chosen] : chosen.map((policy) => [policy]);
}

function show({ rows, folder }: { rows: readonly Row[]; folder: string | null }): void {
  for (const row of rows) {
    console.log(rowLine(row));
    if (row.notes.length > 0) console.log(`    ${row.notes.join('; ')}`);
    for (const promise of row.broken) console.log(`  ✗ ${promise}`);
  }
  if (folder !== null) console.log(`    journal and logs: ${folder}`);
}

interface Turn {
  plan: Plan;
  policies: readonly Policy[];
  seed: number;
}

/** Without its run with a fleet where that cannot be had and there are others. */
function plansOf(name: string): readonly Plan[] {
  const plans = known[name]?.() ?? [];
  const onOneHost = plans.filter(({ fleet }) => fleet === undefined);
  const isWhole = onOneHost.length === plans.length || onOneHost.length === 0;
  if (isWhole || process.env.REQUIRE_ALL === '1' || canHaveFleet()) return plans;
  console.log(`Left out of ${name}: its run with a fleet, which takes PostgreSQL, nginx and openssl.`);
  return onOneHost;
}

/** Everything that is to be run, in order. */
function turnsOf(order: Order): Turn[] {
  const rounds = Array.from({ length: order.runs }, () => order.names);
  const plans = rounds.flat().flatMap(plansOf);
  return plans
    .flatMap((plan) => batches(plan, order).map((batch) => ({ plan, policies: batch })))
    .map((turn, index) => ({ ...turn, seed: order.seed + index }));
}

/** Runs that may go on side by side: each has processes, ports and a journal of its own. */
const lanesFor = ({ calls, policies: chosen }: Order): number =>
  Math.max(1, Math.min(mostLanes, Math.floor(mostCallsAtOnce / (calls * chosen.length))));

/** Holds the runs in order. They are shown as they end. */
async function holdAll(order: Order): Promise<boolean> {
  const turns = turnsOf(order);
  const held: Row[][] = turns.map(() => []);
  let isHeld = true;
  const takeTurns = async (): Promise<void> => {
    for (let next = turns.shift(); next; next = turns.shift()) {
      const place = held.length - turns.length - 1;
      try {
        const outcome = await run(next.plan, { ...order, policies: next.policies, seed: next.seed });
        show(outcome);
        held[place] = outcome.rows;
      } catch (error) {
        isHeld = false;
        console.log(`${next.plan.name}\n  ✗ ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  console.log(`${order.calls} calls each, seed ${order.seed}\n\n${headLine()}`);
  await Promise.all(Array.from({ length: lanesFor(order) }, takeTurns));
  return report(order, held.flat(), isHeld);
}

function report(order: Order, rows: readonly Row[], isComplete: boolean): boolean {
  const merged = merge(rows);
  if (order.runs > 1)
    console.log(`\nAll ${order.runs} runs\n${headLine()}\n${merged.map(rowLine).join('\n')}`);
  if (order.write) {
    const name = order.names.some((each) => each in fleetDrills) ? 'fleet' : 'drills';
    writeFileSync(documentPath, replaceTable(readFileSync(documentPath, 'utf8'), markdown(merged), name));
  }
  const broken = rows.flatMap((row) => row.broken);
  const counted = order.shared ? broken.filter((promise) => !hangOnSpeed.test(promise)) : broken;
  if (!isComplete) console.log('\nNot every drill could be held.');
  else if (broken.length === 0) console.log('\nEvery promise was held.');
  else console.log('\nNot every promise was held.');
  if (counted.length < broken.length)
    console.log(`${broken.length - counted.length} hang on the speed of the machine, which is shared.`);
  return isComplete && counted.length === 0;
}

try {
  process.exitCode = (await holdAll(readOrder())) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
