/**
 * Owns: whole calls on a virtual clock: the real chart, runtime, journal adapter, bridge, webhooks, media streams and
 * model sessions, between both halves of the twin. Only sockets and HTTP are in memory.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { createOpenAiModel } from '../../src/adapters/openai/model.ts';
import { MediaStream } from '../../src/adapters/twilio/media-stream.ts';
import { Signature } from '../../src/adapters/twilio/signature.ts';
import { Tally } from '../../src/adapters/twilio/tally.ts';
import { twilioWebhooks } from '../../src/adapters/twilio/webhooks.ts';
import { loadAgent } from '../../src/agent/load.ts';
import type { CarrierStatus } from '../../src/machines/entries.ts';
import { type Settings, settingsSchema } from '../../src/machines/settings.ts';
import type { ObservedStep } from '../../src/runtime/call.ts';
import type { CarrierControl } from '../../src/runtime/ports/carrier.ts';
import type { Clock, TimerHandle } from '../../src/runtime/ports/clock.ts';
import { GiveUpError, RetryError } from '../../src/runtime/ports/errors.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import type { SocketClosure } from '../../src/runtime/ports/socket.ts';
import { type Assembly, assemble } from '../../src/service/assembly.ts';
import type { Brain } from '../../src/twin/openai/brain.ts';
import { type FaultPlan, noFaults } from '../../src/twin/openai/faults.ts';
import { connectInMemory, type InMemoryTwin } from '../../src/twin/openai/memory-connection.ts';
import { seededRandom } from '../../src/twin/random.ts';
import type { TwinCall } from '../../src/twin/twilio/call/call.ts';
import type { CallPlan } from '../../src/twin/twilio/call/call-order.ts';
import type { Exchange } from '../../src/twin/twilio/http/http-message.ts';
import type { StreamPolicy } from '../../src/twin/twilio/settings.ts';
import { type MemoryServer, memorySockets } from '../../src/twin/twilio/stream/memory-socket.ts';
import { TwilioTwin } from '../../src/twin/twilio/twin.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { countTimers } from '../support/counted-timers.ts';

const publicUrl = 'https://calls.example.com';
const account = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'offline-auth-token' };
const number = '+15550100';
const networkMs = 15;

/** The worked example, without what it prints. */
const frontDesk = await loadAgent('agents/front-desk.ts');
const agent = {
  ...frontDesk,
  agent: { ...frontDesk.agent, onCallEnded: () => undefined },
} as typeof frontDesk;

export interface WorldOptions {
  brain: Brain;
  seed?: number;
  modelFaults?: FaultPlan;
  settings?: Partial<Settings>;
  /** The twin's Twilio has no status callback for the number. */
  withoutStatusCallback?: boolean;
  policy?: 'action' | 'hold' | 'end' | StreamPolicy;
}

export class World {
  readonly clock = new VirtualClock();
  /** Timers that our side has set; the twin's are its own business. */
  readonly ourTimers = new Set<TimerHandle>();
  readonly #ours: Clock = countTimers(this.clock, this.ourTimers);
  readonly journal: Journal;
  readonly openai: InMemoryTwin;
  readonly twilio: TwilioTwin;
  readonly assembly: Assembly;
  readonly tally: Tally;
  readonly steps: ObservedStep[] = [];
  /** Errors that were logged: none, whatever the far sides do. */
  readonly errors: string[] = [];
  readonly streams = new Set<MediaStream>();
  readonly #app: FastifyInstance;

