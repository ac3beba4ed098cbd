/** `npm start` as a person sees it, in this process and as a process of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { StandardOutput } from '../../src/platform/standard-output.ts';
import { formatPhase } from '../../src/service/phase-report.ts';
import { Terminal } from '../../src/service/terminal.ts';
import { fastClock, freePort, get, Host, leave, number, occupy, until } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

const service = 'src/service/main.ts';

function terminal(changes: Parameters<Host['environment']>[0], clock = systemClock) {
  const printed: string[] = [];
  const shown = new Terminal({
    environment: host.environment(changes),
    clock,
    print: (text) => printed.push(text),
  });
  return { shown, printed };
}

describe('a phase', () => {
  it('is a line with its outcome and time, and below it what to do', () => {
    const failed = {
      outcome: 'failed',
      detail: 'no\n\n  KEY is missing',
      advice: 'Set KEY.',
      tookMs: 12.4,
    } as const;
    expect(formatPhase('model', failed)).toBe(
      '  model reachable  FAILED     12 ms  no\n\n      KEY is missing\n    Set KEY.',
    );
    const passed = { outcome: 'passed', detail: 'data/holdfast.db', advice: null, tookMs: 3 } as const;
    expect(formatPhase('journal', passed)).toBe('  journal          ok          3 ms  data/holdfast.db');
  });
});

describe('the terminal', () => {
  it('shows each phase once, what does not work, when it works, and the end', async () => {
    const port = await freePort();
    const openaiUrl = `ws://127.0.0.1:${port}/v1/realtime`;
    const { shown, printed } = terminal({ OPENAI_REALTIME_URL: openaiUrl }, fastClock(10));
    const exitCode = shown.run();
    await until(() => printed.some((line) => line.startsWith('Running.')));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const lines = printed.map((line) =>
      line
        .split('\n')[0]
        ?.replace(/\d+ ms.*/, '')
        .trim(),
    );
    expect(lines).toEqual([
      'Holdfast',
      'configuration    ok',
      'journal          ok',
      'model reachable  FAILED',
      'HTTP             ok',
      'public address   ok',
      'webhooks         ok',
      'Running. What is not well yet is tried again in the background.',
    ]);
    await host.openai(port);
    await until(() => printed.at(-1)?.includes('model reachable  ok') === true);
    shown.request('SIGINT');
    expect(await exitCode).toBe(0);
    expect(printed.slice(-2)).toEqual([
      'SIGINT: no new calls are taken. Live ones move to another process, or go on here for 20 s at most. Once more stops at once.',
      'Stopped.',
    ]);
  });

  it('says that it is ready where all is well', async () => {
    const openai = await host.openai();
    const { shown, printed } = terminal({ OPENAI_REALTIME_URL: openai.url });
    const exitCode = shown.run();
    await until(() => printed.includes('Ready for calls.'));
    shown.request('SIGTERM');
    shown.request('SIGTERM');
    expect(await exitCode).toBe(0);
    expect(printed).toContain('SIGTERM: stopping at once.');
  });

  it('says that nothing was started, and fails', async () => {
    const { shown, printed } = terminal({ TWILIO_AUTH_TOKEN: '' });
    expect(await shown.run()).toBe(1);
    expect(printed.at(-1)).toBe('Not started.');
  });

  it('counts as stopped on request where it was stopped before it had started', async () => {
    const { shown, printed } = terminal({});
    const exitCode = shown.run();
    shown.request('SIGTERM');
    expect(await exitCode).toBe(0);
    expect(printed.at(-1)).toBe('Stopped.');
  });
});

describe('npm start', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 at %s, and leaves nothing running', async (signal) => {
    const port = await freePort();
    const { child, output, ended } = host.spawn(service, host.environment({ PORT: String(port) }));
    await until(() => output().includes('Running.'));
    expect(await get(port, '/ready')).toMatchObject({ status: 200 });
    child.kill(signal);
    expect(await ended).toBe(0);
    expect(output()).toContain('Stopped.');
    expect(await get(port, '/live')).toBeNull();
  });

  it('waits for a live call at the first signal and does not at the second, whatever the agent keeps open', async () => {
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const openai = await host.openai();
    const twilio = await host.twilio(publicUrl);
    const agent = join(host.folder, 'agent.js');
    writeFileSync(
      agent,
      'setInterval(() => undefined, 1000);\nexport default { name: "a", instructions: "b", greeting: "c" };\n',
    );
    const environment = host.environment({
      PORT: String(port),
      PUBLIC_URL: publicUrl,
      OPENAI_REALTIME_URL: openai.url,
      TWILIO_API_URL: twilio.url,
      AGENT: agent,
    });
    const { child, output, ended } = host.spawn(service, environment);
    await until(() => output().includes('Ready for calls.'));
    twilio.placeCall({ to: number, from: '+15550123' });
    await until(() => openai.sessions.length === 2);
    child.kill('SIGTERM');
    await until(() => output().includes('SIGTERM'));
    expect(await get(port, '/ready')).toMatchObject({ status: 503 });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output()).not.toContain('+15550123');
  });

  it('goes on where the reader of its output goes away', async () => {
    const port = await freePort();
    const { child, output, ended } = host.spawn(service, host.environment({ PORT: String(port) }));
    await until(() => output().includes('Holdfast'));
    child.stdout?.destroy();
    await until(async () => (await get(port, '/ready'))?.status === 200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('names everything that is missing at once, without a stack and without a value', async () => {
    const { output, ended } = host.spawn(service, { OPENAI_API_KEY: 'sk-secret with a space' });
    expect(await ended).toBe(1);
    for (const name of ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'OPENAI_API_KEY', 'PUBLIC_URL']) {
      expect(output()).toContain(name);
    }
    expect(output()).toContain('https://console.twilio.com');
    expect(output()).not.toContain('sk-secret');
    expect(output()).not.toMatch(/^\s+at /m);
    expect(output()).toContain('Not started.');
  });

  it('tells a taken port without a stack', async () => {
    const { port, server } = await occupy(0);
    host.onClose(() => leave(server));
    const changes = { PORT: String(port), LOG_LEVEL: 'info' };
    const { output, ended } = host.spawn(service, host.environment(changes));
    expect(await ended).toBe(1);
    expect(output()).toContain(`the port is taken: 127.0.0.1:${port}`);
    expect(output()).not.toMatch(/\bat .*:\d+:\d+/);
  });

  it('tells a .env that cannot be read without a stack', async () => {
    mkdirSync(join(host.folder, '.env'));
    const { output, ended } = host.spawn(service, host.environment());
    expect(await ended).toBe(1);
    expect(output()).toContain('.env cannot be read');
    expect(output()).not.toMatch(/^\s+at /m);
  });

  it('runs in this process the same way', async () => {
    mkdirSync(dirname(host.journalPath), { recursive: true });
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
    const print = vi.spyOn(StandardOutput.prototype, 'write').mockReturnValue();
    const listeners = process.listeners('SIGINT');
    vi.stubEnv('PUBLIC_URL', '');
    vi.stubEnv('NGROK_AUTHTOKEN', '');
    vi.spyOn(process, 'cwd').mockReturnValue(host.folder);
    await import('../../src/service/main.ts');
    expect(exit).toHaveBeenCalledWith(1);
    expect(print.mock.calls.flat()).toContain('Not started.\n');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      for (const listener of process.listeners(signal)) {
        if (!listeners.includes(listener)) process.removeListener(signal, listener);
      }
    }
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
});
