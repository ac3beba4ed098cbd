/** `number point-here`: the number's addresses, against the offline Twilio's REST API. */
import { createServer, type RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { account, freePort, Host, number } from '../service/support/host.ts';
import { run } from './run-command.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

const words = 'number point-here';

async function environment(changes: Record<string, string> = {}) {
  const twilio = await host.twilio('https://before.example.com');
  return {
    twilio,
    environment: {
      TWILIO_ACCOUNT_SID: account.accountSid,
      TWILIO_AUTH_TOKEN: account.authToken,
      TWILIO_API_URL: twilio.url,
      TWILIO_PHONE_NUMBER: number,
      PUBLIC_URL: 'https://calls.example.com',
      ...changes,
    },
  };
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host.onClose(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('a number', () => {
  it('is pointed here, and what was there before is shown', async () => {
    const { environment: values } = await environment();
    const first = await run(words, values);
    expect(first.code).toBe(0);
    expect(first.out).toBe(
      [
        'The number’s calls went to',
        '  voice     POST https://before.example.com/twilio/voice',
        '  fallback  POST https://before.example.com/twilio/fallback',
        '  status    POST https://before.example.com/twilio/status',
        'and now come to',
        '  voice     POST https://calls.example.com/twilio/voice#ct=1000&rt=10000&rc=2&rp=all',
        '  fallback  POST https://calls.example.com/twilio/fallback',
        '  status    POST https://calls.example.com/twilio/status#ct=1000&rt=4000&rc=2&rp=all',
      ].join('\n'),
    );
    expect(first.out).not.toContain(number);
  });

  it('is pointed at the fallback outside this host where there is one, and shows where nothing was set', async () => {
    const { twilio, environment: values } = await environment({
      TWILIO_FALLBACK_URL: 'https://elsewhere.example.com/wait.xml',
    });
    twilio.configureNumber(number, { voiceUrl: '', statusCallback: '' });
    const { out } = await run(words, values);
    expect(out).toContain('  voice     (nothing)');
    expect(out).toContain('  fallback  GET https://elsewhere.example.com/wait.xml');
  });

  it('that is driven by an application or a trunk is taken off it, and that is shown', async () => {
    let routing = { voice_application_sid: 'AP1', trunk_sid: 'TK1' };
    const posted: string[] = [];
    const port = await serve((request, response) => {
      request.setEncoding('utf8');
      request.on('data', (text: string) => posted.push(text));
      request.on('end', () => {
        const numbers = [{ sid: 'PN1', phone_number: number, ...routing }];
        response.setHeader('content-type', 'application/json');
        if (request.method === 'POST') routing = { voice_application_sid: '', trunk_sid: '' };
        response.end(JSON.stringify(request.method === 'POST' ? {} : { incoming_phone_numbers: numbers }));
      });
    });
    const { environment: values } = await environment({ TWILIO_API_URL: `http://127.0.0.1:${port}` });
    const { code, out } = await run(words, values);
    expect(code).toBe(0);
    expect(out).toContain('  application AP1 (taken off)\n  trunk TK1 (taken off)\nand now come to');
    expect(posted.join('&')).toContain('VoiceApplicationSid=&TrunkSid=');
  });

  it('that the account does not have is told', async () => {
    const { environment: values } = await environment({ TWILIO_PHONE_NUMBER: '+15559999999' });
    const { code, error } = await run(words, values);
    expect([code, error]).toEqual([1, 'The account has no phone number TWILIO_PHONE_NUMBER']);
  });

  it('whose account is not let in is told, without the token', async () => {
    const { environment: values } = await environment({ TWILIO_AUTH_TOKEN: 'wrong-token' });
    const { code, error } = await run(words, values);
    expect(code).toBe(1);
    expect(error).toMatch(/^Twilio's REST API answered 401/);
    expect(error).not.toContain('wrong-token');
  });

  it('without its variables is told which are missing, all at once', async () => {
    const { code, error } = await run(words, {});
    expect(code).toBe(1);
    for (const name of ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_PHONE_NUMBER', 'PUBLIC_URL']) {
      expect(error).toContain(name);
    }
  });
});

describe('behind a tunnel', () => {
  const tunnel = { PUBLIC_URL: '', NGROK_AUTHTOKEN: 'ngrok-token' };

  it('the running service is asked for its address', async () => {
    const asked: unknown[] = [];
    const port = await serve((request, response) => {
      asked.push(request.method, request.url, request.headers.authorization);
      response.statusCode = 503;
      response.end(JSON.stringify({ healthy: false, publicUrl: 'https://tunnel.example.com' }));
    });
    const { environment: values } = await environment({
      ...tunnel,
      ADMIN_PORT: String(port),
      ADMIN_TOKEN: 'a-long-admin-token',
    });
    const { out } = await run(words, values);
    expect(out).toContain('  voice     POST https://tunnel.example.com/twilio/voice');
    expect(asked).toEqual(['GET', '/health', 'Bearer a-long-admin-token']);
  });

  it.each(['127.0.0.1', '::1'])('a service that does not run is told: %s', async (address) => {
    const port = await freePort();
    const { environment: values } = await environment({
      ...tunnel,
      ADMIN_HOST: address,
      ADMIN_PORT: String(port),
    });
    const { code, error } = await run(words, values);
    expect(code).toBe(1);
    expect(error).toContain(`none answers at ${address === '::1' ? '[::1]' : address}:${port}`);
    expect(error).toContain('npm start');
    expect(error).not.toContain('ngrok-token');
  });

  it('a service that has no address yet is told', async () => {
    const port = await serve((_request, response) => response.end(JSON.stringify({ publicUrl: null })));
    const { environment: values } = await environment({ ...tunnel, ADMIN_PORT: String(port) });
    const { code, error } = await run(words, values);
    expect([code, error]).toEqual([
      1,
      `The service at 127.0.0.1:${port} has no public address yet. Try again in a moment.`,
    ]);
  });
});
