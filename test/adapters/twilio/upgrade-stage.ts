/** Owns: media streams on a real server at 127.0.0.1, and the carrier that connects to it and signs. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import WebSocket from 'ws';
import { carrierMediaPath, MediaUpgrades } from '../../../src/adapters/twilio/media-upgrades.ts';
import { Signature } from '../../../src/adapters/twilio/signature.ts';
import { Tally } from '../../../src/adapters/twilio/tally.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { wrapWebSocket } from '../../../src/platform/websocket.ts';
import type { Clock } from '../../../src/runtime/ports/clock.ts';
import { RecordedDesk, RecordedListener } from './recorded-desk.ts';

const authToken = 'the token';

export class UpgradeStage {
  readonly lines: string[] = [];
  readonly tally = new Tally(systemClock, (line) => this.lines.push(line));
  readonly desk = new RecordedDesk();
  /** One for each stream that was admitted, in the order in which they came. */
  readonly listeners: RecordedListener[] = [];
  readonly sockets: WebSocket[] = [];
  readonly #server: Server;
  readonly upgrades: MediaUpgrades;

  private constructor(server: Server, clock: Clock) {
    this.#server = server;
    const signature = new Signature(authToken, () => this.publicUrl);
    this.upgrades = new MediaUpgrades({
      desk: this.desk,
      clock,
      tally: this.tally,
      path: carrierMediaPath,
      isLetIn: (request) => signature.signsUpgrade(request),
      wrapSocket: wrapWebSocket,
    });
    server.on('upgrade', (request, socket, head) => this.upgrades.handle(request, socket, head));
    this.desk.admit = async ({ token }) => {
      if (token !== 'good') return null;
      const listener = new RecordedListener();
      this.listeners.push(listener);
      return listener;
    };
  }

  static async open(clock: Clock = systemClock): Promise<UpgradeStage> {
    const server = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new UpgradeStage(server, clock);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get publicUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  sign(path: string, token = authToken): string {
    return getExpectedTwilioSignature(token, `ws://127.0.0.1:${this.port}${path}`, {});
  }

  /** Connects as the carrier does. Messages are sent in the turn in which the socket opens. */
  connect(path = '/twilio/media/a-1', ...messages: (string | Buffer)[]): Promise<WebSocket> {
    return this.connectWith(path, { 'x-twilio-signature': this.sign(path) }, ...messages);
  }

  connectWith(
    path: string,
    headers: Record<string, string>,
    ...messages: (string | Buffer)[]
  ): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}${path}`, { headers, perMessageDeflate: false });
    this.sockets.push(socket);
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => {
        for (const message of messages) socket.send(message);
        resolve(socket);
      });
    });
  }

  /** Closes everything and resolves when no stream is left. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const closeCode = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => socket.once('close', resolve));
