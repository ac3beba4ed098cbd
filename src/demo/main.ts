/**
 * Owns: `npm run demo`: one call, offline, through the same code that serves real ones. The twin is only two other
 * addresses.
 * Does not own: the conversation (`scenario.ts`), how it looks (`screen.ts`).
 *
 * Exit codes: 0 the call went as scripted; 1 it did not, or the service did not start; 2 the command line is wrong.
 */
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { systemClock } from '../platform/clock.ts';
import { replay } from '../runtime/history.ts';
import { formatPhase } from '../service/phase-report.ts';
import { Service } from '../service/service.ts';
import { startTwin, type Twin } from '../twin/both-halves.ts';
import { scriptedBrain } from '../twin/openai/scripted-brain.ts';
import { callerScript, frontDeskScript } from './scenario.ts';
import { formatSummary, Screen } from './screen.ts';

const usage = `npm run demo -- [options]

  --keep   stays after its call, with the console`;

function readWords() {
  const known = {
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    return parseArgs({ options: known }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

const options = readWords();

/** The call must be over by then, or the demo has failed. */
const longestDemoMs = 120_000;

/** The port itself where it is free, else any that is. */
function findPort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => (wanted === 0 ? reject(new Error('no port is free')) : resolve(findPort(0))));
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : wanted));
    });
  });
}

/** Nothing of a real account's environment is used but where the journal lies and how much is logged. */
const environmentFor = (port: number, { environment }: Twin) => ({
  ...environment,
  PORT: String(port),
  JOURNAL_URL: process.env.JOURNAL_URL,
  LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
});

/** Places the call, and resolves with our id of it when its log is complete. */
async function holdCall(twin: Twin, over: Promise<void>): Promise<string> {
  const call = twin.placeCall({ script: callerScript });
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error('the call did not end in time')), longestDemoMs);
  await Promise.race([Promise.all([call.ended, over]), limit.promise]);
  clearTimeout(timer);
  return call.record.sid;
}

async function summarise(service: Service, screen: Screen, callId: string): Promise<boolean> {
  const steps = await replay(service.journal, callId);
  const equal = steps.every(({ matches }) => matches);
  console.log(`\nSummary\n${formatSummary(screen.measures).join('\n')}`);
  console.log(
    `  log                               ${steps.length} entries; replayed, the fold ${equal ? 'equals' : 'DIFFERS FROM'} the stored states`,
  );
  console.log(
    `\nLook at it again\n  npx holdfast calls\n  npx holdfast show ${callId}\n  npx holdfast replay ${callId}`,
  );
  const { turns, interruptions, toolCalls, endReason } = screen.measures;
  return equal && turns >= 3 && interruptions >= 1 && toolCalls >= 1 && endReason === 'agent.hungUp';
}

/** Until Ctrl-C. */
async function keepRunning(service: Service, port: number): Promise<void> {
  const { adminPort } = service.addresses;
  console.log(
    `\nStill running: http://127.0.0.1:${port}. The console is at http://127.0.0.1:${adminPort}. Ctrl-C stops it.`,
  );
  process.once('SIGINT', () => service.drain('SIGINT'));
  process.once('SIGTERM', () => service.drain('SIGTERM'));
  await service.stopped;
}

async function main(): Promise<boolean> {
  console.log('One phone call, offline: Twilio and OpenAI are played by the twin on this machine.\n');
  const port = await findPort(8_080);
  const brain = scriptedBrain(frontDeskScript);
  const twin = await startTwin({ service: `http://127.0.0.1:${port}`, brain });
  const screen = new Screen(console.log);
  const over = Promise.withResolvers<void>();
  const service = new Service({
    environment: environmentFor(port, twin),
    clock: systemClock,
    onChange: (snapshot, fact) => {
      if (fact && 'phase' in fact) console.log(formatPhase(fact.phase, snapshot.context.phases[fact.phase]));
    },
    onStep: (step) => {
      screen.observe(step);
      if (step.entry.type === 'call.ended') step.call.durable().then(over.resolve, over.reject);
    },
  });
  let good = false;
  if ((await service.start()) === 'running') {
    console.log('');
    const callId = await holdCall(twin, over.promise);
    good = await summarise(service, screen, callId);
    if (options.keep) await keepRunning(service, port);
    else service.stop('the demo is over');
  }
  await service.stopped;
  await twin.close();
  return good;
}

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', () => process.exit(0));
if (options.help) console.log(usage);
else process.exitCode = (await main()) ? 0 : 1;
