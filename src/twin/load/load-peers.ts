/**
 * Owns: both peers of a load run in one process: the carrier with its calls, the model with its sessions, the collector
 * of traces, and one clock for all of them.
 * Does not own: what is measured (`scripts/load`), the reports.
 *
 * A lean relative of the twin: it speaks the same protocols with as little work as they allow, and knows no faults.
 *
 * Invariants:
 * P1. After `close` no socket and no timer is left.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../random.ts';
import { planOf, type Scenario } from './caller-plan.ts';
import { CarrierCall } from './carrier-call.ts';
import { closeIdleConnections } from './carrier-http.ts';
import type { FlightTimes } from './flight-times.ts';
import { FrameClock } from './frame-clock.ts';
import { acceptFrameSocket } from './handshake.ts';
import { Measures } from './measures.ts';
import { ModelSession } from './model-session.ts';

const ownerLimit = 65_536;

export interface Placement {
  /** The application's, as http://host:port. */
  address: string;
  calls: number;
  rampMs: number;
  scenario: Scenario;
}

export class LoadPeers {
  readonly measures = new Measures();
  readonly #random = seededRandom(1);
  readonly #clock = new FrameClock((lateMs) => this.measures.record('generatorLate', lateMs));
  readonly #calls = new Map<number, CarrierCall>();
  readonly #upFlights = new Map<number, FlightTimes>();
  readonly #downFlights = new Map<number, FlightTimes>();
  readonly #streams = new Set<Duplex>();
  readonly #server: Server;
  #placed = 0;
  #opened = 0;
  #sessions = 0;
  #isPlacing = false;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on('upgrade', (request, stream: Duplex, head: Buffer) =>
      this.#accept(request, stream, head),
    );
  }

  static async open(
    { host, port }: { host: string; port: number } = { host: '127.0.0.1', port: 0 },
  ): Promise<LoadPeers> {
    const peers = new LoadPeers();
    await new Promise<void>((resolve) => peers.#server.listen(port, host, resolve));
    peers.#clock.start();
    return peers;
  }

  /** Twilio's REST API, the Realtime API and the collector of traces are on one port. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get liveCalls(): number {
    let live = 0;
    for (const call of this.#calls.values()) if (call.isLive) live++;
    return live;
  }

  get liveSessions(): number {
    return this.#sessions;
  }

  /** Places the calls one after the other; those that end by their plan are replaced until `hangUp`. */
  async place(placement: Placement): Promise<void> {
    this.#isPlacing = true;
    const startedAtMs = performance.now();
    for (let index = 0; index < placement.calls && this.#isPlacing; index++) {
      await sleep(
        Math.max(0, startedAtMs + (index * placement.rampMs) / placement.calls - performance.now()),
      );
      this.#placeOne(placement);
    }
  }

  /** Everybody hangs up. Resolves when all calls are over, but for those that do not end within the limit. */
  async hangUp(limitMs = 15_000): Promise<void> {
    this.#isPlacing = false;
    const calls = [...this.#calls.values()];
    for (const [index, call] of calls.entries()) {
      call.hangUp();
      if (index % 20 === 19) await sleep(20);
    }
    await Promise.race([Promise.all(calls.map(({ ended }) => ended)), sleep(limitMs)]);
    closeIdleConnections();
  }

  /** P1. */
  async close(): Promise<void> {
    await this.hangUp();
    this.#clock.stop();
    for (const stream of this.#streams) stream.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #placeOne(placement: Placement): void {
    const index = this.#placed++;
    const owner = index % ownerLimit;
    const call = new CarrierCall(owner, planOf(placement.scenario, index), {
      address: placement.address,
      clock: this.#clock,
      measures: this.measures,
      random: this.#random,
      upFlights: this.#upFlights,
      downFlights: this.#downFlights,
    });
    this.#calls.set(owner, call);
    this.measures.count('call.placed');
    void call.place();
    void call.ended.then(() => {
      this.#calls.delete(owner);
      if (this.#isPlacing && call.plan.callMs !== null) this.#placeOne(placement);
    });
  }

  #accept(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#streams.add(stream);
    stream.on('close', () => this.#streams.delete(stream));
    const session = new ModelSession(++this.#opened % ownerLimit, {
      measures: this.measures,
      random: this.#random,
      upFlights: this.#upFlights,
      downFlights: this.#downFlights,
      planOf: (owner) => this.#calls.get(owner)?.plan,
    });
    this.#sessions++;
    this.measures.count('session.opened');
    const socket = acceptFrameSocket(request, stream, head, {
      onMessage: (message) => session.take(message),
      onClosed: () => {
        this.#sessions--;
        session.closed();
      },
    });
    session.open(socket);
  }

  /** Traces, and the few requests of Twilio's REST API that an application makes of a call in progress. */
  #answer(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const [, sid] = /\/Calls\/(CA\w+)\.json/.exec(request.url ?? '') ?? [];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(sid === undefined ? '{}' : this.#answerRest(sid, Buffer.concat(parts).toString()));
    });
  }

  #answerRest(sid: string, body: string): string {
    const call = [...this.#calls.values()].find((candidate) => candidate.sid === sid);
    const form = new URLSearchParams(body);
    this.measures.count(`rest ${body === '' ? 'fetch' : 'update'}`);
    const twiml = form.get('Twiml');
    if (form.get('Status') === 'completed') call?.endedByApplication();
    else if (twiml !== null) call?.redirect(twiml);
    return JSON.stringify({ sid, status: call?.isLive ? 'in-progress' : 'completed' });
  }
}
