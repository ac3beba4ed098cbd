/** The console of a service on real servers: what a page sees of real calls, and what becomes of its commands. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openJournal } from '../../../src/adapters/journal/open-journal.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type {
  BrowserInstruction,
  CallPatch,
  CallSummary,
  CallView,
} from '../../../src/runtime/ports/operator.ts';
import { commitOf } from '../../contract/commits.ts';
import { freePort, Host, number, until } from '../support/host.ts';
import { applyPatch } from './support/apply-patch.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

async function wholeService(changes: Record<string, string> = {}) {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const openai = await host.openai();
  const twilio = await host.twilio(publicUrl);
  const { service } = host.service({
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    OPENAI_REALTIME_URL: openai.url,
    TWILIO_API_URL: twilio.url,
    TWILIO_PHONE_NUMBER: number,
    INSTANCE_ID: 'alpha',
    ...changes,
  });
  await service.start();
  return { service, twilio, admin: `http://127.0.0.1:${service.addresses.adminPort}` };
}

const read = async <Answer>(url: string): Promise<Answer> => (await fetch(url)).json() as Promise<Answer>;
const post = (url: string, body: unknown = {}) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** Events of a stream as they come, until the test stops listening. */
function listen(url: string): { events: { event: string; data: unknown }[]; stop: () => void } {
  const events: { event: string; data: unknown }[] = [];
  const stopping = new AbortController();
  void (async () => {
    const { body } = await fetch(url, { signal: stopping.signal });
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks.filter((each) => !each.startsWith(':'))) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        events.push({ event: field('event'), data: JSON.parse(field('data')) });
      }
    }
  })().catch(() => undefined);
  const stop = (): void => stopping.abort();
  host.onClose(stop);
  return { events, stop };
}

describe.each(['sqlite', 'memory'])('with the journal in %s, a page', (kind) => {
  const changes: Record<string, string> = kind === 'memory' ? { JOURNAL_URL: 'memory:' } : {};

  it('finds a live call, follows it, hears it, and ends it', async () => {
    const { service, twilio, admin } = await wholeService(changes);
    const list = listen(`${admin}/api/calls/live`);
    const placed = twilio.placeCall({ to: number, from: '+15550123' });
    const listed = (): CallSummary | undefined =>
      (list.events.at(-1)?.data as CallSummary[] | undefined)?.[0];
    await until(() => listed()?.stateText.includes('carrier streaming') === true);
    expect(listed()).toMatchObject({ from: '+15550123', to: number, owner: 'alpha', endedAt: null });

    const url = `${admin}/api/calls/${listed()?.callId}`;
    let view = await read<CallView>(url);
    expect(view).toMatchObject({ chart: 2, fault: null });
    const live = listen(`${url}/live?after=${view.call.lastSeq}`);
    await until(() => live.events.some(({ event }) => event === 'sound'));
    expect((await post(`${url}/command`, { do: 'hangUp' })).status).toBe(202);
    await placed.ended;
    const patches = (): CallPatch[] =>
      live.events.filter(({ event }) => event === 'patch').map(({ data }) => data as CallPatch);
    await until(() => patches().at(-1)?.call.endedAt != null);
    // What the carrier still reports may come after the end.
    let whole = await read<CallView>(url);
    await until(async () => {
      whole = await read<CallView>(url);
      return patches().at(-1)?.call.lastSeq === whole.call.lastSeq;
    });
    for (const patch of patches()) view = applyPatch(view, patch);
    expect(view).toEqual(whole);
    expect(view.call.endReason).toBe('operator.hungUp');
    expect(view.steps.every(({ matches }) => matches)).toBe(true);
    expect(view.steps.find(({ entry }) => entry.type === 'hangUp.requested')?.entry).toMatchObject({
      by: 'operator',
      operator: (await read<{ name: string }>(`${admin}/api/me`)).name,
    });
    await until(() => listed() === undefined);
    service.stop('the test is over');
    await service.stopped;
  });
});

