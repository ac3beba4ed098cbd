/**
 * Owns: the variables that Holdfast reads, as one table: `.env.example`, what is read, and what is said of a missing
 * one all follow from it.
 * Does not own: rules between two variables (`environment.ts`), the bounds of a call (`settings.ts`).
 *
 * Names and defaults are depended on by deployments: none changes.
 */
import { z } from 'zod';
import { phoneNumber } from '../runtime/ports/phone-number.ts';
import { documentUrl, host, neighbourUrl, originUrl, port, serviceUrl, socketUrl } from './address.ts';
import { budgetMs, budgetShare, memoryBudget } from './budgets.ts';
import { instanceId } from './instance.ts';
import { modelPrices } from './prices.ts';
import { type Description, defaulted, optional, required, wholeNumber } from './variable.ts';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const word = z.string().regex(/^\S+$/, 'must hold no spaces');

/** What it takes to act as the Twilio account. */
const accountVariables = {
  TWILIO_ACCOUNT_SID: required({
    purpose: 'The Twilio account that the calls belong to.',
    origin: 'Twilio Console, Account Info: https://console.twilio.com',
    schema: z.string().regex(/^AC[0-9a-f]{32}$/i, 'must be AC and 32 hexadecimal digits'),
  }),
  TWILIO_AUTH_TOKEN: required({
    purpose: 'It proves that a request comes from Twilio, and opens the REST API.',
    secret: true,
    origin: 'Twilio Console, Account Info: https://console.twilio.com',
    schema: word,
  }),
  TWILIO_API_URL: defaulted('https://api.twilio.com', {
    purpose: "Where Twilio's REST API is: the twin's address, or a region's.",
    schema: serviceUrl,
  }),
};

const numberSchema = z
  .string()
  .regex(phoneNumber, 'must be a number in E.164 form: +, country code, digits, no spaces');

const calledNumber: Description<string> = {
  purpose: 'The number that people call. At the start it is checked that its calls come here.',
  origin: 'Twilio Console, Phone Numbers, Active numbers: https://console.twilio.com',
  schema: numberSchema,
};

const publicVariables = {
  PUBLIC_URL: optional({
    purpose: 'The address under which Twilio reaches PORT from outside. It or NGROK_AUTHTOKEN is needed.',
    origin: 'Your load balancer, proxy or tunnel: https://calls.example.com',
    schema: originUrl,
  }),
  NGROK_AUTHTOKEN: optional({
    purpose: 'Opens a tunnel to PORT where PUBLIC_URL is empty.',
    secret: true,
    origin: 'https://dashboard.ngrok.com/get-started/your-authtoken',
    schema: word,
  }),
};

const fallbackVariables = {
  TWILIO_FALLBACK_URL: optional({
    purpose: 'A document outside this host that keeps a caller on the line while no process answers.',
    origin: 'Put deploy/fallback.xml on any web host, and name it here.',
    schema: documentUrl,
  }),
};

const adminVariables = {
  ADMIN_HOST: defaulted('127.0.0.1', {
    purpose:
      'Address of the console, the health page and the metrics. The console shows what was said, and ends calls: off loopback it needs ADMIN_TOKEN.',
    schema: host,
  }),
  ADMIN_PORT: defaulted('8081', {
    purpose:
      'Port of the console, the health page and the metrics. Where it is taken, the next free one is used.',
    schema: port,
  }),
  ADMIN_TOKEN: optional({
    purpose: 'Opens the console, the health page and the metrics where ADMIN_HOST is not loopback.',
    secret: true,
    origin: 'Make one: openssl rand -hex 24',
    schema: z.string().regex(/^[!-~]{16,256}$/, 'must be 16 to 256 letters, digits or signs without spaces'),
  }),
};

/** What reading the calls back takes. */
export const journalVariables = {
  JOURNAL_URL: defaulted('sqlite:data/holdfast.db', {
    purpose:
      'Where the logs of the calls are kept: sqlite:PATH for the processes of one machine, postgres://USER:PASSWORD@HOST/DATABASE for several (several hosts separated by commas, ?sslmode=, ?schema= and the variables of libpq as usual), or memory: to keep nothing.',
    schema: z
      .string()
      .regex(
        /^(sqlite:.|postgres(ql)?:\/\/|memory:$)/,
        'must be sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:',
      ),
  }),
};

/** What pointing the phone number at this service takes. */
export const numberVariables = {
  ...publicVariables,
  ...adminVariables,
  ...accountVariables,
  TWILIO_PHONE_NUMBER: required(calledNumber),
  ...fallbackVariables,
};

/** More would be more than a machine has cores for. */
const mostWorkers = 64;

