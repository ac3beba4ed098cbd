/**
 * Owns: what `npm run load` is told on its command line.
 * Does not own: doing it.
 *
 * Invariants:
 * LO1. Nothing that was said is dropped: an option that the run would not heed is refused.
 */
import { parseArgs } from 'node:util';
import { isScenario, type Scenario, scenarios } from '../../src/twin/load/caller-plan.ts';
import { isSubjectName, type SubjectName, subjectNames } from '../bench/subject.ts';
import { mostTried } from './find-limit.ts';

export const usage = `npm run load -- [options]

  --calls 200        calls at once
  --ramp 10s         time in which they come
  --minutes 2        how long they are measured after it
  --scenario talk    ${scenarios.join(', ')}
  --address URL      the public address of a service that runs already; else one is started here
  --admin HOST:PORT  where its metrics are, for CPU time, memory and what is left in the end
  --peers HOST:PORT  where the load peers listen, for such a service (127.0.0.1:9090)
  --subject service  what is started here: ${subjectNames.join(', ')}
  --find             the most calls with p99 added latency under 20 ms, of what is started here; --subject may name
                     several, --calls is the first number that is tried; only --scenario beside them
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
  ramp: { type: 'string' },
  minutes: { type: 'string' },
  scenario: { type: 'string', default: 'talk' },
  address: { type: 'string' },
  admin: { type: 'string' },
  peers: { type: 'string' },
  subject: { type: 'string' },
  find: { type: 'boolean', default: false },
  json: { type: 'string' },
  html: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const initial = { ramp: '10s', minutes: '2', subject: 'service', peersForAddress: '127.0.0.1:9090' } as const;

/** A call that is replaced may not meet its own number: stamps have 65,536 of them. */
const mostCalls = 32_768;
/** Of which a few seconds are sampled. */
const leastMinutes = 0.05;

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
  refuseUnheeded(values);
  const { scenario } = values;
  if (!isScenario(scenario)) throw new Error(`--scenario must be one of ${scenarios.join(', ')}`);
  const address = values.address === undefined ? null : urlOf(values.address);
  const peers = values.peers ?? (address === null ? '127.0.0.1:0' : initial.peersForAddress);
  const { host, port } = placeOf('--peers', peers);
  return {
    calls: callsOf(values.calls, values.find ? mostTried : mostCalls),
    rampMs: rampMsOf(values.ramp ?? initial.ramp),
    windowMs: minutesOf(values.minutes ?? initial.minutes) * 60_000,
    scenario,
    address,
    adminAddress: values.admin === undefined ? null : addressOf(placeOf('--admin', values.admin)),
    adminToken: process.env.ADMIN_TOKEN ?? null,
    peersHost: host,
    peersPort: port,
    subjects: subjectsOf(values.subject ?? initial.subject),
    finds: values.find,
    jsonFile: values.json ?? null,
    htmlFile: values.html ?? null,
  };
}

const unheededByFind = ['address', 'admin', 'peers', 'ramp', 'minutes', 'json', 'html'] as const;

/** LO1. */
function refuseUnheeded(values: Values): void {
  const refuse = (name: keyof Values, why: string): void => {
    if (values[name] !== undefined) throw new Error(`--${name} ${why}`);
  };
  if (values.find)
    for (const name of unheededByFind) refuse(name, 'has no effect with --find: leave one out');
  else if (values.subject?.includes(',')) refuse('subject', 'names several, which only --find measures');
  if (values.address === undefined)
    refuse('admin', 'is of a service that runs already: give its --address, too');
  else refuse('subject', 'is what is started here: leave it out, or --address');
}

function callsOf(text: string, most: number): number {
  const calls = Number(text);
  if (/^\d+$/.test(text) && calls >= 1 && calls <= most) return calls;
  throw new Error(`--calls must be a whole number from 1 to ${most}`);
}

function rampMsOf(text: string): number {
  const rampMs = durationMsOf(text);
  if (rampMs !== null && rampMs > 0) return rampMs;
  throw new Error('--ramp must be a duration above 0, as 10s, 500ms, 2m');
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && minutes >= leastMinutes) return minutes;
  throw new Error(`--minutes must be a number from ${leastMinutes}`);
}

function urlOf(text: string): string {
  const { protocol, search, hash } = new URL(URL.canParse(text) ? text : 'none:');
  if (protocol === 'http:' && search === '' && hash === '') return text.replace(/\/+$/, '');
  throw new Error('--address must be a URL as http://host:port');
}

interface Place {
  host: string;
  port: number;
}

const addressOf = ({ host, port }: Place): string => `${host}:${port}`;

function placeOf(name: string, text: string): Place {
  const [, host, digits] = /^([\w.-]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new Error(`${name} must be HOST:PORT`);
}

export function subjectsOf(text: string): [SubjectName, ...SubjectName[]] {
  const [first, ...others] = text.split(',');
  if (first !== undefined && isSubjectName(first) && others.every(isSubjectName)) return [first, ...others];
  throw new Error(`a subject is one of ${subjectNames.join(', ')}`);
}