describe('a page', () => {
  it('speaks with the agent itself, in the place of a phone', async () => {
    const { admin } = await wholeService();
    const begun = (await (await post(`${admin}/api/browser-calls`)).json()) as BrowserInstruction;
    if (begun.do !== 'connect') throw new Error(`it was told to ${begun.do}`);
    const { callId, token } = begun;
    const socket = new WebSocket(`${admin.replace('http', 'ws')}/api/browser-calls/media`, { origin: admin });
    host.onClose(() => socket.terminate());
    await once(socket, 'open');
    const say = (message: object) => socket.send(JSON.stringify(message));
    const streamSid = `MZ${'0'.repeat(32)}`;
    say({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
    const start = { streamSid, accountSid: 'AC', callSid: callId, tracks: ['inbound'], mediaFormat };
    say({
      event: 'start',
      sequenceNumber: '1',
      streamSid,
      start: { ...start, customParameters: { token } },
    });
    const [first] = await once(socket, 'message');
    expect(JSON.parse(String(first))).toMatchObject({ event: 'media', streamSid });
    const view = await read<CallView>(`${admin}/api/calls/${callId}`);
    expect(view.steps.map(({ entry }) => entry.type)).toContain('stream.started');
    expect((await post(`${admin}/api/browser-calls/${callId}/leave`)).status).toBe(200);
    await until(async () => (await read<CallView>(`${admin}/api/calls/${callId}`)).call.endedAt !== null);
    expect((await post(`${admin}/api/browser-calls/CA1/continue`)).status).toBe(404);
  });

  it('is served with its modules, drawings, instances, files and the inspector’s messages', async () => {
    const { admin, twilio } = await wholeService();
    expect((await fetch(admin)).headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await read<{ number: number }>(`${admin}/api/charts/2`)).number).toBe(2);
    expect(await read(`${admin}/api/instances`)).toMatchObject([{ instance: 'alpha', here: true }]);
    const types = async () =>
      (await read<{ type: string }[]>(`${admin}/api/instances/log?instance=alpha`)).map(({ type }) => type);
    await until(async () => (await types()).includes('phase.passed'));
    expect(await types()).toContain('instance.started');
    const placed = twilio.placeCall({ to: number, from: '+15550124' });
    const calls = () => read<{ calls: CallSummary[] }>(`${admin}/api/calls?text=5550124`);
    await until(async () => (await calls()).calls.length === 1);
    const callId = (await calls()).calls[0]?.callId;
    const inspected = listen(`${admin}/api/calls/${callId}/inspect`);
    await until(() => inspected.events.length > 3);
    expect(inspected.events[0]?.data).toMatchObject({ type: '@xstate.actor' });
    placed.hangUp();
    await placed.ended;
    await until(async () => (await calls()).calls[0]?.endedAt !== null);
    const exported = await read<{ call: { callId: string } }>(`${admin}/api/calls/${callId}/export`);
    expect(exported.call.callId).toBe(callId);
    expect((await post(`${admin}/api/calls/${callId}/command`, { do: 'hangUp' })).status).toBe(409);
    expect((await post(`${admin}/api/calls/${callId}/command`, { do: 'erase' })).status).toBe(202);
    await until(async () => (await read<CallView>(`${admin}/api/calls/${callId}`)).call.from === null);
    await until(async () => (await types()).includes('payloads.erased'));
  });

  it('shows what strangers tried at the public address', async () => {
    const { service, admin } = await wholeService();
    await fetch(`http://127.0.0.1:${service.addresses.publicPort}/twilio/voice`, { method: 'POST' });
    const facts = () => read<{ type: string; detail: object }[]>(`${admin}/api/instances/log`);
    const refused = { type: 'request.refused', detail: { where: 'webhook', why: 'unsigned', count: 1 } };
    await until(async () => (await facts()).some(({ type }) => type === 'request.refused'));
    expect((await facts()).map(({ type, detail }) => ({ type, detail }))).toContainEqual(refused);
  });

  it('shows a call of long ago without its personal data, which went at the start', async () => {
    const journal = await openJournal(`sqlite:${host.journalPath}`, { clock: systemClock });
    const payloads = [{ seq: 1, name: 'from', content: '+15550123' }];
    await journal.append(
      commitOf('old', 1, { row: { startedAt: 1, endedAt: 2, endReason: 'done' }, payloads }),
    );
    await journal.close();
    const { admin } = await wholeService({ PAYLOADS_KEEP_DAYS: '30' });
    const facts = () => read<{ type: string; detail: object }[]>(`${admin}/api/instances/log`);
    await until(async () => (await facts()).some(({ type }) => type === 'payloads.erased'));
    const { calls } = await read<{ calls: CallSummary[] }>(`${admin}/api/calls?live=false`);
    expect(calls).toMatchObject([{ callId: 'old', from: null, lastSeq: 2 }]);
  });

  it('that came through a proxy logs in, and whoever did is in the log of the instance', async () => {
    const token = 'an-admin-token-of-a-test';
    const { admin } = await wholeService({ ADMIN_TOKEN: token });
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' };
    const logIn = (shown: string) =>
      fetch(`${admin}/login`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ name: 'Night desk', token: shown }),
      });
    expect((await fetch(`${admin}/api/me`, { headers })).status).toBe(403);
    expect((await logIn('wrong')).status).toBe(401);
    const cookie = (await logIn(token)).headers.get('set-cookie')?.split(';')[0] ?? '';
    const me = await fetch(`${admin}/api/me`, { headers: { ...headers, cookie } });
    expect(await me.json()).toEqual({ name: 'Night desk', needsLogin: true });
    const facts = () => read<{ type: string; detail: object }[]>(`${admin}/api/instances/log`);
    await until(async () => (await facts()).some(({ type }) => type === 'login.accepted'));
    expect((await facts()).map(({ type, detail }) => ({ type, detail }))).toEqual(
      expect.arrayContaining([
        { type: 'request.refused', detail: { where: 'admin', why: 'forbidden', count: 1 } },
        { type: 'login.refused', detail: { where: 'login', why: 'wrongToken', count: 1 } },
        { type: 'login.accepted', detail: { name: 'Night desk' } },
      ]),
    );
  });
});
