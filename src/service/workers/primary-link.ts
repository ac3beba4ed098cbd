/**
 * Owns: a worker's side of the channel to its primary: connections that come, upgrades that go to a sibling and come from
 * one, metrics of all, requests to stop.
 * Does not own: the service that runs in the worker (`worker.ts`), the primary's side (`primary.ts`).
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { MetricsText } from '../../adapters/http/admin-server.ts';
import type { ConnectionSource, ConnectionTaker } from '../../adapters/http/handed-connections.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Metrics } from '../../telemetry/metrics/metrics.ts';
import type { Reading } from '../../telemetry/metrics/reading.ts';
import {
  type Address,
  type Channel,
  type ListenFailure,
  type ToPrimary,
  type ToWorker,
  tell,
} from './messages.ts';
import { PassedUpgrades } from './passed-upgrades.ts';
import { type Standing, WorkerLoad } from './worker-load.ts';

/** As `process` of a worker is one. */
export interface WorkerChannel extends Channel {
  on(event: 'message', take: (message: ToWorker, socket?: Socket) => void): unknown;
  on(event: 'disconnect', take: () => void): unknown;
}

export interface WorkerOrders {
  drain(reason: string): void;
  stop(reason: string): void;
}

const goneText = 'the primary process is gone';

export class PrimaryLink implements ConnectionSource {
  readonly #channel: WorkerChannel;
  readonly #instance: string;
  readonly #load = new WorkerLoad((report) => this.tell({ type: 'load', report }));
  readonly #upgrades = new PassedUpgrades((message, socket) => this.tell(message, socket));
  readonly #texts = new Map<number, PromiseWithResolvers<string>>();
  #closed = Promise.withResolvers<void>();
  #opening: PromiseWithResolvers<number> | null = null;
  #taker: ConnectionTaker | null = null;
  #orders: WorkerOrders | null = null;
  #read: () => Promise<Reading[]> = async () => [];
  #isDraining = false;
  #lastKey = 0;

  /** @param instance this worker's own name among all instances */
  constructor(channel: WorkerChannel, instance: string) {
    this.#channel = channel;
    this.#instance = instance;
    channel.on('message', (message, socket) => this.#take(message, socket));
    channel.on('disconnect', () => this.#onGone());
  }

  obey(orders: WorkerOrders): void {
    this.#orders = orders;
  }

  tell(message: ToPrimary, socket?: Socket): void {
    tell(this.#channel, message, socket);
  }

  /** Also after `close`. @throws Error with the fields of an error of the system, where the port cannot be had */
  async open(address: Address, taker: ConnectionTaker): Promise<number> {
    if (!this.#channel.connected) throw new Error(goneText);
    this.#taker = taker;
    this.#closed = Promise.withResolvers();
    this.#opening = Promise.withResolvers();
    this.tell({ type: 'open', instance: this.#instance, address });
    return this.#opening.promise;
  }

  async close(): Promise<void> {
    if (!this.#channel.connected) return;
    this.tell({ type: 'close' });
    await this.#closed.promise;
  }

  countBy(countCalls: () => number): void {
    this.#load.countBy(countCalls);
  }

  /** @param look at what this worker carries, and whether it takes new calls; until `lastWord` */
  lookBy(look: () => Standing, clock: Clock): void {
    this.#load.lookBy(look, clock);
  }

  /** Does not wait for the next look. */
  look(): void {
    this.#load.tell();
  }

  /** The number of live calls may be another one. */
  noteChange(): void {
    this.#load.noteChange();
  }

  /** It stops together with this worker. */
  drainsWithUs(instance: string): boolean {
    return this.#isDraining && this.#upgrades.isSibling(instance);
  }

  /** @param serve does it here, where the sibling is gone @returns whether the path names a sibling, which gets it */
  passUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, serve: () => void): boolean {
    this.#load.noteStream(socket);
    return this.#channel.connected && this.#upgrades.pass(request, socket, head, serve);
  }

  /** The metrics of all workers; `own` are this one's share of them. */
  metricsOfAll(own: Pick<Metrics, 'contentType' | 'read'>): MetricsText {
    this.#read = () => own.read();
    return { contentType: own.contentType, text: () => this.#askText() };
  }

  /** Resolves when the primary has, or can have, what this worker measured to its end. */
  async lastWord(): Promise<void> {
    this.#load.stop();
    const message: ToPrimary = { type: 'metrics', key: null, readings: await this.#read() };
    if (!this.#channel.connected) return;
    await new Promise<void>((resolve) => this.#channel.send?.(message, () => resolve()));
  }

  #askText(): Promise<string> {
    this.#lastKey += 1;
    const asked = Promise.withResolvers<string>();
    this.#texts.set(this.#lastKey, asked);
    if (this.#channel.connected) this.tell({ type: 'askMetrics', key: this.#lastKey });
    else this.#refuseTexts();
    return asked.promise;
  }

  #take(message: ToWorker, socket: Socket | undefined): void {
    if (message.type === 'connection') this.#takeConnection(message.number, socket);
    else if (message.type === 'upgrade') this.#upgrades.arrive(message.key, message.request, socket);
    else if (message.type === 'upgradeReleased') this.#upgrades.release(message.key, this.#taker);
    else if (message.type === 'upgradePassed') this.#upgrades.settle(message.key, message.moved);
    else if (message.type === 'opened') this.#opening?.resolve(message.port);
    else if (message.type === 'openFailed') this.#opening?.reject(errorOf(message.failure));
    else if (message.type === 'closed') this.#closed.resolve();
    else if (message.type === 'siblings') this.#noteSiblings(message.instances);
    else if (message.type === 'readMetrics') void this.#tellReadings(message.key);
    else if (message.type === 'metricsText') this.#settleText(message.key, message.text);
    else this.#obey(message.type, message.reason);
  }

  #takeConnection(number: number, socket: Socket | undefined): void {
    this.#load.take(number, socket);
    if (socket) this.#taker?.connection(socket);
  }

  #noteSiblings(instances: readonly string[]): void {
    this.#upgrades.noteSiblings(instances.filter((instance) => instance !== this.#instance));
  }

  async #tellReadings(key: number): Promise<void> {
    this.tell({ type: 'metrics', key, readings: await this.#read() });
  }

  #settleText(key: number, text: string): void {
    this.#texts.get(key)?.resolve(text);
    this.#texts.delete(key);
  }

  #obey(order: 'drain' | 'stop', reason: string): void {
    this.#isDraining = true;
    this.#orders?.[order](reason);
  }

  /** Nobody takes connections for this worker any more: its calls go to other processes. */
  #onGone(): void {
    this.#closed.resolve();
    this.#opening?.reject(new Error(goneText));
    this.#upgrades.settleAll();
    this.#refuseTexts();
    this.#obey('drain', goneText);
  }

  /** Its own metrics alone would look like a step back. */
  #refuseTexts(): void {
    for (const { reject } of this.#texts.values()) reject(new Error(goneText));
    this.#texts.clear();
  }
}

const errorOf = ({ message, ...fields }: ListenFailure): Error => Object.assign(new Error(message), fields);
