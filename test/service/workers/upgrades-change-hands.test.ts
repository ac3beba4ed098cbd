/** A media upgrade that came to the wrong worker is served by the one that its path names, and by no second one (E3). */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { streamAddressOf } from '../../../src/adapters/twilio/addresses.ts';
import type { ToPrimary, ToWorker } from '../../../src/service/workers/messages.ts';
import { PassedUpgrades } from '../../../src/service/workers/passed-upgrades.ts';
import { UpgradePasses } from '../../../src/service/workers/upgrade-passes.ts';

const pathOf = (instance: string): string => new URL(streamAddressOf('http://calls', instance)).pathname;

/** Two workers and their primary; messages go one at a time, and each process has a socket of its own for a connection. */
class Trio {
  readonly passes = new UpgradePasses<Party>();
  readonly parties = ['one', 'two'].map((name) => new Party(name, this));
  /** Sockets of the connection, in the order in which processes got them. */
  readonly sockets: Socket[] = [];
  readonly queue: (() => void)[] = [];

  open(): Socket {
    const socket = new Socket();
    this.sockets.push(socket);
    return socket;
  }

  party(name: string): Party {
    return this.parties.find((party) => party.name === name && !party.isDead) as Party;
  }

  /** The next so many messages arrive; all of them unless told. */
  deliver(messages = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < messages && this.queue.length > 0; count += 1) this.queue.shift()?.();
  }

  take(from: Party, message: ToPrimary): void {
    if (message.type === 'passUpgrade') {
      const to = this.parties.find(({ name, isDead }) => name === message.instance && !isDead) ?? null;
      this.passes.begin(from, message.key, to, message.request, this.open());
    } else if (message.type === 'upgradeTaken') this.passes.take(message.key);
    else if (message.type === 'releaseUpgrade') this.passes.release(from, message.key);
  }
}

class Party {
  readonly name: string;
  readonly served: {
    url: string | undefined;
    headers: object;
    socket: unknown;
    rest: string;
    openSockets: number;
  }[] = [];
  readonly upgrades: PassedUpgrades;
  isDead = false;
  readonly #trio: Trio;

  constructor(name: string, trio: Trio) {
    this.name = name;
    this.#trio = trio;
    this.upgrades = new PassedUpgrades((message) =>
      trio.queue.push(() => !this.isDead && trio.take(this, message)),
    );
    this.upgrades.noteSiblings(['one', 'two'].filter((other) => other !== name));
  }

  /** From the primary. */
  tell(message: ToWorker): void {
    this.#trio.queue.push(() => {
      if (this.isDead) return;
      if (message.type === 'upgrade') this.upgrades.arrive(message.key, message.request, this.#trio.open());
      else if (message.type === 'upgradePassed') this.upgrades.settle(message.key, message.moved);
      else if (message.type === 'upgradeReleased')
        this.upgrades.release(message.key, {
          connection: () => undefined,
          upgrade: (request, socket, head) => this.serve(request, socket, head),
        });
    });
  }

  serve({ url, headers }: IncomingMessage, socket: unknown, head: Buffer): void {
    const openSockets = this.#trio.sockets.filter(({ destroyed }) => !destroyed).length;
    this.served.push({ url, headers, socket, rest: head.toString(), openSockets });
  }

  /** An upgrade comes to this worker. */
  comes(path: string): boolean {
    const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: path });
    request.headers = { 'x-twilio-signature': 'signed' };
    const [socket, head] = [this.#trio.open(), Buffer.from('early')];
    return this.upgrades.pass(request, socket, head, () => this.serve(request, socket, head));
  }

  dies(): void {
    this.isDead = true;
    this.#trio.passes.forget(this);
  }
}

/** One of the two dies after so many messages of a hand-over, and the system closes what it had open. */
function strike(victim: 'one' | 'two', messages: number) {
  const trio = new Trio();
  const [one, two] = [trio.party('one'), trio.party('two')];
  one.comes(pathOf('two'));
  trio.deliver(messages);
  (victim === 'one' ? one : two).dies();
  trio.sockets[victim === 'one' ? 0 : 2]?.destroy();
  trio.deliver();
  return { trio, one, two };
}

describe('an upgrade whose path names a sibling', () => {
  it('goes on there with its head and first bytes, once nobody else has its socket open', () => {
    const trio = new Trio();
    expect(trio.party('one').comes(pathOf('two'))).toBe(true);
    trio.deliver();
    expect(trio.party('one').served).toEqual([]);
    const [served] = trio.party('two').served;
    expect(served).toMatchObject({ url: '/twilio/media/two', rest: 'early', openSockets: 1 });
    expect(served?.headers).toEqual({ 'x-twilio-signature': 'signed' });
    expect(served?.socket).toBe(trio.sockets.at(-1));
    expect(trio.passes.size).toBe(0);
  });

  it('is served where it came to if it names nobody, itself or a stranger, or comes over no socket that could be sent', () => {
    const trio = new Trio();
    for (const path of [pathOf('one'), pathOf('three'), '/twilio/voice', '/twilio/media/%E0%A4%A'])
      expect(trio.party('one').comes(path)).toBe(false);
    const request = Object.assign(new IncomingMessage(new Socket()), { url: pathOf('two') });
    const pass = trio
      .party('one')
      .upgrades.pass(request, new PassThrough(), Buffer.alloc(0), () => undefined);
    expect(pass).toBe(false);
    expect(trio.queue).toEqual([]);
  });

  it('is served where it came to if the sibling is gone', () => {
    const trio = new Trio();
    trio.party('two').dies();
    trio.party('one').comes(pathOf('two'));
    trio.deliver();
    expect(trio.party('one').served).toMatchObject([{ rest: 'early', openSockets: 1 }]);
  });

  // Six messages in all: pass, upgrade, taken, moved, release, released.
  it.each([0, 1, 2, 3, 4, 5, 6])(
    'is served once if the first worker dies after %i messages, unless it had said nothing',
    (messages) => {
      const { one, two, trio } = strike('one', messages);
      expect(one.served).toEqual([]);
      expect(two.served).toHaveLength(messages === 0 ? 0 : 1);
      expect(two.served.filter(({ openSockets }) => openSockets !== 1)).toEqual([]);
      expect(trio.passes.size).toBe(0);
    },
  );

  it.each([0, 1, 2, 3, 4, 5, 6])(
    'is served at most once if the sibling dies after %i messages, and once where it had not taken it',
    (messages) => {
      const { one, two, trio } = strike('two', messages);
      expect(one.served.length + two.served.length).toBe(messages < 3 || messages === 6 ? 1 : 0);
      expect(one.served.filter(({ openSockets }) => openSockets !== 1)).toEqual([]);
      expect(trio.passes.size).toBe(0);
    },
  );

  it('stays where it came to if the primary is gone, and nowhere else', () => {
    const trio = new Trio();
    const [one, two] = [trio.party('one'), trio.party('two')];
    one.comes(pathOf('two'));
    trio.deliver(2);
    one.upgrades.settleAll();
    two.upgrades.settleAll();
    expect(one.served).toHaveLength(1);
    two.upgrades.release(1, null);
    expect(two.served).toEqual([]);
    expect(trio.sockets[2]?.destroyed).toBe(true);
  });

  it('is nobody’s where its far side has left before it was handed over', () => {
    const trio = new Trio();
    const two = trio.party('two');
    two.upgrades.arrive(7, { method: 'GET', url: '', headers: {}, rest: Buffer.alloc(0) }, undefined);
    two.upgrades.release(7, null);
    expect(two.served).toEqual([]);
  });
});
