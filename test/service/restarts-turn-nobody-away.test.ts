/** New callers during a rolling restart of real processes on one port: each is taken, if not by the first that it comes to. */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Environment } from '../../src/config/dotenv.ts';
import { findPort } from '../support/free-port.ts';
import { withoutBudgets } from '../support/without-budgets.ts';
import { account, Host, number, type RunningProcess, until } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

/** Longer than from one look of a process that drains to its next. */
const lookAtNumberMs = 1_500;
const callEveryMs = 25;

/** Twilio's REST API: it says that the number's calls come here, and takes its time for it. */
async function slowApi(publicUrl: string): Promise<string> {
  const answer = JSON.stringify({
    calls: [],
    incoming_phone_numbers: [
      {
        sid: `PN${'0'.repeat(32)}`,
        phone_number: number,
        voice_url: `${publicUrl}/twilio/voice`,
        status_callback: `${publicUrl}/twilio/status`,
      },
    ],
  });
  const server = createServer((request, response) => {
    request.resume();
    setTimeout(() => response.setHeader('content-type', 'application/json').end(answer), lookAtNumberMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host.onClose(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

class Deploy {
  readonly #publicUrl: string;
  readonly #environment: Environment;
  #calls = 0;

  private constructor(publicUrl: string, environment: Environment) {
    this.#publicUrl = publicUrl;
    this.#environment = environment;
  }

  static async open(changes: Environment = {}): Promise<Deploy> {
    const port = await findPort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const environment = host.environment({
      ...withoutBudgets,
      PORT: String(port),
      PUBLIC_URL: publicUrl,
      TWILIO_API_URL: await slowApi(publicUrl),
      TWILIO_PHONE_NUMBER: number,
      OPENAI_REALTIME_URL: (await host.openai()).url,
      ...changes,
    });
    return new Deploy(publicUrl, environment);
  }

  async start(instance: string): Promise<RunningProcess> {
    const ports = { INSTANCE_ID: instance, ADMIN_PORT: String(await findPort()) };
    const started = host.spawn('src/service/main.ts', { ...this.#environment, ...ports });
    await until(() => /Ready for calls|Running\./.test(started.output()));
    return started;
  }

  /** A call comes in and follows where it is sent, as Twilio does. @returns what became of it */
  async call(): Promise<string> {
    this.#calls += 1;
    const CallSid = `CA${String(this.#calls).padStart(32, '0')}`;
    const fields = { CallSid, AccountSid: account.accountSid, From: '+15550001', To: number };
    let path: string | undefined = '/twilio/voice';
    while (path !== undefined) {
      const body: string = await this.#post(path, { ...fields, CallStatus: 'ringing' });
      if (body.includes('<Stream')) return 'taken';
      path = new RegExp(`<Pause length="1"/><Redirect method="POST">${this.#publicUrl}([^#]+)`).exec(
        body,
      )?.[1];
      if (path === undefined) return body;
      await sleep(1_000);
    }
    return 'nowhere';
  }

  /** Calls come in all the time while `work` goes on. @returns what became of them, each once */
  async during(work: () => Promise<void>): Promise<string[]> {
    const calls: Promise<string>[] = [];
    let isOver = false;
    const coming = (async () => {
      while (!isOver) {
        calls.push(this.call());
        await sleep(callEveryMs);
      }
    })();
    await work();
    isOver = true;
    await coming;
    return [...new Set(await Promise.all(calls))];
  }

  async #post(path: string, fields: Record<string, string>): Promise<string> {
    const signature = getExpectedTwilioSignature(account.authToken, this.#publicUrl + path, fields);
    const ask = (): Promise<Response> =>
      fetch(this.#publicUrl + path, {
        method: 'POST',
        // As Twilio's: each request finds its process anew.
        headers: { 'x-twilio-signature': signature, connection: 'close' },
        body: new URLSearchParams(fields),
      });
    // A listener that closes resets what waits to be taken; `number point-here` has Twilio ask once more then.
    const answer = await ask().catch(ask);
    return answer.ok ? answer.text() : `HTTP ${answer.status}`;
  }
}

describe('a rolling restart of processes on one port', () => {
  const fallbackUrl = 'https://static.example/fallback.xml';

  it.each<[string, Environment]>([
    ['without a fallback', {}],
    ['with a fallback outside the service', { TWILIO_FALLBACK_URL: fallbackUrl }],
  ])(
    'turns no new caller away, and sends none to a fallback: %s',
    async (_, changes) => {
      const deploy = await Deploy.open(changes);
      const old = await deploy.start('old');
      const fates = await deploy.during(async () => {
        await deploy.start('new');
        old.child.kill('SIGTERM');
        // It stops to listen once it knows of the other, and goes on with its calls.
        await sleep(2_000);
      });
      expect(fates).toEqual(['taken']);
    },
    60_000,
  );

  it('still tells callers that all lines are busy where one process stops alone', async () => {
    const deploy = await Deploy.open();
    const only = await deploy.start('only');
    expect(await deploy.call()).toBe('taken');
    only.child.kill('SIGTERM');
    await until(async () => (await deploy.call()).includes('all lines are busy'));
  }, 60_000);
});
