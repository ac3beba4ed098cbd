/**
 * Owns: a world of simulated calls on one virtual clock: processes of ours on one journal, between both halves of the
 * twin. Only sockets, HTTP and the journal's file are in memory.
 * Does not own: one process (`process.ts`), what goes wrong (`story.ts`), what must hold (`verdict.ts`).
 */
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { loadAgent } from '../../src/agent/load.ts';
import type { LoadedAgent } from '../../src/agent/loaded-agent.ts';
import { type Settings, settingsSchema } from '../../src/machines/settings.ts';
import type { ObservedStep } from '../../src/runtime/call.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import type { Assembly } from '../../src/service/assembly.ts';
import type { Pulse } from '../../src/service/pulse.ts';
import type { Brain } from '../../src/twin/openai/brain.ts';
import { type FaultPlan, noFaults } from '../../src/twin/openai/faults.ts';
import { connectInMemory, type InMemoryTwin } from '../../src/twin/openai/memory-connection.ts';
import { type Random, seededRandom } from '../../src/twin/random.ts';
import type { TwinCall } from '../../src/twin/twilio/call/call.ts';
import type { CallPlan } from '../../src/twin/twilio/call/call-order.ts';
import {
  ConnectFailure,
  type Exchange,
  type HttpRequest,
  type HttpResponse,
} from '../../src/twin/twilio/http/http-message.ts';
import type { StreamPolicy } from '../../src/twin/twilio/settings.ts';
import { memorySockets } from '../../src/twin/twilio/stream/memory-socket.ts';
import { TwilioTwin } from '../../src/twin/twilio/twin.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import type { RestTrouble } from './carrier-requests.ts';
import { type Level, levels } from './level.ts';
import { SimulatedProcess } from './process.ts';
import { settleNow } from './settle.ts';

const publicUrl = 'https://calls.example.com';
const account = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'offline-auth-token' };
const number = '+15550100';
const networkMs = 15;

/** The worked example, without what it prints. */
const frontDesk = await loadAgent('agents/front-desk.ts');
const quietFrontDesk = {
  ...frontDesk,
  agent: { ...frontDesk.agent, onCallEnded: () => undefined },
} as LoadedAgent;

/** What happens to a webhook on its way; `loseAnswer`: it is carried out, and the answer is lost. */
export type WebhookTrouble = 'refuse' | 'lose' | 'loseAnswer' | { delayMs: number };

export interface WorldOptions {
  brain: Brain;
  seed?: number;
  /** Default `frames`. */
  level?: Level;
  /** The agent of all calls; the worked example unless told. */
  agent?: LoadedAgent;
  /**
   * Where the processes run, one name for each. Left out: one process, which neither beats nor adopts, so that a test
   * has it to itself.
   */
  hosts?: readonly string[];
  modelFaults?: FaultPlan;
  settings?: Partial<Settings>;
  /** What becomes of a caller whom the model cannot serve. */
  fallback?: Settings['fallback'];
  /** The model ends every session after so long. */
  sessionMaximumMs?: number;
  /** The twin's Twilio has no status callback for the number. */
  withoutStatusCallback?: boolean;
  policy?: 'action' | 'hold' | 'end' | StreamPolicy;
  /** That of a journal in a file unless told. */
  pulse?: Pulse;
  /** What the journal's engine knows of a process's session; nothing unless told. */
  isConnected?(instance: string): boolean | null;
  /** Who shares connections out; unless told, each goes to any process that listens, whatever it carries. */
  balancer?: Balancer;
  /** Calls of which the twin keeps what was heard; of more of them the oldest that has ended is forgotten. */
  mostKnownCalls?: number;
}

export interface Balancer {
  /** @throws ConnectFailure where nobody takes it */
  serve(request: HttpRequest, processes: readonly SimulatedProcess[]): Promise<HttpResponse>;
  streamTaker(url: string, processes: readonly SimulatedProcess[]): SimulatedProcess | null;
}

/** A message with the caller's voice that reached a process. */
export interface Arrival {
  at: number;
  process: SimulatedProcess;
  text: string;
}

/** A process asked the carrier to change a call that `owner` owned by the journal at that moment. */
export interface CarrierOrder {
  at: number;
  process: SimulatedProcess;
  callId: string;
  owner: string | null;
}

const mediaStart = '{"event":"media"';
const payloadStart = '"payload":"';
/** The payload of a media message begins before this. */
const longestHead = 200;

/** A media message that is more than silence: silent mu-law is all slashes in base64. */
function hasVoice(text: string): boolean {
  if (!text.startsWith(mediaStart)) return false;
  const head = text.slice(0, longestHead);
  return !head.startsWith('////', head.indexOf(payloadStart) + payloadStart.length);
}

