/** The entrance: connections are taken unread and handed over, whoever ends meanwhile (E4, I4). */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Entrance, mostWaiting, waitLimitMs } from '../../../src/service/workers/entrance.ts';
import type { ToWorker } from '../../../src/service/workers/messages.ts';
import { silentLimitMs } from '../../../src/service/workers/shares.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { leave, occupy, until } from '../support/host.ts';

/** A worker's end of the channel. */
class Worker {
  readonly handed: { number: number; socket: Socket }[] = [];

  tell(message: ToWorker, socket?: Socket): void {
    if (message.type === 'connection' && socket) this.handed.push({ number: message.number, socket });
  }
}

let clock: VirtualClock;
let entrance: Entrance<Worker>;
let port: number;
const dialled: Socket[] = [];

beforeEach(async () => {
  clock = new VirtualClock();
  entrance = new Entrance(clock);
  port = await entrance.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => {
  entrance.close();
  for (const socket of dialled.splice(0)) socket.destroy();
});

async function dial(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  dialled.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const report = (load: number, taken: number) => ({ load, calls: load, taken, refusal: null });

const join = (): Worker => {
  const worker = new Worker();
  entrance.add(worker, report(0, 0));
  return worker;
};

describe('a connection', () => {
  it('is handed over unread, and kept open until the worker has told that it came', async () => {
    const worker = join();
    const far = await dial();
    far.write('GET / HTTP/1.1\r\n');
    await until(() => worker.handed.length === 1);
    const socket = worker.handed[0]?.socket;
    expect(socket?.bytesRead).toBe(0);
    expect(socket?.destroyed).toBe(false);
    entrance.note(worker, report(1, 1));
    expect(socket?.destroyed).toBe(true);
  });

  it('goes to another worker where the first one ends before it has come', async () => {
    const [one, two] = [join(), join()];
    await dial();
    await until(() => one.handed.length === 1);
    entrance.forget(one);
    expect(two.handed.map(({ socket }) => socket)).toEqual([one.handed[0]?.socket]);
    entrance.forget(two);
  });

  it('on its way to a worker that wants no more stays with it', async () => {
    const [one, two] = [join(), join()];
    await dial();
    await until(() => one.handed.length === 1);
    entrance.remove(one);
    expect(two.handed).toEqual([]);
    await dial();
    await until(() => two.handed.length === 1);
    entrance.note(one, report(1, 1));
    expect(one.handed[0]?.socket.destroyed).toBe(true);
    expect(entrance.size).toBe(1);
  });

  it('waits for a worker, and for not too long', async () => {
    await dial();
    await until(() => clock.pendingTimers === 1);
    await clock.advance(waitLimitMs - 1);
    const worker = join();
    expect(worker.handed).toHaveLength(1);
    entrance.remove(worker);
    const far = await dial();
    await until(() => clock.pendingTimers === 1);
    const closed = once(far, 'close');
    await clock.advance(waitLimitMs);
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits for one that stands still once all are to end, and is handed over when it wakes up', async () => {
    const worker = join();
    entrance.beginEnd();
    await clock.advance(silentLimitMs + 1);
    await dial();
    await until(() => clock.pendingTimers === 1);
    expect(worker.handed).toEqual([]);
    entrance.note(worker, report(0, 0));
    expect(worker.handed).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
    entrance.forget(worker);
  });

  it('waits among a bounded number', async () => {
    for (let count = 0; count < mostWaiting; count += 1) await dial();
    await until(() => clock.pendingTimers === mostWaiting);
    const far = await dial();
    await once(far, 'close');
    expect(clock.pendingTimers).toBe(mostWaiting);
  });

  it('is gone with the entrance where it still waits', async () => {
    const far = await dial();
    await until(() => clock.pendingTimers === 1);
    const closed = once(far, 'close');
    entrance.close();
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });
});

it('a port that somebody else has is told', async () => {
  const { port: taken, server } = await occupy(0);
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on('warning', note);
  const waiting = new Entrance(clock);
  for (let time = 0; time < 12; time++) {
    await expect(waiting.listen({ host: '127.0.0.1', port: taken })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  }
  await new Promise(setImmediate);
  process.off('warning', note);
  expect(warnings).toEqual([]);
  await leave(server);
});
