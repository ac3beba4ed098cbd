/**
 * Owns: `npm run twin`: the offline Twilio and the offline OpenAI Realtime as servers of their own, for a service that
 * runs beside them.
 * Does not own: the service; the twin knows it by its address only.
 *
 * Exit codes: 0 stopped on request; 1 a port is taken; 2 the command line is wrong.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startTwin, type Twin } from './both-halves.ts';
import { echoBrain } from './openai/echo-brain.ts';
import { brainFromJson } from './openai/scripted-brain.ts';
import type { CallHandle } from './twilio/call/call-handle.ts';

const usage = `npm run twin -- [options]

  --service URL      where the service to be called listens (http://127.0.0.1:8080)
  --twilio-port N    port of the offline Twilio's REST API (9080)
  --openai-port N    port of the offline OpenAI Realtime (9081)
  --script FILE      what the model says, as JSON; small talk unless told
  --policy NAME      what Twilio does when a stream ends: action, hold or end (action)`;

const options = {
  service: { type: 'string', default: 'http://127.0.0.1:8080' },
  'twilio-port': { type: 'string', default: '9080' },
  'openai-port': { type: 'string', default: '9081' },
  script: { type: 'string' },
  policy: { type: 'string', default: 'action' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function readWords() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}

const values = readWords();

const policies = ['action', 'hold', 'end'] as const;

/** As a shell takes them. The service listens where the twin looks for it. */
const linesOf = ({ environment }: Twin): string =>
  Object.entries({ ...environment, PORT: new URL(values.service).port || '80' })
    .map(([name, value]) => `${name}=${value} \\`)
    .join('\n');

async function start(): Promise<Twin> {
  const policy = policies.find((known) => known === values.policy);
  if (!policy) throw new Error(usage);
  const twin = await startTwin({
    service: values.service,
    brain: values.script ? brainFromJson(readFileSync(values.script, 'utf8')) : echoBrain(),
    policy,
    twilioPort: Number(values['twilio-port']),
    openaiPort: Number(values['openai-port']),
  });
  console.log(`The twin runs. Start the service in another terminal with

${linesOf(twin)}
npm start

Press Enter to place a call, Ctrl-C to stop.`);
  return twin;
}

/** What Twilio's debugger would show: without it, a service that is not there looks like one that hangs up. */
function tellNotices({ notices }: CallHandle): void {
  for (const { code, name, detail } of notices) console.log(`        Twilio: ${code} ${name}: ${detail}`);
}

/** Somebody who asks about a bicycle, and hangs up in the end. */
function placeCall(twin: Twin): void {
  const call = twin.placeCall({
    script: [
      { say: 'bike-ready' },
      { say: 'how-much' },
      { say: 'closing-time' },
      { say: 'goodbye' },
      { hangUp: true },
    ],
  });
  const began = performance.now();
  console.log(`${call.record.sid}: calling`);
  call.onEvent((event) => {
    const seconds = ((performance.now() - began) / 1_000).toFixed(1).padStart(6);
    const detail = 'status' in event ? ` ${event.status}` : 'verb' in event ? ` ${event.verb}` : '';
    console.log(`${seconds}  ${event.event}${detail}`);
  });
  void call.ended.then(() => tellNotices(call));
}

if (values.help) console.log(usage);
else {
  const twin = await start().catch((error: Error) => {
    console.error(error.message);
    process.exit(error.message === usage ? 2 : 1);
  });
  createInterface({ input: process.stdin }).on('line', () => placeCall(twin));
  process.once('SIGINT', () => process.exit(0));
  process.once('SIGTERM', () => process.exit(0));
}
