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
import { echoBrain } from './openai/echo-brain.ts';
import { brainFromJson } from './openai/scripted-brain.ts';
import { startOpenAiTwin } from './openai/server.ts';
import { startTwilioTwin, type TwinServer } from './twilio/server.ts';

const usage = `npm run twin -- [options]

  --service URL      where the service to be called listens (http://127.0.0.1:8080)
  --twilio-port N    port of the offline Twilio's REST API (9080)
  --openai-port N    port of the offline OpenAI Realtime (9081)
  --script FILE      what the model says, as JSON; small talk unless told
  --policy NAME      what Twilio does when a stream ends: action, hold or end (action)`;

const account = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'offline-auth-token' };
const number = '+15550100';

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

async function start(): Promise<TwinServer> {
  const policy = policies.find((known) => known === values.policy);
  if (!policy) throw new Error(usage);
  const brain = values.script ? brainFromJson(readFileSync(values.script, 'utf8')) : echoBrain();
  const openai = await startOpenAiTwin({ brain, port: Number(values['openai-port']) });
  const twilio = await startTwilioTwin({
    ...account,
    policy,
    port: Number(values['twilio-port']),
    allowInsecureStreams: true,
    numbers: {
      [number]: {
        voiceUrl: `${values.service}/twilio/voice`,
        voiceFallbackUrl: `${values.service}/twilio/fallback`,
        statusCallback: `${values.service}/twilio/status`,
      },
    },
  });
  console.log(`The twin runs. Start the service in another terminal with

TWILIO_ACCOUNT_SID=${account.accountSid} \\
TWILIO_AUTH_TOKEN=${account.authToken} \\
TWILIO_API_URL=${twilio.url} TWILIO_PHONE_NUMBER=${number} \\
OPENAI_API_KEY=sk-offline OPENAI_REALTIME_URL=${openai.url} \\
PUBLIC_URL=${values.service} npm start

Press Enter to place a call, Ctrl-C to stop.`);
  return twilio;
}

/** Somebody who asks about a bicycle, and hangs up in the end. */
function placeCall(twilio: TwinServer): void {
  const call = twilio.placeCall({
    to: number,
    from: '+15550123',
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
}

if (values.help) console.log(usage);
else {
  const twilio = await start().catch((error: Error) => {
    console.error(error.message);
    process.exit(error.message === usage ? 2 : 1);
  });
  createInterface({ input: process.stdin }).on('line', () => placeCall(twilio));
  process.once('SIGINT', () => process.exit(0));
  process.once('SIGTERM', () => process.exit(0));
}
