/**
 * Owns: a place between a journal and its PostgreSQL server where answers, requests and notifications get lost.
 * Does not own: either of them.
 *
 * It knows as much of the protocol as that each message of the server begins with a type and a length (PostgreSQL, 55.7
 * "Message Formats"). TLS is beyond it: the journal's URL says `sslmode=disable`.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const notificationType = 'A'.charCodeAt(0);
const headerBytes = 5;

interface Pair {
  client: Socket;
  server: Socket;
  isDeaf: boolean;
  isStalled: boolean;
  /** The next answer is not passed on: both ends are cut instead. */
  losesAnswer: boolean;
}

export class PostgresProxy {
  readonly #server: Server;
  readonly #serverPort: number;
  readonly #pairs = new Set<Pair>();
  #loses: { what: 'answer' | 'request'; text: string; onLost(): void } | null = null;

  private constructor(serverPort: number) {
    this.#serverPort = serverPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async create(serverPort: number): Promise<PostgresProxy> {
    const proxy = new PostgresProxy(serverPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** The next request that holds `text` is carried out, and its answer lost with the connection. Resolves when it is. */
  loseAnswerTo(text: string): Promise<void> {
    return new Promise((onLost) => {
      this.#loses = { what: 'answer', text, onLost };
    });
  }

  /** The next request that holds `text` is lost with the connection. Resolves when it is. */
  loseRequest(text: string): Promise<void> {
    return new Promise((onLost) => {
      this.#loses = { what: 'request', text, onLost };
    });
  }

  /** The connections that are there now hear no notification any more, and everything else. */
  deafen(): void {
    for (const pair of this.#pairs) pair.isDeaf = true;
  }

  /** The connections that are there now stay open, and nothing passes. */
  stall(): void {
    for (const pair of this.#pairs) pair.isStalled = true;
  }

  #join(client: Socket): void {
    const server = connect(this.#serverPort, '127.0.0.1');
    const pair: Pair = { client, server, isDeaf: false, isStalled: false, losesAnswer: false };
    this.#pairs.add(pair);
    client.on('data', (data: Buffer) => this.#toServer(pair, data));
    let rest: Buffer = Buffer.alloc(0);
    server.on('data', (data: Buffer) => {
      rest = this.#toClient(pair, Buffer.concat([rest, data]));
    });
    for (const socket of [client, server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => pair.isStalled || this.#cut(pair));
    }
  }

  #cut(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }

  #toServer(pair: Pair, data: Buffer): void {
    if (pair.isStalled) return;
    const loses = this.#loses?.text !== undefined && data.includes(this.#loses.text) ? this.#loses : null;
    if (loses?.what === 'answer') pair.losesAnswer = true;
    if (loses?.what !== 'request') {
      pair.server.write(data);
      return;
    }
    this.#loses = null;
    this.#cut(pair);
    loses.onLost();
  }

  /** @returns what is no whole message yet */
  #toClient(pair: Pair, data: Buffer): Buffer {
    if (pair.isStalled) return Buffer.alloc(0);
    if (pair.losesAnswer) {
      const { onLost } = this.#loses ?? {};
      this.#loses = null;
      this.#cut(pair);
      onLost?.();
      return Buffer.alloc(0);
    }
    let rest = data;
    while (rest.length >= headerBytes && rest.length >= 1 + rest.readUInt32BE(1)) {
      const bytes = 1 + rest.readUInt32BE(1);
      if (!(pair.isDeaf && rest[0] === notificationType)) pair.client.write(rest.subarray(0, bytes));
      rest = rest.subarray(bytes);
    }
    return rest;
  }

  async close(): Promise<void> {
    for (const pair of [...this.#pairs]) this.#cut(pair);
    this.#server.close();
    await once(this.#server, 'close');
  }
}
