/** A worker's side of the channel: what it is handed it serves, what it counts it tells, and it ends when it is told to. */
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closingGraceMs, PublicServer } from '../../../src/adapters/http/public-server.ts';
import { localPulse } from '../../../src/service/pulse.ts';
import { Siblings } from '../../../src/service/siblings.ts';
import { FirstStart } from '../../../src/service/workers/first-start.ts';
import type { ToPrimary, ToWorker } from '../../../src/service/workers/messages.ts';
import { PrimaryLink, type WorkerChannel } from '../../../src/service/workers/primary-link.ts';
import { runWorker } from '../../../src/service/workers/worker.ts';
import { lookEveryMs, type Standing } from '../../../src/service/workers/worker-load.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { get, Host, until } from '../support/host.ts';

/** The primary's end, in this process. */
class Channel extends EventEmitter {
  connected = true;
  readonly told: ToPrimary[] = [];

  send(message: ToPrimary, ...rest: unknown[]): boolean {
    this.told.push(message);
    const sent = rest.findLast((each) => typeof each === 'function') as (() => void) | undefined;
    setImmediate(() => sent?.());
    return true;
  }

  says(message: ToWorker, socket?: Socket): void {
    this.emit('message', message, socket);
  }

  breaks(): void {
    this.connected = false;
    this.emit('disconnect');
  }

  last<Type extends ToPrimary['type']>(type: Type): Extract<ToPrimary, { type: Type }> | undefined {
    return this.told.findLast((message) => message.type === type) as
      | Extract<ToPrimary, { type: Type }>
      | undefined;
  }

  get forWorker(): WorkerChannel {
    return this as unknown as WorkerChannel;
  }
}

let channel: Channel;
/** Takes connections, and hands them over. */
let door: Server;
let port: number;
let handed: number;
const dialled: Socket[] = [];

