/** Owns: a twin and an application that meet in memory on a virtual clock. */

import type { OpenSocket } from '../../../../src/runtime/ports/socket.ts';
import { seededRandom } from '../../../../src/twin/random.ts';
import type { TwinCall } from '../../../../src/twin/twilio/call/call.ts';
import type { CallPlan } from '../../../../src/twin/twilio/call/call-order.ts';
import type { NumberConfiguration } from '../../../../src/twin/twilio/rest/phone-numbers.ts';
import type { TwinOptions } from '../../../../src/twin/twilio/settings.ts';
import { memorySockets } from '../../../../src/twin/twilio/stream/memory-socket.ts';
import { type AnswerOutgoing, TwilioTwin } from '../../../../src/twin/twilio/twin.ts';
import { VirtualClock } from '../../../../src/twin/virtual-clock.ts';
import { Application, type TakenStream } from './application.ts';

export const accountSid = `AC${'1'.repeat(32)}`;
export const authToken = 'secret-of-the-tests';
export const ourNumber = '+15550002';
export const callerNumber = '+15550001';
export const origin = 'https://app.example';

export interface RigOptions extends Partial<TwinOptions> {
  number?: Partial<NumberConfiguration>;
  answerOutgoing?: AnswerOutgoing;
  seed?: number;
}

export interface Rig {
  clock: VirtualClock;
  application: Application;
  twin: TwilioTwin;
  /** What the twin's sockets say that they have not sent yet. */
  unsentBytes: number;
  place(plan?: CallPlan): TwinCall;
  /** Places a call and lets time pass until its first stream has started. */
  placeUntilStreaming(plan?: CallPlan): Promise<{ call: TwinCall; stream: TakenStream }>;
  /** Lets time pass until the call has ended. */
  untilEnded(call: TwinCall, limitMs?: number): Promise<void>;
}

export const streamTwiml = (attributes = '', inside = ''): string =>
  `<Connect><Stream url="wss://media.example/twilio" ${attributes}>${inside}</Stream></Connect>`;

export function makeRig({ number, answerOutgoing, seed = 1, ...options }: RigOptions = {}): Rig {
  const clock = new VirtualClock();
  const application = new Application(() => clock.monotonic());
  const ports = {
    clock,
    random: seededRandom(seed),
    exchange: application.exchange,
    openSocket: withUnsent(memorySockets(clock, 1, application.server), () => rig.unsentBytes),
  };
  const twin = new TwilioTwin(ports, { accountSid, authToken, ...options }, answerOutgoing);
  twin.configureNumber(ourNumber, { voiceUrl: `${origin}/voice`, ...number });
  const place = (plan: CallPlan = {}): TwinCall =>
    twin.placeCall({ to: ourNumber, from: callerNumber, ...plan });
  const untilEnded = async (call: TwinCall, limitMs = 600_000): Promise<void> => {
    if (!(await clock.runUntil(() => call.hasEnded, limitMs))) throw new Error('The call did not end.');
    await clock.advance(2_000);
  };
  const rig: Rig = {
    clock,
    application,
    twin,
    unsentBytes: 0,
    place,
    untilEnded,
    placeUntilStreaming: async (plan) => {
      const before = application.streams.length;
      const call = place(plan);
      const isStreaming = (): boolean => (application.streams[before]?.of('media').length ?? 0) > 0;
      if (!(await clock.runUntil(isStreaming, 10_000))) throw new Error('No stream started.');
      return { call, stream: application.streams[before] as TakenStream };
    },
  };
  return rig;
}

const withUnsent =
  (openSocket: OpenSocket, unsentBytes: () => number): OpenSocket =>
  (request, handlers) =>
    openSocket(request, {
      ...handlers,
      onOpen: (socket) => handlers.onOpen({ ...socket, bufferedBytes: unsentBytes }),
    });
