/**
 * Owns: reading the environment into a configuration, for the service and for each command that needs less of it.
 * Does not own: the variables themselves (`variables.ts`, `settings.ts`), the file `.env` (`dotenv.ts`).
 *
 * Invariants:
 * G1. Everything that is missing or wrong is reported at once, and nothing starts before.
 * G2. An empty variable counts as absent; space around a value is no part of it.
 */
import type { Settings } from '../machines/settings.ts';
import { isLoopback } from '../platform/loopback.ts';
import { type BudgetLimits, budgetOfEach } from './budgets.ts';
import type { Environment } from './dotenv.ts';
import { type ConfigurationFault, faultOf, InvalidConfiguration } from './fault.ts';
import { createInstanceId } from './instance.ts';
import type { ModelPrices } from './prices.ts';
import { settingsFrom, settingVariables } from './settings.ts';
import type { Variable } from './variable.ts';
import { journalVariables, type LogLevel, numberVariables, serviceVariables } from './variables.ts';

/** How Twilio reaches this process: at an address of its own, or through an ngrok tunnel that is yet to be opened. */
export type PublicAddress = { kind: 'url'; url: string } | { kind: 'tunnel'; authToken: string };

export interface TwilioAccount {
  accountSid: string;
  authToken: string;
  /** Without a slash at the end. */
  apiUrl: string;
}

export interface AdminAddress {
  host: string;
  port: number;
  /** Null on loopback only. */
  token: string | null;
}

export interface Configuration {
  /** Fit for a URL path. */
  instance: string;
  host: string;
  port: number;
  admin: AdminAddress;
  publicAddress: PublicAddress;
  twilio: TwilioAccount & { phoneNumber: string | null; fallbackUrl: string | null };
  /** E.164: callers whom the model cannot serve are put through to it. */
  fallbackTransferTo: string | null;
  openai: { apiKey: string; model: string; realtimeUrl: string };
  journalUrl: string;
  /** How long a call's personal data is kept after its end; null: until somebody erases it. */
  payloadsKeepDays: number | null;
  /** Path of the agent's file, relative to the working directory or absolute. */
  agent: string;
  /** How long live calls may go on after SIGTERM when no other process can take them. */
  drainMs: number;
  /** Live calls at which no new one is taken; null: any number is. */
  callsLimit: number | null;
  /** What this process may use up before it takes no new calls. */
  budgets: BudgetLimits;
  logLevel: LogLevel;
  /** Null: no cost is told. */
  modelPrices: ModelPrices | null;
  /** Where traces go; without an endpoint none are made. `headers` as `name=value`, separated by commas. */
  traces: { endpoint: string | null; tracesEndpoint: string | null; headers: string | null };
  /** Values that no log line and no span may show. */
  secrets: readonly string[];
  settings: Settings;
}

/** What `number point-here` needs; with a tunnel, the running service at `admin` knows the public address. */
export interface NumberConfiguration {
  twilio: TwilioAccount & { phoneNumber: string; fallbackUrl: string | null };
  publicAddress: PublicAddress;
  admin: AdminAddress;
}

type Table = Readonly<Record<string, Variable>>;
type Values<Of extends Table> = {
  [Name in keyof Of]: Of[Name] extends Variable<infer Value> ? Value : never;
};

/** What the service runs with. @throws InvalidConfiguration (a FixCallError, `configuration.invalid`) */
export function readConfiguration(environment: Environment): Configuration {
  const [values, faults] = read(serviceVariables, environment);
  const [bounds, boundFaults] = read(settingVariables, environment);
  refuse([...faults, ...boundFaults]);
  return {
    instance: values.INSTANCE_ID ?? createInstanceId(),
    host: values.HOST,
    port: values.PORT,
    admin: adminAddress(values),
    publicAddress: publicAddress(values),
    twilio: {
      ...twilioAccount(values),
      phoneNumber: values.TWILIO_PHONE_NUMBER,
      fallbackUrl: values.TWILIO_FALLBACK_URL,
    },
    fallbackTransferTo: values.FALLBACK_TRANSFER_TO,
    openai: {
      apiKey: values.OPENAI_API_KEY,
      model: values.OPENAI_MODEL,
      realtimeUrl: values.OPENAI_REALTIME_URL,
    },
    journalUrl: values.JOURNAL_URL,
    payloadsKeepDays: values.PAYLOADS_KEEP_DAYS,
    agent: values.AGENT,
    drainMs: values.DRAIN_MS,
    callsLimit: values.CALLS_LIMIT,
    budgets: {
      audioMs: values.AUDIO_BUDGET_MS,
      eventLoopMs: values.EVENT_LOOP_BUDGET_MS,
      memory: budgetOfEach(values.MEMORY_BUDGET, values.WORKERS),
      qualityShare: values.QUALITY_BUDGET,
    },
    logLevel: values.LOG_LEVEL,
    modelPrices: values.MODEL_PRICES,
    traces: {
      endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
      tracesEndpoint: values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
      headers: values.OTEL_EXPORTER_OTLP_HEADERS,
    },
    secrets: secretsOf(values),
    settings: settingsFrom(bounds, values.FALLBACK_TRANSFER_TO === null ? 'hangUp' : 'transfer'),
  };
}

