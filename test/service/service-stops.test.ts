/** The end of a process: the drain with a live call, the stop, and what may go wrong while it is closed. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { readEntries } from '../../src/runtime/history.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { Closings } from '../../src/service/closings.ts';
import { freePort, get, Host, number, until } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

/** A service with both halves of the twin, and a caller who says nothing and stays. */
async function withLiveCall(changes: Parameters<Host['service']>[0] = {}) {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const openai = await host.openai();
  const twilio = await host.twilio(publicUrl);
  const { service, state } = host.service({
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    OPENAI_REALTIME_URL: openai.url,
    TWILIO_API_URL: twilio.url,
    ...changes,
  });
  await service.start();
  const call = twilio.placeCall({ to: number, from: '+15550123' });
  await until(() => openai.sessions.some(({ closure }) => closure === null) && service.open.calls === 1);
  await until(async () => (await typesOf(service.journal, call.record.sid)).includes('stream.started'));
  return { service, state, port, openai, twilio, call };
}

const typesOf = async (journal: Journal, callId: string): Promise<string[]> =>
  (await readEntries(journal, callId)).map(({ type }) => type);

describe('a service with a live call', () => {
  it('takes no new one while it drains, and stops when the last one is over', async () => {
    const { service, state, port, twilio, call, openai } = await withLiveCall();
    service.drain('SIGTERM');
    expect(state()).toEqual({ draining: 'moving' });
    expect(await get(port, '/ready')).toMatchObject({ status: 503 });
    expect(await get(port, '/live')).toMatchObject({ status: 200 });
    const declined = twilio.placeCall({ to: number, from: '+15550124' });
    await until(() => declined.events.some(({ event }) => event === 'announced'));
    expect(declined.events.map(({ event }) => event)).not.toContain('streamOpening');
    declined.hangUp();
    expect(service.open.calls).toBe(1);

    call.hangUp();
    await service.stopped;
    expect(state()).toBe('stopped');
    expect(await get(port, '/live')).toBeNull();
    expect(openai.sessions.every(({ closure }) => closure !== null)).toBe(true);
    const journal = await openJournal(`sqlite:${host.journalPath}`, { clock: systemClock });
    expect(await journal.list({})).toMatchObject([{ callId: call.record.sid, endReason: 'caller.hungUp' }]);
    expect(await journal.undelivered(10)).toEqual([]);
    expect(await journal.instances()).toEqual([]);
    await journal.close();
  });

  it('stops at once where that is asked for, and leaves the call in the journal for the next process', async () => {
    const { service, port, openai, call } = await withLiveCall();
    service.drain('SIGINT');
    service.drain('SIGINT');
    await service.stopped;
    expect(await get(port, '/live')).toBeNull();
    expect(service.open).toEqual({ calls: 0, parts: 0 });
    await until(() => openai.sessions.every(({ closure }) => closure !== null));
    const journal = await openJournal(`sqlite:${host.journalPath}`, { clock: systemClock });
    expect(await journal.list({ live: true })).toMatchObject([{ callId: call.record.sid }]);
    await journal.close();
  });
});

describe('a service with a live call and nobody beside it', () => {
  it('keeps the call for as long as is configured, then tells it to wait, and the next one brings it back', async () => {
    const { service, port, twilio, call, openai } = await withLiveCall({ DRAIN_MS: '1' });
    expect(service.drain('SIGTERM')).toBe(1);
    await service.stopped;
    expect(service.open).toEqual({ calls: 0, parts: 0 });
    expect(call.events.findLast(({ event }) => event === 'verbStarted')).toMatchObject({ verb: 'Pause' });
    const { sid } = call.record;
    const journal = await openJournal(`sqlite:${host.journalPath}`, { clock: systemClock });
    expect(await journal.list({ live: true })).toMatchObject([{ callId: sid }]);
    expect((await typesOf(journal, sid)).filter((type) => type === 'move.requested')).toHaveLength(1);
    await journal.close();

    const next = host.service({
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      OPENAI_REALTIME_URL: openai.url,
      TWILIO_API_URL: twilio.url,
    });
    await next.service.start();
    const isBack = async () => {
      const types = await typesOf(next.service.journal, sid);
      return types.filter((type) => type === 'stream.started').length === 2;
    };
    await until(isBack);
    expect(await typesOf(next.service.journal, sid)).toContain('redirect.finished');
    expect(call.record.status).toBe('in-progress');
  });
});