/** What the service takes, in the order of `.env.example`. */
export const serviceVariables = {
  ...accountVariables,
  TWILIO_PHONE_NUMBER: optional(calledNumber),
  ...fallbackVariables,
  FALLBACK_TRANSFER_TO: optional({
    purpose:
      'Callers whom the model cannot serve are put through to this number. If empty, they hear why and the call ends.',
    origin: 'A phone that somebody answers, in E.164 form: +, country code, digits, no spaces',
    schema: numberSchema,
  }),
  OPENAI_API_KEY: required({
    purpose: 'Opens the sessions with the model that talks to the callers.',
    secret: true,
    origin: 'https://platform.openai.com/api-keys',
    schema: word,
  }),
  OPENAI_MODEL: defaulted('gpt-realtime-2.1', {
    purpose: 'The model that talks to the callers.',
    origin: 'https://platform.openai.com/docs/models',
    schema: word,
  }),
  OPENAI_REALTIME_URL: defaulted('wss://api.openai.com/v1/realtime', {
    purpose: "Where the OpenAI Realtime API is, or the twin's. The model is added as ?model=.",
    schema: socketUrl,
  }),
  ...publicVariables,
  AGENT: defaulted('agents/front-desk.ts', {
    purpose: 'The file that says who answers the calls and what it can do.',
    schema: z.string(),
  }),
  HOST: defaulted('127.0.0.1', {
    purpose: "Address that Twilio's requests are taken on.",
    schema: host,
  }),
  PORT: defaulted('8080', {
    purpose: "Port that Twilio's requests are taken on.",
    schema: port,
  }),
  ...adminVariables,
  ...journalVariables,
  PAYLOADS_KEEP_DAYS: optional({
    purpose:
      'Days after the end of a call for which its personal data is kept: numbers, words, tool arguments and results. If empty, it is kept until somebody erases it.',
    schema: wholeNumber,
  }),
  DRAIN_MS: defaulted('20000', {
    purpose:
      'How long live calls may go on here after SIGTERM when no other process can take them, in milliseconds.',
    schema: wholeNumber,
  }),
  CALLS_LIMIT: optional({
    purpose:
      'Live calls at which this process is full and takes no new one. Those that are known may still come here. If empty, it is never full.',
    schema: wholeNumber,
  }),
  AUDIO_BUDGET_MS: defaulted('50', {
    purpose:
      'What this process may add to one piece of audio in a hundred, in milliseconds. Past a budget it takes no new calls until it is below again. 0 or off: no such budget.',
    schema: budgetMs,
  }),
  EVENT_LOOP_BUDGET_MS: defaulted('100', {
    purpose: 'How late one timer in a hundred may be, in milliseconds; 0 or off.',
    schema: budgetMs,
  }),
  MEMORY_BUDGET: defaulted('85%', {
    purpose:
      'Memory that this process may hold: a share of what it may have (its control group, else the host), or MB; 0 or off.',
    schema: memoryBudget,
  }),
  QUALITY_BUDGET: defaulted('30%', {
    purpose:
      'Share of the windows of 5 s of live calls in which audio may suffer here: dry lines, overflows, late frames; 0 or off.',
    schema: budgetShare,
  }),
  INSTANCE_ID: optional({
    purpose:
      'Name of this process, by which a balancer finds it. No two that run at the same time on the journal share one. If empty, one is made up.',
    schema: instanceId,
  }),
  WORKERS: defaulted('1', {
    purpose:
      'Processes that share PORT and its calls: one for each core that is to carry calls. With more than one, each is an instance of its own, INSTANCE_ID-1, INSTANCE_ID-2 and so on, with an admin port of its own from ADMIN_PORT on.',
    schema: wholeNumber.refine((count) => count <= mostWorkers, `must be at most ${mostWorkers}`),
  }),
  MODEL_PRICES: optional({
    purpose:
      'Dollars for a million tokens of each kind, for the cost in the metrics: inputText=4,inputAudio=32,cachedText=0.4,cachedAudio=0.4,outputText=24,outputAudio=64. If empty, no cost is shown.',
    origin: 'https://platform.openai.com/docs/pricing',
    schema: modelPrices,
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional({
    purpose: 'Where a collector takes traces (OTLP over HTTP); /v1/traces is added. If empty, none are made.',
    origin: 'Your collector or Grafana Tempo: http://127.0.0.1:4318',
    schema: neighbourUrl,
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional({
    purpose: 'The same with nothing added, where traces go elsewhere than to OTEL_EXPORTER_OTLP_ENDPOINT.',
    schema: neighbourUrl,
  }),
  OTEL_EXPORTER_OTLP_HEADERS: optional({
    purpose: 'Headers for the collector: name=value, separated by commas.',
    secret: true,
    origin: 'Your collector, where it asks for a key',
    schema: word,
  }),
  LOG_LEVEL: defaulted('info', {
    purpose: `How much is logged: ${logLevels.join(', ')}.`,
    schema: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`),
  }),
};