/** How many processes are to share the work: one where that is not said rightly, which `readConfiguration` then tells. */
export function readWorkers(environment: Environment): number {
  const { WORKERS } = serviceVariables;
  const [values, faults] = read({ WORKERS }, environment);
  return faults.some(({ name }) => name === 'WORKERS') ? 1 : values.WORKERS;
}

const secretsOf = (values: Readonly<Record<string, unknown>>): string[] =>
  Object.entries<Variable>(serviceVariables)
    .filter(([, { secret }]) => secret)
    .map(([name]) => values[name])
    .filter((value) => typeof value === 'string');

/** What the commands that look at calls need. @throws InvalidConfiguration */
export function readJournalUrl(environment: Environment): string {
  const [values, faults] = read(journalVariables, environment);
  refuse(faults);
  return values.JOURNAL_URL;
}

/** @throws InvalidConfiguration */
export function readNumberConfiguration(environment: Environment): NumberConfiguration {
  const [values, faults] = read(numberVariables, environment);
  refuse(faults);
  return {
    twilio: {
      ...twilioAccount(values),
      phoneNumber: values.TWILIO_PHONE_NUMBER,
      fallbackUrl: values.TWILIO_FALLBACK_URL,
    },
    publicAddress: publicAddress(values),
    admin: adminAddress(values),
  };
}

/** The values are whole only where there is no fault. */
function read<Of extends Table>(table: Of, environment: Environment): [Values<Of>, ConfigurationFault[]] {
  const values: Record<string, unknown> = {};
  const faults: ConfigurationFault[] = [];
  for (const [name, variable] of Object.entries(table)) {
    const parsed = variable.schema.safeParse(textOf(environment, name));
    const problem = parsed.success ? relationFault(name, environment) : firstMessage(parsed.error);
    if (problem !== null) faults.push(faultOf(name, variable, problem));
    values[name] = parsed.data;
  }
  return [values as Values<Of>, faults];
}

const firstMessage = ({ issues }: { issues: readonly { message: string }[] }): string =>
  issues[0]?.message ?? 'is wrong';

/** What is wrong with a variable because of another one. */
function relationFault(name: string, environment: Environment): string | null {
  const isAbsent = (other: string) => textOf(environment, other) === undefined;
  if (name === 'PUBLIC_URL' && isAbsent('PUBLIC_URL') && isAbsent('NGROK_AUTHTOKEN')) {
    return 'is missing, and so is NGROK_AUTHTOKEN: one of them is needed';
  }
  const adminHost = textOf(environment, 'ADMIN_HOST') ?? 'localhost';
  if (name === 'ADMIN_TOKEN' && isAbsent('ADMIN_TOKEN') && !isLoopback(adminHost)) {
    return 'is missing, and ADMIN_HOST is not loopback';
  }
  return name === 'WORKERS' ? workersFault(environment) : null;
}

/** What each of several workers would have for itself, and needs to share. */
function workersFault(environment: Environment): string | null {
  if (Number(textOf(environment, 'WORKERS') ?? 1) <= 1) return null;
  if (textOf(environment, 'JOURNAL_URL') === 'memory:') {
    return 'is more than 1, and JOURNAL_URL is memory:, which no two processes share';
  }
  if (textOf(environment, 'PUBLIC_URL') === undefined) {
    return 'is more than 1, and PUBLIC_URL is missing: a tunnel leads to one process alone';
  }
  return null;
}

function textOf(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}

function refuse(faults: readonly ConfigurationFault[]): void {
  if (faults.length > 0) throw new InvalidConfiguration(faults);
}

interface AccountValues {
  TWILIO_ACCOUNT_SID: string;
  TWILIO_AUTH_TOKEN: string;
  TWILIO_API_URL: string;
}

const twilioAccount = (values: AccountValues): TwilioAccount => ({
  accountSid: values.TWILIO_ACCOUNT_SID,
  authToken: values.TWILIO_AUTH_TOKEN,
  apiUrl: values.TWILIO_API_URL,
});

interface AdminValues {
  ADMIN_HOST: string;
  ADMIN_PORT: number;
  ADMIN_TOKEN: string | null;
}

const adminAddress = (values: AdminValues): AdminAddress => ({
  host: values.ADMIN_HOST,
  port: values.ADMIN_PORT,
  token: values.ADMIN_TOKEN,
});

interface PublicValues {
  PUBLIC_URL: string | null;
  NGROK_AUTHTOKEN: string | null;
}

/** One of the two is there: `relationFault` saw to it. */
const publicAddress = ({ PUBLIC_URL: url, NGROK_AUTHTOKEN: authToken }: PublicValues): PublicAddress =>
  url === null ? { kind: 'tunnel', authToken: authToken as string } : { kind: 'url', url };