  private constructor(options: WorldOptions) {
    const { clock } = this;
    this.journal = openMemoryJournal(createMemoryStore(), { clock });
    this.tally = new Tally(clock, () => undefined);
    const seed = options.seed ?? 1;
    this.openai = connectInMemory({
      clock,
      brain: options.brain,
      faults: options.modelFaults ?? noFaults,
      seed,
      delayMs: networkMs,
    });
    this.twilio = new TwilioTwin(
      { clock, random: seededRandom(seed), exchange: this.#exchange, openSocket: this.#openStreams() },
      { ...account, policy: options.policy ?? 'action' },
    );
    this.twilio.configureNumber(number, {
      voiceUrl: `${publicUrl}/twilio/voice`,
      voiceFallbackUrl: `${publicUrl}/twilio/fallback`,
      statusCallback: options.withoutStatusCallback ? '' : `${publicUrl}/twilio/status`,
    });
    this.assembly = this.#assemble(options, seed);
    this.#app = Fastify();
  }

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options);
    await world.#app.register(
      twilioWebhooks({
        desk: world.assembly.desk,
        clock: world.#ours,
        tally: world.tally,
        signature: world.#signature,
        publicUrl: () => publicUrl,
        instance: 'one',
        fallbackUrl: null,
      }),
    );
    await world.#app.ready();
    world.assembly.registry.watchInbox();
    return world;
  }

  get #signature(): Signature {
    return new Signature(account.authToken, () => publicUrl);
  }

  place(plan: CallPlan): TwinCall {
    return this.twilio.placeCall({ to: number, from: '+15550123', ...plan });
  }

  /** Lets time pass until the call is over on both sides and its last sockets are closed. */
  async finish(call: TwinCall, limitMs = 600_000): Promise<void> {
    const isOver = (): boolean => call.hasEnded && this.assembly.registry.get(call.sid) === undefined;
    if (!(await this.clock.runUntil(isOver, limitMs))) {
      const state = this.assembly.registry.get(call.sid)?.state.snapshot.value;
      throw new Error(`the call is not over: ${call.status} at Twilio, ${JSON.stringify(state)} here`);
    }
    await this.clock.advance(60_000);
  }

  async close(): Promise<void> {
    this.assembly.registry.stop();
    this.assembly.live.releaseAll();
    this.twilio.close();
    this.openai.close();
    await this.#app.close();
    await this.journal.close();
  }

  #assemble(options: WorldOptions, seed: number): Assembly {
    const { journal } = this;
    const clock = this.#ours;
    const random = seededRandom(seed + 1);
    return assemble({
      configuration: { instance: 'one', settings: settingsSchema.parse(options.settings ?? {}) },
      tokenKey: account.authToken,
      model: createOpenAiModel({
        url: 'wss://model.example.com/v1/realtime',
        model: 'gpt-realtime-2.1',
        apiKey: 'sk-offline',
        clock,
        random,
        openSocket: this.openai.openSocket,
      }),
      control: this.#control(),
      agent,
      journal,
      clock,
      logger: pino({ level: 'error' }, { write: (line: string) => void this.errors.push(line) }),
      pid: 1,
      host: 'here',
      isProcessAlive: () => true,
      isReady: () => true,
      onCallGone: () => undefined,
      onStep: (step) => this.steps.push(step),
    });
  }

  readonly #exchange: Exchange = async (request) => {
    const { pathname, search } = new URL(request.url);
    const answer = await this.clock.during(
      this.#app.inject({
        method: 'POST',
        url: pathname + search,
        headers: { ...request.headers },
        payload: request.body,
      }),
    );
    const headers = { 'content-type': String(answer.headers['content-type'] ?? '') };
    return { status: answer.statusCode, headers, body: answer.body };
  };

  #openStreams() {
    const { clock } = this;
    const server: MemoryServer = (request, accept) => {
      const { pathname } = new URL(request.url);
      if (!this.#signature.signsUpgrade({ url: pathname, headers: request.headers })) {
        return { kind: 'http', status: 403, retryAfterMs: null, detail: '' };
      }
      const socket = accept({
        onMessage: (data) => stream.receive(data),
        onPong: () => stream.onPong(),
        onClose: (closure: SocketClosure) => {
          this.streams.delete(stream);
          stream.onClosed(closure);
        },
      });
      const { desk } = this.assembly;
      const stream: MediaStream = new MediaStream(socket, { desk, clock: this.#ours, tally: this.tally });
      this.streams.add(stream);
      return undefined;
    };
    return memorySockets(clock, networkMs, server);
  }

  /** Twilio's REST API without the network. */
  #control(): CarrierControl {
    const authorization = `Basic ${Buffer.from(`${account.accountSid}:${account.authToken}`).toString('base64')}`;
    const ask = (method: string, carrierCallId: string, body: string): { status: string } => {
      const url = `https://api.twilio.com/2010-04-01/Accounts/${account.accountSid}/Calls/${carrierCallId}.json`;
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
      const answer = this.twilio.rest({ method, url, headers, body });
      const content = JSON.parse(answer.body);
      if (answer.status >= 500 || answer.status === 429) throw new RetryError('carrier.unavailable', '');
      if (answer.status >= 400 && content.code !== 21220) throw new GiveUpError('carrier.refused', '');
      return content;
    };
    return {
      endCall: async (carrierCallId) => void ask('POST', carrierCallId, 'Status=completed'),
      fetchStatus: async (carrierCallId) => ask('GET', carrierCallId, '').status as CarrierStatus,
    };
  }
}