beforeEach(async () => {
  channel = new Channel();
  handed = 0;
  door = createServer((socket) => {
    handed += 1;
    channel.says({ type: 'connection', number: handed }, socket);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const address = door.address();
  port = typeof address === 'object' && address ? address.port : 0;
});
afterEach(() => {
  for (const socket of dialled.splice(0)) socket.destroy();
  door.close();
});

function dial(text: string) {
  const socket = connect(port, '127.0.0.1');
  dialled.push(socket);
  socket.on('error', () => undefined);
  socket.write(text);
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  return { socket, answer: () => answer };
}

const upgradeText =
  'GET /twilio/media/one HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

describe('a server whose connections another process takes', () => {
  let clock: VirtualClock;
  let link: PrimaryLink;
  let server: PublicServer;
  let release: () => void;
  const upgraded: Socket[] = [];

  beforeEach(async () => {
    clock = new VirtualClock();
    link = new PrimaryLink(channel.forWorker, 'one');
    upgraded.length = 0;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const opening = PublicServer.open({
      host: '127.0.0.1',
      port: 8080,
      clock,
      source: link,
      routes: async (app) => {
        app.get('/slow', async () => {
          await gate;
          return 'done';
        });
      },
      onUpgrade: (request, socket, head) => {
        if (!link.passUpgrade(request, socket, head, () => undefined)) upgraded.push(socket as Socket);
      },
      isLive: () => true,
      isReady: () => true,
      onError: () => undefined,
    });
    await until(() => channel.last('open') !== undefined);
    channel.says({ type: 'opened', port });
    server = await opening;
  });

  it('asks for its port, and answers what it is handed without keeping the connection', async () => {
    expect(channel.last('open')).toEqual({
      type: 'open',
      instance: 'one',
      address: { host: '127.0.0.1', port: 8080 },
    });
    expect(server.port).toBe(port);
    const { socket, answer } = dial('GET /live HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'close');
    expect(answer()).toContain('200 OK');
    expect(answer().toLowerCase()).toContain('connection: close');
  });

  it('tells its load: calls, and connections that are no stream', async () => {
    let calls = 2;
    link.countBy(() => calls);
    link.lookBy(() => ({ conversations: calls, refusal: null }), clock);
    dial('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => channel.last('load')?.report.load === 3);
    dial(upgradeText);
    await until(() => channel.last('load')?.report.taken === 2 && channel.last('load')?.report.load === 3);
    calls = 1;
    link.noteChange();
    release();
    await until(() => channel.last('load')?.report.load === 1);
    expect(channel.last('load')?.report).toEqual({ load: 1, calls: 1, taken: 2, refusal: null });
    const told = channel.told.length;
    link.noteChange();
    await new Promise((resolve) => setImmediate(resolve));
    expect(channel.told).toHaveLength(told);
    upgraded[0]?.destroy();
  });

  it('tells that it takes no new calls, and that a caller was put through, though no call comes or goes', async () => {
    const standing: Standing = { conversations: 2, refusal: null };
    link.countBy(() => 2);
    link.lookBy(() => ({ ...standing }), clock);
    await clock.advance(lookEveryMs);
    expect(channel.last('load')?.report).toEqual({ load: 2, calls: 2, taken: 0, refusal: null });
    Object.assign(standing, { conversations: 1, refusal: 'overloaded' });
    await clock.advance(lookEveryMs);
    expect(channel.last('load')?.report).toEqual({ load: 1, calls: 2, taken: 0, refusal: 'overloaded' });
    await link.lastWord();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells each look, also where nothing is new: without any the primary would take it for one that stands still', async () => {
    link.lookBy(() => ({ conversations: 0, refusal: null }), clock);
    await clock.advance(lookEveryMs);
    const told = channel.told.length;
    await clock.advance(4 * lookEveryMs);
    expect(channel.told.slice(told)).toEqual(Array.from({ length: 4 }, () => channel.last('load')));
    await link.lastWord();
  });

  it('does not look at all its calls at each step', async () => {
    let looks = 0;
    const look = (): Standing => {
      looks += 1;
      return { conversations: 0, refusal: null };
    };
    link.lookBy(look, clock);
    for (let step = 0; step < 10; step += 1) {
      link.noteChange();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(looks).toBe(0);
  });

  it('serves what is open to its end, streams included, once nothing more comes', async () => {
    const slow = dial('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    dial(upgradeText);
    await until(() => upgraded.length === 1 && channel.last('load')?.report.taken === 2);
    let isStopped = false;
    const stopped = server.stopListening().then(() => {
      isStopped = true;
    });
    expect(channel.last('close')).toBeDefined();
    // Handed over before the primary heard of it.
    const late = dial('GET /live HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(late.socket, 'close');
    expect(late.answer()).toContain('200 OK');
    channel.says({ type: 'closed' });
    release();
    await once(slow.socket, 'close');
    expect(slow.answer()).toContain('done');
    expect(isStopped).toBe(false);
    upgraded[0]?.destroy();
    await stopped;
  });

  it('asks for its port once more, and is handed connections again', async () => {
    void server.stopListening();
    channel.says({ type: 'closed' });
    const asked = channel.told.length;
    const again = server.listenAgain();
    await until(() => channel.told.slice(asked).some(({ type }) => type === 'open'));
    channel.says({ type: 'opened', port });
    await again;
    const { socket, answer } = dial('GET /live HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'close');
    expect(answer()).toContain('200 OK');
    const stopped = server.stopListening();
    expect(channel.told.filter(({ type }) => type === 'close')).toHaveLength(2);
    channel.says({ type: 'closed' });
    await stopped;
  });

  it('cannot have its port again once its primary is gone', async () => {
    void server.stopListening();
    channel.says({ type: 'closed' });
    channel.breaks();
    await expect(server.listenAgain()).rejects.toThrow('the primary process is gone');
  });

  it('cuts a request off that does not end', async () => {
    const { socket } = dial('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => channel.last('load')?.report.taken === 1);
    const closed = server.close();
    channel.says({ type: 'closed' });
    await until(() => clock.pendingTimers === 1);
    await clock.advance(closingGraceMs);
    await closed;
    if (!socket.closed) await once(socket, 'close');
    release();
  });

  it('passes an upgrade on that names a sibling, and serves one that comes from there', async () => {
    channel.says({ type: 'siblings', instances: ['one', 'two'] });
    dial(upgradeText.replace('/one', '/two'));
    await until(() => channel.last('passUpgrade') !== undefined);
    const passed = channel.last('passUpgrade');
    expect(passed).toMatchObject({ instance: 'two', request: { method: 'GET', url: '/twilio/media/two' } });
    channel.says({ type: 'upgradePassed', key: passed?.key ?? 0, moved: true });
    expect(channel.last('releaseUpgrade')).toEqual({ type: 'releaseUpgrade', key: passed?.key });
    const far = connect(port, '127.0.0.1');
    dialled.push(far);
    door.removeAllListeners('connection');
    const [socket] = await once(door, 'connection');
    const request = { method: 'GET', url: '/twilio/media/one', headers: {}, rest: Buffer.alloc(0) };
    channel.says({ type: 'upgrade', key: 5, request }, socket);
    expect(channel.last('upgradeTaken')).toEqual({ type: 'upgradeTaken', key: 5 });
    expect(upgraded).toHaveLength(0);
    channel.says({ type: 'upgradeReleased', key: 5 });
    expect(upgraded).toEqual([socket]);
    socket.destroy();
  });

  it('is closed at once where the primary is gone, and says nothing to it any more', async () => {
    channel.breaks();
    const told = channel.told.length;
    await server.close();
    link.tell({ type: 'close' });
    expect(channel.told).toHaveLength(told);
  });

  it('fails with what the primary could not have', async () => {
    const opening = link.open(
      { host: 'x', port: 1 },
      { connection: () => undefined, upgrade: () => undefined },
    );
    channel.says({
      type: 'openFailed',
      failure: { message: 'in use', code: 'EADDRINUSE', address: 'x', port: 1 },
    });
    await expect(opening).rejects.toMatchObject({ message: 'in use', code: 'EADDRINUSE', port: 1 });
  });
});

describe('a sibling', () => {
  const row = {
    pid: 1,
    host: 'h',
    ready: true,
    startedAt: 0,
    address: null,
    beatAgeMs: 0,
    isConnected: null,
  };
  const siblingsOf = (link: PrimaryLink) =>
    new Siblings({
      instance: 'one',
      host: 'h',
      pulse: localPulse,
      isProcessAlive: () => true,
      drainsWithUs: (instance) => link.drainsWithUs(instance),
      journal: {
        instances: async () =>
          [row, { ...row, instance: 'two' }].map((each) => ({ instance: 'one', ...each })),
      },
    });

  it('is there to take calls, until all are told to drain', async () => {
    const link = new PrimaryLink(channel.forWorker, 'one');
    channel.says({ type: 'siblings', instances: ['one', 'two'] });
    expect(await siblingsOf(link).areReady()).toBe(true);
    channel.says({ type: 'drain', reason: 'SIGTERM' });
    expect(await siblingsOf(link).areReady()).toBe(false);
    // Another service's worker is.
    expect(link.drainsWithUs('three')).toBe(false);
  });
});

describe('the first start', () => {
  it('lets workers come to the port together, and not without those that still start', async () => {
    const start = new FirstStart(3);
    let came = 0;
    void start.reach(1).then(() => {
      came += 1;
    });
    const second = start.reach(2).then(() => {
      came += 1;
    });
    await Promise.resolve();
    expect(came).toBe(0);
    expect(start.leave(3)).toBe(true);
    await second;
    expect(came).toBe(2);
    await start.reach(3);
  });

  it('knows who has never run', () => {
    const start = new FirstStart(2);
    start.prove(1);
    expect([start.leave(1), start.leave(2), start.leave(2)]).toEqual([false, true, false]);
  });
});

describe('the metrics of all', () => {
  it('come from the primary, and from nobody once it is gone: fewer would look like a step back', async () => {
    const link = new PrimaryLink(channel.forWorker, 'one');
    const metrics = link.metricsOfAll({ contentType: 'text', read: async () => [] });
    const text = metrics.text();
    channel.says({ type: 'metricsText', key: channel.last('askMetrics')?.key ?? 0, text: 'all' });
    expect(await text).toBe('all');
    const asked = metrics.text();
    channel.breaks();
    await expect(asked).rejects.toThrow('the primary process is gone');
    await expect(metrics.text()).rejects.toThrow('the primary process is gone');
    await link.lastWord();
  });
});

describe('the process of a worker', () => {
  let host: Host;
  beforeEach(() => {
    host = new Host();
  });
  afterEach(async () => {
    await host.close();
    for (const signal of ['SIGINT', 'SIGTERM', 'unhandledRejection'])
      for (const listener of process.listeners(signal as NodeJS.Signals).slice(listeners.get(signal)))
        process.off(signal, listener);
  });
  const listeners = new Map(
    ['SIGINT', 'SIGTERM', 'unhandledRejection'].map((signal) => [signal, process.listenerCount(signal)]),
  );

  it('tells its start phase by phase, ignores signals, drains when it is told to, and has the last word', async () => {
    const environment = host.environment({ INSTANCE_ID: 'shop', WORKERS: '2', DRAIN_MS: '1' });
    const exitCode = runWorker({ number: 2, environment, channel: channel.forWorker });
    await until(() => channel.last('open') !== undefined);
    expect(channel.last('open')?.instance).toBe('shop-2');
    channel.says({ type: 'opened', port });
    await until(() => channel.last('started') !== undefined);
    expect(channel.last('started')).toMatchObject({ outcome: 'running', allPassed: false });
    expect(channel.told.filter(({ type }) => type === 'phase').length).toBeGreaterThanOrEqual(6);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.emit(signal);
    expect((await get(port, '/ready'))?.status).toBe(200);
    await until(() => channel.last('load') !== undefined);
    expect(channel.last('load')?.report).toMatchObject({ calls: 0, refusal: null });
    channel.says({ type: 'readMetrics', key: 3 });
    await until(() => channel.last('metrics') !== undefined);
    expect(channel.last('metrics')).toMatchObject({ key: 3 });
    expect(channel.last('metrics')?.readings.map(({ name }) => name)).toContain('holdfast_calls_live');
    channel.says({ type: 'drain', reason: 'SIGTERM' });
    expect(channel.last('draining')).toEqual({ type: 'draining', withinMs: 1 });
    await until(() => channel.last('load')?.report.refusal === 'draining');
    await until(() => channel.last('close') !== undefined);
    channel.says({ type: 'closed' });
    expect(await exitCode).toBe(0);
    expect(channel.told.at(-1)).toMatchObject({ type: 'metrics', key: null });
  });

  it('ends with 1 where it cannot start', async () => {
    const environment = host.environment({ TWILIO_AUTH_TOKEN: '' });
    expect(await runWorker({ number: 1, environment, channel: channel.forWorker })).toBe(1);
    expect(channel.last('phase')).toMatchObject({ phase: 'configuration', outcome: { outcome: 'failed' } });
  });

  it('stops at once at a second request, and drains where its primary is gone', async () => {
    const environment = host.environment();
    const exitCode = runWorker({ number: 1, environment, channel: channel.forWorker });
    await until(() => channel.last('open') !== undefined);
    channel.says({ type: 'opened', port });
    await until(() => channel.last('started') !== undefined);
    channel.breaks();
    channel.says({ type: 'stop', reason: 'SIGTERM' });
    expect(await exitCode).toBe(0);
  });
});