function keepIn<Item>(list: Item[], isKept: (item: Item) => boolean): void {
  list.splice(0, list.length, ...list.filter(isKept));
}

const instanceNames = ['one', 'two', 'three', 'four', 'five', 'six'];

export class World {
  readonly clock = new VirtualClock(undefined, settleNow);
  readonly level: Level;
  /** Every process that ever ran, in the order in which they started. */
  readonly processes: SimulatedProcess[] = [];
  /** What the journal holds, for checks: no process's faults touch this handle. */
  readonly journal: Journal;
  readonly openai: InMemoryTwin;
  readonly twilio: TwilioTwin;
  /** All steps of all processes, in order. */
  readonly steps: ObservedStep[] = [];
  /** Who made a step, and when by the clock of the world: a process's own may be wrong. */
  readonly steppedBy = new Map<ObservedStep, { process: SimulatedProcess; at: number }>();
  readonly arrivals: Arrival[] = [];
  readonly orders: CarrierOrder[] = [];
  /** Asked for every request to the REST API and every webhook. */
  restTrouble: () => RestTrouble | null = () => null;
  webhookTrouble: () => WebhookTrouble | null = () => null;
  /** Told of every process that died. */
  onDied: (process: SimulatedProcess) => void = () => undefined;
  readonly #options: WorldOptions;
  readonly #seed: number;
  /** Which process takes the next connection. */
  readonly #balance: Random;
  readonly #settings: Settings;

  private constructor(options: WorldOptions) {
    const { clock } = this;
    this.#options = options;
    this.#seed = options.seed ?? 1;
    this.#balance = seededRandom(this.#seed + 2);
    this.#settings = settingsSchema.parse({ fallback: options.fallback, ...options.settings });
    this.level = options.level ?? 'frames';
    const { frameMs, pace, recordedAudioBytes } = levels[this.level];
    this.journal = openMemoryJournal(createMemoryStore(), { clock });
    this.openai = connectInMemory({
      clock,
      brain: options.brain,
      faults: options.modelFaults ?? noFaults,
      seed: this.#seed,
      delayMs: networkMs,
      pace,
      recordedAudioBytes,
      keptSessions: 1_000,
      ...(options.sessionMaximumMs !== undefined && { sessionMaximumMs: options.sessionMaximumMs }),
    });
    this.twilio = new TwilioTwin(
      { clock, random: seededRandom(this.#seed), exchange: this.#exchange, openSocket: this.#openStreams() },
      {
        ...account,
        policy: options.policy ?? 'action',
        frameMs,
        ...(options.mostKnownCalls !== undefined && { mostKnownCalls: options.mostKnownCalls }),
      },
    );
    this.twilio.configureNumber(number, {
      voiceUrl: `${publicUrl}/twilio/voice`,
      voiceFallbackUrl: `${publicUrl}/twilio/fallback`,
      statusCallback: options.withoutStatusCallback ? '' : `${publicUrl}/twilio/status`,
    });
  }

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options);
    for (const [index, host] of (options.hosts ?? ['here']).entries())
      await world.startProcess(instanceNames[index] ?? `number${index}`, host);
    return world;
  }

  /** The first process: all there is in a world of one. */
  get assembly(): Assembly {
    return this.#first.assembly;
  }

  get tally(): SimulatedProcess['tally'] {
    return this.#first.tally;
  }

  get living(): SimulatedProcess[] {
    return this.processes.filter(({ isAlive }) => isAlive);
  }

