/**
 * Owns: the offline Twilio on real HTTP and real sockets.
 * Does not own: its behaviour (`twin.ts`).
 *
 * Invariants:
 * TS1. It listens on 127.0.0.1 unless told otherwise.
 * TS2. After `close` no call, socket or listener is left.
 */
import { systemClock } from '../../platform/clock.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { seededRandom } from '../random.ts';
import type { CallHandle } from './call/call-handle.ts';
import type { IncomingOrder } from './call/call-order.ts';
import { exchangeOverHttp } from './http/http-exchange.ts';
import { listenForHttp } from './http/http-listener.ts';
import type { NumberConfiguration, PhoneNumber } from './rest/phone-numbers.ts';
import type { TwinOptions } from './settings.ts';
import { openLineSocket } from './stream/line-socket.ts';
import { type AnswerOutgoing, TwilioTwin } from './twin.ts';

export interface TwinServerOptions extends TwinOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any that is free. */
  port?: number;
  clock?: Clock;
  /** The same seed gives the same identifiers and jitter. Default: another one each time. */
  seed?: number;
  /** Phone numbers (E.164) of the account and what they do with a call. */
  numbers?: Readonly<Record<string, Partial<NumberConfiguration>>>;
  answerOutgoing?: AnswerOutgoing;
}

export interface TwinServer {
  /** Base of the REST API, in place of https://api.twilio.com. */
  url: string;
  /**
   * A call comes in from the telephone network.
   *
   * @throws FixCallError where `to` is no number of the twin or has no voice URL
   */
  placeCall(order: IncomingOrder): CallHandle;
  /** Adds a number (E.164), or configures the one that is there. */
  configureNumber(phoneNumber: string, configuration: Partial<NumberConfiguration>): PhoneNumber;
  /** The next so many requests to the REST API are refused with 20429. */
  refuseRequests(requests: number): void;
  find(sid: string): CallHandle | null;
  /** Newest first. */
  list(): readonly CallHandle[];
  /** Ends all calls; nobody is told. */
  close(): Promise<void>;
}

export async function startTwilioTwin(options: TwinServerOptions): Promise<TwinServer> {
  const { host = '127.0.0.1', port = 0, clock = systemClock, numbers = {}, answerOutgoing } = options;
  const random = seededRandom(options.seed ?? Math.floor(Math.random() * 2 ** 32));
  const ports = { clock, random, exchange: exchangeOverHttp, openSocket: openLineSocket };
  const twin = new TwilioTwin(ports, options, answerOutgoing);
  for (const [number, configuration] of Object.entries(numbers)) twin.configureNumber(number, configuration);
  const listener = await listenForHttp(host, port, (request) => twin.rest(request));
  return {
    url: listener.url,
    placeCall: (order) => twin.placeCall(order),
    configureNumber: (number, configuration) => twin.configureNumber(number, configuration),
    refuseRequests: (requests) => twin.refuseRequests(requests),
    find: (sid) => twin.find(sid),
    list: () => twin.list(),
    close: async () => {
      twin.close();
      await listener.close();
    },
  };
}
