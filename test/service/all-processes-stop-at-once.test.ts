/**
 * A host that is shut down: real processes on one port are all told to stop, or killed, while callers speak. The one that
 * counted on the other must not leave its callers at a closed door (Q4).
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import type { Environment } from '../../src/config/dotenv.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { readEntries } from '../../src/runtime/history.ts';
import type { CallHandle } from '../../src/twin/twilio/call/call-handle.ts';
import { findPort } from '../support/free-port.ts';
import { withoutBudgets } from '../support/without-budgets.ts';
import { Host, number, type RunningProcess, until } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isStreaming = ({ events }: CallHandle): boolean =>
  events.findLast(({ event }) => event === 'streamStarted' || event === 'streamEnded')?.event ===
  'streamStarted';

/** Questions what to do next that came to a closed door. */
const unanswered = ({ webhooks }: CallHandle): string[] =>
  webhooks
    .filter(({ url, outcome }) => url.includes('/continue') && outcome.kind !== 'answered')
    .map(({ outcome }) => JSON.stringify(outcome));

/** Loud for 30 s: no quiet moment comes before the deadline. */
const monologue = Uint8Array.from({ length: 30 * 8_000 }, (_, sample) => (sample % 20 < 10 ? 0x10 : 0x90));

async function shop(changes: Environment) {
  const port = await findPort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const [openai, twilio] = [await host.openai(), await host.twilio(publicUrl)];
  const environment = host.environment({
    ...withoutBudgets,
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    OPENAI_REALTIME_URL: openai.url,
    TWILIO_API_URL: twilio.url,
    DRAIN_MS: '2000',
    ...changes,
  });
  const start = async (instance: string): Promise<RunningProcess> => {
    const own = { INSTANCE_ID: instance, ADMIN_PORT: String(await findPort()) };
    const started = host.spawn('src/service/main.ts', { ...environment, ...own });
    await until(() => /Ready for calls/.test(started.output()));
    return started;
  };
  const place = (): CallHandle =>
    twilio.placeCall({
      to: number,
      from: '+15550101',
      script: [{ say: monologue, after: { delayMs: 500 } }],
    });
  return { start, place };
}

async function lastOwners(calls: readonly CallHandle[]): Promise<(string | undefined)[]> {
  const journal = await openJournal(`sqlite:${host.journalPath}`, { clock: systemClock });
  const logs = await Promise.all(calls.map(({ sid }) => readEntries(journal, sid)));
  await journal.close();
  return logs.map((log) => {
    const claim = log.findLast(({ type }) => type === 'owner.claimed');
    return claim?.type === 'owner.claimed' ? claim.instance : undefined;
  });
}

it.each<[string, NodeJS.Signals, number, Environment]>([
  ['both are told to stop at once', 'SIGTERM', 0, {}],
  ['both are told to stop, one after the other', 'SIGTERM', 700, {}],
  ['the other one is killed meanwhile', 'SIGKILL', 700, {}],
  ['both are told to stop, one after the other, each with workers', 'SIGTERM', 700, { WORKERS: '2' }],
])(
  'callers wait, and go on with whoever comes seconds later: %s',
  async (_, signal, apartMs, changes) => {
    const { start, place } = await shop(changes);
    const one = await start('one');
    const calls = [place(), place(), place()];
    await until(() => calls.every(isStreaming));
    const two = await start('two');
    await sleep(1_000);
    one.child.kill('SIGTERM');
    await sleep(apartMs);
    two.child.kill(signal);
    await Promise.all([one.ended, two.ended]);
    expect(calls.map(({ hasEnded }) => hasEnded)).toEqual([false, false, false]);
    // None has heard Twilio's own error.
    expect(calls.flatMap(unanswered)).toEqual([]);
    await sleep(3_000);
    await start('three');
    await until(() => calls.every((call) => call.hasEnded || isStreaming(call)));
    expect(calls.map(({ hasEnded }) => hasEnded)).toEqual([false, false, false]);
    await until(async () => (await lastOwners(calls)).every((owner) => /^three/.test(owner ?? '')));
  },
  60_000,
);