  get #first(): SimulatedProcess {
    const [first] = this.processes;
    if (first === undefined) throw new Error('no process was started');
    return first;
  }

  /** Starts a process; a name that a dead one bore makes it that one's restart. */
  async startProcess(instance: string, host: string): Promise<SimulatedProcess> {
    const pid = this.processes.length + 1;
    const process = await SimulatedProcess.start(
      {
        instance,
        pid,
        host,
        seed: this.#seed + 1_000 * pid,
        level: this.level,
        settings: this.#settings,
        agent: this.#options.agent ?? quietFrontDesk,
        presence: this.#options.hosts !== undefined,
        ...(this.#options.pulse && { pulse: this.#options.pulse }),
      },
      {
        clock: this.clock,
        journal: this.journal,
        openModelSocket: this.openai.openSocket,
        publicUrl,
        account,
        rest: (request) => this.twilio.rest(request),
        restTrouble: () => this.restTrouble(),
        isProcessAlive: (place, other) =>
          this.living.some(({ options }) => options.host === place && options.pid === other),
        hasCalls: (name) =>
          this.living.some(
            ({ options, assembly, isFrozen }) =>
              options.instance === name && !isFrozen && assembly.registry.size > 0,
          ),
        isConnected: (name) => this.#options.isConnected?.(name) ?? null,
        onStep: (by, step) => {
          this.steps.push(step);
          this.steppedBy.set(step, { process: by, at: this.clock.now() });
        },
        onCarrierMessage: (to, data) => {
          if (typeof data === 'string' && hasVoice(data))
            this.arrivals.push({ at: this.clock.now(), process: to, text: data });
        },
        onCarrierOrder: (by, callId) => void this.#noteOrder(by, callId),
        onDied: (dead) => this.onDied(dead),
        during: (work) => this.clock.during(work),
      },
    );
    this.processes.push(process);
    return process;
  }

  place(plan: CallPlan): TwinCall {
    return this.twilio.placeCall({ to: number, from: '+15550123', ...plan });
  }

  /** Whether the call is over on both sides. */
  isOver(call: TwinCall): boolean {
    return (
      call.hasEnded && this.living.every(({ assembly }) => assembly.registry.get(call.sid) === undefined)
    );
  }

  /** Lets time pass until the calls are over on both sides and their last sockets are closed. */
  async finish(calls: TwinCall | readonly TwinCall[], limitMs = 600_000, lingerMs = 60_000): Promise<void> {
    const all: readonly TwinCall[] = [calls].flat();
    const isOver = (): boolean => all.every((call) => this.isOver(call));
    if (!(await this.clock.runUntil(isOver, limitMs))) throw new Error(this.#describeOpen(all));
    await this.clock.advance(lingerMs);
  }

  async close(): Promise<void> {
    await Promise.all(this.living.map((process) => process.close()));
    this.twilio.close();
    this.openai.close();
    await this.journal.close();
  }

  /** Keeps nothing of calls that were judged, and no sound from before the moment `before`. */
  forget(isJudged: (callId: string) => boolean, before: number): void {
    for (const step of this.steps) if (isJudged(step.call.callId)) this.steppedBy.delete(step);
    keepIn(this.steps, ({ call }) => !isJudged(call.callId));
    keepIn(this.orders, ({ callId }) => !isJudged(callId));
    keepIn(this.arrivals, ({ at }) => at >= before);
  }

  async #noteOrder(process: SimulatedProcess, callId: string): Promise<void> {
    const at = this.clock.now();
    const row = await this.journal.findByCarrierId(callId);
    this.orders.push({ at, process, callId, owner: row?.owner ?? null });
  }

  #describeOpen(calls: readonly TwinCall[]): string {
    const open = calls.filter((call) => !this.isOver(call));
    const states = open.map((call) => {
      const here = this.living.map(({ instance, assembly }) => {
        const state = assembly.registry.get(call.sid)?.state.snapshot.value;
        return state === undefined ? '' : `, in ${instance} ${JSON.stringify(state)}`;
      });
      return `${call.sid}: ${call.status} at Twilio${here.join('')}`;
    });
    return `the calls are not over: ${states.join('; ')}`;
  }

  #listening(): SimulatedProcess | null {
    const listening = this.processes.filter(({ isListening }) => isListening);
    return listening[Math.floor(this.#balance() * listening.length)] ?? null;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, delayMs));
  }

  readonly #exchange: Exchange = async (request) => {
    const trouble = this.webhookTrouble();
    if (trouble === 'refuse') throw new ConnectFailure('simulated');
    if (trouble === 'lose') return await new Promise(() => undefined);
    if (trouble !== null && typeof trouble === 'object') await this.#wait(trouble.delayMs);
    await this.#wait(networkMs);
    const answer = await this.#serve(request);
    if (trouble === 'loseAnswer') return await new Promise(() => undefined);
    await this.#wait(networkMs);
    return answer;
  };

  #serve(request: HttpRequest): Promise<HttpResponse> {
    const { balancer } = this.#options;
    if (balancer) return balancer.serve(request, this.processes);
    const process = this.#listening();
    if (process === null) throw new ConnectFailure('nobody listens');
    return process.serve(request);
  }

  /** A balancer may know the instance that the path names, or may not. */
  #streamTaker(url: string): SimulatedProcess | null {
    const { balancer } = this.#options;
    if (balancer) return balancer.streamTaker(url, this.processes);
    const named = this.processes.find(
      ({ isListening, instance }) => isListening && url.endsWith(`/${instance}`),
    );
    return named !== undefined && this.#balance() < 0.5 ? named : this.#listening();
  }

  #openStreams() {
    return memorySockets(this.clock, networkMs, (request, accept) => {
      const process = this.#streamTaker(request.url);
      if (process !== null) return process.upgrade(request, accept);
      return { kind: 'network', status: null, retryAfterMs: null, detail: 'ECONNREFUSED' };
    });
  }
}