describe('two services on one port and one journal', () => {
  it('hand a live call over when the one that has it is told to stop', async () => {
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const openai = await host.openai();
    const twilio = await host.twilio(publicUrl);
    const services = ['one', 'two'].map((instance) =>
      host.service({
        INSTANCE_ID: instance,
        PORT: String(port),
        PUBLIC_URL: publicUrl,
        OPENAI_REALTIME_URL: openai.url,
        TWILIO_API_URL: twilio.url,
      }),
    );
    for (const { service } of services) await service.start();
    const call = twilio.placeCall({ to: number, from: '+15550123' });
    const { sid } = call.record;
    const [{ service: one }] = services as [(typeof services)[number]];
    await until(async () => (await typesOf(one.journal, sid)).includes('stream.started'));
    const [row] = await one.journal.list({ callId: sid });
    const from = services[row?.owner === 'one' ? 0 : 1]?.service;
    const to = services[row?.owner === 'one' ? 1 : 0]?.service;
    from?.drain('SIGTERM');
    await from?.stopped;
    expect(to?.open.calls).toBe(1);
    const types = to ? await typesOf(to.journal, sid) : [];
    expect(types.filter((type) => type === 'stream.started')).toHaveLength(2);
    expect(call.record.status).toBe('in-progress');
    const streams = call.events.filter(({ event }) => event === 'streamOpening');
    expect(streams).toHaveLength(2);
  });
});

describe('a service that is told to stop', () => {
  it('while it starts says that it was stopped, and leaves nothing open', async () => {
    const { service, state } = host.service({});
    const started = service.start();
    service.drain('SIGTERM');
    expect(await started).toBe('stopped');
    await service.stopped;
    expect(state()).toBe('stopped');
  });

  it.each([1, 2, 3, 4, 5])('after phase %i leaves nothing open, whatever was under way', async (count) => {
    const port = await freePort();
    const started = host.service({ PORT: String(port) });
    const { service, facts } = started;
    void service.start();
    await until(() => facts.filter((fact) => 'phase' in fact).length >= count);
    service.stop('enough');
    await service.stopped;
    expect(await get(port, '/live')).toBeNull();
    await expect(service.journal.list({})).rejects.toMatchObject({ code: 'journal.closed' });
  });

  it('is ready neither before it has started nor after it was told', async () => {
    const { service } = host.service({});
    const started = service.start();
    await started;
    const { publicPort } = service.addresses;
    expect(await get(publicPort, '/ready')).toMatchObject({ status: 200 });
    service.stop('enough');
    await service.stopped;
    expect(await get(publicPort, '/ready')).toBeNull();
  });
});

describe('closing', () => {
  it('goes on where one part fails, and closes each part once and the journal last', async () => {
    const closed: string[] = [];
    const troubles: unknown[] = [];
    const part = (name: string, fails = false) => ({
      close: async () => {
        closed.push(name);
        if (fails) throw new Error(`${name} is stuck`);
      },
      stopListening: async () => undefined,
    });
    const closings = new Closings((error) => troubles.push(error));
    const parts = {
      tunnel: part('tunnel', true),
      adminServer: part('admin', true),
      publicServer: part('public'),
      journal: part('journal'),
    } as never;
    await closings.closeAll(parts);
    await closings.closeAll(parts);
    expect(closed.sort()).toEqual(['admin', 'journal', 'public', 'tunnel']);
    expect(troubles.map(String)).toEqual(['Error: tunnel is stuck', 'Error: admin is stuck']);
    await closings.closeAll({});
  });
});
