/**
 * Owns: what `npm run load` is told on its command line.
 * Does not own: doing it.
 */
import { parseArgs } from 'node:util';
import { isScenario, type Scenario, scenarios } from '../../src/twin/load/caller-plan.ts';
import { isSubjectName, type SubjectName, subjectNames } from '../bench/subject.ts';

export const usage = `npm run load -- [options]

  --calls 200        calls at once
  --ramp 10s         time in which they come
  --minutes 2        how long they are measured after it
  --scenario talk    ${scenarios.join(', ')}
  --address URL      the public address of a service that runs already; else one is started here
  --admin HOST:PORT  where its metrics are, for CPU time, memory and what is left in the end
  --peers HOST:PORT  where the load peers listen, for such a service (127.0.0.1:9090)
  --subject service  what is started here: ${subjectNames.join(', ')}
  --find             the most calls with p99 added latency under 20 ms; --subject may name several
  --json FILE        the report as data
  --html FILE        the report as a page`;

export interface LoadCommand {
  calls: number;
  rampMs: number;
  windowMs: number;
  scenario: Scenario;
  address: string | null;
  adminAddress: string | null;
  adminToken: string | null;
  peersHost: string;
  /** 0: any. */
  peersPort: number;
  subjects: [SubjectName, ...SubjectName[]];
  finds: boolean;
  jsonFile: string | null;
  htmlFile: string | null;
}

const options = {
  calls: { type: 'string', default: '200' },
  ramp: { type: 'string', default: '10s' },
  minutes: { type: 'string', default: '2' },
  scenario: { type: 'string', default: 'talk' },
  address: { type: 'string' },
  admin: { type: 'string' },
  peers: { type: 'string' },
  subject: { type: 'string', default: 'service' },
  find: { type: 'boolean', default: false },
  json: { type: 'string' },
  html: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const defaultPeers = '127.0.0.1:9090';

/** Milliseconds of `10s`, `500ms`, `2m`. */
export function durationMsOf(text: string): number | null {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (amount === undefined) return null;
  return Number(amount) * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000);
}

/** A text is what is wrong with it, or how it is used. */
export function readCommand(parameters: string[]): LoadCommand | string {
  try {
    const { values } = parseArgs({ args: parameters, options });
    return values.help ? usage : commandOf(values);
  } catch (error) {
    return `${(error as Error).message}\n\n${usage}`;
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

/** @throws Error that names the option */
function commandOf(values: Values): LoadCommand {
  const { scenario } = values;
  if (!isScenario(scenario)) throw new Error(`--scenario must be one of ${scenarios.join(', ')}`);
  const address = values.address?.replace(/\/+$/, '') ?? null;
  const [peersHost = '127.0.0.1', peersPort = '0'] = (
    values.peers ?? (address === null ? '127.0.0.1:0' : defaultPeers)
  ).split(':');
  return {
    calls: positive('--calls', Number(values.calls)),
    rampMs: positive('--ramp', durationMsOf(values.ramp)),
    windowMs: positive('--minutes', Number(values.minutes)) * 60_000,
    scenario,
    address,
    adminAddress: values.admin ?? null,
    adminToken: process.env.ADMIN_TOKEN ?? null,
    peersHost,
    peersPort: Number(peersPort),
    subjects: subjectsOf(values.subject),
    finds: values.find,
    jsonFile: values.json ?? null,
    htmlFile: values.html ?? null,
  };
}

function positive(name: string, value: number | null): number {
  if (value !== null && value > 0 && Number.isFinite(value)) return value;
  throw new Error(`${name} must be above 0`);
}

export function subjectsOf(text: string): [SubjectName, ...SubjectName[]] {
  const [first, ...others] = text.split(',');
  if (first !== undefined && isSubjectName(first) && others.every(isSubjectName)) return [first, ...others];
  throw new Error(`a subject is one of ${subjectNames.join(', ')}`);
}
