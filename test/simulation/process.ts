/**
 * Owns: one simulated process of ours: everything of it on its own clock, its own handle on the journal and its own
 * sockets, and its death at any moment at which it touches the world outside.
 * Does not own: the world around it (`world.ts`), when it dies (the story).
 *
 * Between two crossings nothing of a process can be seen from outside. So a process that may die at each of them may
 * die at any await.
 *
 * Invariants:
 * P1. A dead process does nothing: no timer, no message, no request, no entry, no step that anybody sees.
 * P2. Its far sides see its sockets break `noticedAfterMs` after its death.
 */
import { pino } from 'pino';
import { createOpenAiModel } from '../../src/adapters/openai/model.ts';
import type { TwilioApi } from '../../src/adapters/twilio/api.ts';
import { MediaStream } from '../../src/adapters/twilio/media-stream.ts';
import { TwilioControl } from '../../src/adapters/twilio/rest.ts';
import { Signature } from '../../src/adapters/twilio/signature.ts';
import { Tally } from '../../src/adapters/twilio/tally.ts';
import { twilioWebhooks } from '../../src/adapters/twilio/webhooks.ts';
import type { LoadedAgent } from '../../src/agent/loaded-agent.ts';
import type { ServiceCommand } from '../../src/machines/service.ts';
import type { Settings } from '../../src/machines/settings.ts';
import type { ObservedStep } from '../../src/runtime/call.ts';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import type {
  OpenSocket,
  Socket,
  SocketHandlers,
  SocketRefusal,
  SocketRequest,
} from '../../src/runtime/ports/socket.ts';
import { ServiceActor } from '../../src/runtime/service-actor.ts';
import { type Assembly, assemble } from '../../src/service/assembly.ts';
import type { CallWatch } from '../../src/service/call-watch.ts';
import { localPulse, type Pulse } from '../../src/service/pulse.ts';
import { stallMs } from '../../src/service/stall.ts';
import { seededRandom } from '../../src/twin/random.ts';
import type { HttpRequest, HttpResponse } from '../../src/twin/twilio/http/http-message.ts';
import { CarrierRequests, type RestTrouble } from './carrier-requests.ts';
import { type Door, openBareDoor, openFrameworkDoor } from './door.ts';
import { GuardedSockets } from './guarded-socket.ts';
import type { Level } from './level.ts';
import { ProcessClock } from './process-clock.ts';
import { ProcessJournal } from './process-journal.ts';

/** Where a process touches the world outside. */
export const crossings = [
  'request',
  'answer',
  'timer',
  'message',
  'send',
  'journal',
  'journalAnswer',
  'rest',
  'restAnswer',
] as const;
export type Crossing = (typeof crossings)[number];

export interface CrashPoint {
  /** Dies at the n-th crossing of this kind, or of any, counted from when the point is set. */
  crossing: Crossing | 'any';
  count: number;
}

export interface ProcessOptions {
  /** The instance's name. Two processes may bear the same one, one after the other. */
  instance: string;
  pid: number;
  host: string;
  seed: number;
  level: Level;
  settings: Settings;
  agent: LoadedAgent;
  /** Whether it beats and adopts. */
  presence: boolean;
  /** That of a journal in a file unless told. */
  pulse?: Pulse;
}

/** What a process is given by the world around it. */
export interface ProcessSurroundings {
  clock: Clock;
  journal: Journal;
  openModelSocket: OpenSocket;
  publicUrl: string;
  account: { accountSid: string; authToken: string };
  rest(request: HttpRequest): HttpResponse;
  restTrouble(): RestTrouble | null;
  /** Whether the process with this number lives on the host. */
  isProcessAlive(host: string, pid: number): boolean;
  /** Asked past the journal. */
  hasCalls(instance: string): boolean;
  /** What the journal's engine knows of an instance's session. */
  isConnected(instance: string): boolean | null;
  onStep(process: SimulatedProcess, step: ObservedStep): void;
  /** A message of a media stream has reached the process. */
  onCarrierMessage(process: SimulatedProcess, data: string | Uint8Array): void;
  /** The process asks the carrier to change a call. */
  onCarrierOrder(process: SimulatedProcess, carrierCallId: string): void;
  onDied(process: SimulatedProcess): void;
  /** For work that takes turns of the event loop and no time. */
  during<Result>(work: Promise<Result>): Promise<Result>;
}

const apiKey = 'sk-offline';

/** Who helps callers that the model cannot serve. */
const fallbackNumber = '+15550177';

/** For the closing handshakes of the last sockets. */
const exitMs = 1_500;

/** What is told of calls is no part of them. */
const nobody: CallWatch = {
  follow: () => undefined,
  observe: () => undefined,
  traceIdOf: () => null,
  figuresOf: () => null,
  yielded: () => undefined,
  forget: () => undefined,
  roundTrip: () => undefined,
  bridged: () => undefined,
};

export class SimulatedProcess {
  readonly options: ProcessOptions;
  readonly clock: ProcessClock;
  readonly tally: Tally;
  readonly assembly: Assembly;
  readonly journalHandle: ProcessJournal;
  /** Errors that were logged: none, whatever the far sides do. */
  readonly errors: string[] = [];
  readonly streams = new Set<MediaStream>();
  readonly #around: ProcessSurroundings;
  readonly #signature: Signature;
  readonly #sockets: GuardedSockets;
  readonly #service: ServiceActor;
  /** Webhooks that wait for their answer. */
  readonly #requests = new Set<(error: Error) => void>();
  readonly #journal: Journal;
  #door: Door | null = null;
  #crash: CrashPoint | null = null;
  #crossings = 0;
  /** When it died, by the monotonic clock. */
  #diedAt: number | null = null;
  /** When it let go of everything: it died, or its time was up and what was not written by then was lost. */
  #leftAt: number | null = null;
  #noticedAfterMs = 0;
  #beatAt = 0;
  #isListening = false;
  readonly #listener = {
    stopListening: () => {
      this.#isListening = false;
    },
    listenAgain: async () => {
      this.#isListening = this.isAlive && this.#leftAt === null;
    },
  };
  #hasExited = false;
  #idleTimers = 0;
  #leftTimers = 0;

  private constructor(options: ProcessOptions, around: ProcessSurroundings) {
    this.options = options;
    this.#around = around;
    this.clock = new ProcessClock(around.clock, () => this.cross('timer'));
    this.tally = new Tally(this.clock, () => undefined);
    this.#signature = new Signature(around.account.authToken, () => around.publicUrl);
    this.journalHandle = new ProcessJournal(around.journal, around.clock, this);
    this.#journal = this.#openJournal();
    this.#sockets = new GuardedSockets(this);
    this.#service = new ServiceActor({
      clock: this.clock,
      perform: (command) => this.#perform(command),
      observe: () => undefined,
    });
    this.assembly = this.#assemble();
  }

  static async start(options: ProcessOptions, around: ProcessSurroundings): Promise<SimulatedProcess> {
    const process = new SimulatedProcess(options, around);
    await process.#open();
    return process;
  }

  get instance(): string {
    return this.options.instance;
  }

  get isAlive(): boolean {
    return this.#diedAt === null;
  }

  get diedAt(): number | null {
    return this.#diedAt;
  }

  get leftAt(): number | null {
    return this.#leftAt;
  }

  get isListening(): boolean {
    return this.#isListening;
  }

  /** As on SIGSTOP: its sockets stay open, and nothing of it runs before `thaw`. */
  freeze(): void {
    this.clock.freeze();
  }

  thaw(): void {
    this.clock.thaw();
  }

  get isFrozen(): boolean {
    return this.clock.isFrozen;
  }

  whenAwake(work: () => void): void {
    this.clock.whenAwake(work);
  }

  awake(): Promise<void> {
    return this.clock.awake();
  }

  #openJournal(): Journal {
    const journal = this.journalHandle.open();
    const { instances, beat } = journal;
    journal.beat = async (row) => {
      const journalNow = await beat(row);
      this.#beatAt = this.clock.monotonic();
      return journalNow;
    };
    journal.instances = async () => {
      const rows = await instances();
      return rows.map((row) => ({ ...row, isConnected: this.#around.isConnected(row.instance) }));
    };
    return journal;
  }

  /** True while the process lives; dies here where its crash point says so. */
  cross(crossing: Crossing): boolean {
    if (this.#diedAt !== null) return false;
    const crash = this.#crash;
    if (crash === null || (crash.crossing !== 'any' && crash.crossing !== crossing)) return true;
    this.#crossings += 1;
    if (this.#crossings < crash.count) return true;
    this.kill(this.#noticedAfterMs);
    return false;
  }

  /** The process dies at the point that is named, or never where it does not come there. */
  crashAt(point: CrashPoint, noticedAfterMs: number): void {
    this.#crash = point;
    this.#crossings = 0;
    this.#noticedAfterMs = noticedAfterMs;
  }

  /** @param noticedAfterMs 0 for a killed process; longer for a host that is cut off */
  kill(noticedAfterMs = 0): void {
    if (this.#diedAt !== null) return;
    this.#diedAt = this.#around.clock.monotonic();
    this.#leftAt ??= this.#diedAt;
    this.#isListening = false;
    this.clock.die();
    const breakAll = (): void => {
      this.#sockets.breakAll();
      for (const reject of this.#requests) reject(new Error('the connection was reset'));
    };
    if (noticedAfterMs === 0) breakAll();
    else this.#around.clock.setTimeout(breakAll, noticedAfterMs);
    this.#around.onDied(this);
  }

  /** As on SIGTERM: its calls move or end within the time, by the service's own chart; then it exits. */
  drain(withinMs: number): void {
    if (this.isAlive) this.#service.signal({ type: 'drain.requested', reason: 'simulated', withinMs });
  }

  /** Lets go of everything at once, in the order in which the service does. */
  async close(): Promise<void> {
    // The story is over, and so are its faults: nobody would wait for the answers that die with a process.
    this.#crash = null;
    this.#isListening = false;
    this.#leftAt ??= this.#around.clock.monotonic();
    const { registry, live, presence, deliveries } = this.assembly;
    registry.stop();
    live.releaseAll();
    await Promise.all([
      this.options.presence ? presence.stop() : undefined,
      deliveries.stop(),
      this.#door?.close(),
    ]);
  }

  /** Timers of a process that runs and has no call. */
  get idleTimers(): number {
    return this.#idleTimers;
  }

  /** Sockets that are open, or opening. */
  get openSockets(): readonly object[] {
    return this.#sockets.all;
  }

  /** Timers beyond those that a process without a call has. */
  get surplusTimers(): number {
    return this.#hasExited ? this.#leftTimers : this.clock.pendingTimers - this.#idleTimers;
  }

  /** Answers a webhook. Rejects where the process dies meanwhile. */
  serve(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      this.#requests.add(reject);
      this.whenAwake(() => {
        if (!this.cross('request') || this.#door === null) return;
        const answered = this.#door.take(request);
        const answer = this.options.level === 'frames' ? this.#around.during(answered) : answered;
        answer.then((response) => {
          if (!this.cross('answer')) return;
          this.#requests.delete(reject);
          resolve(response);
        }, reject);
      });
    });
  }

  /** Takes the upgrade of a media stream, or refuses it. */
  upgrade(
    { url, headers }: SocketRequest,
    accept: (handlers: SocketHandlers) => Socket,
  ): SocketRefusal | undefined {
    const { pathname } = new URL(url);
    if (!this.#signature.signsUpgrade({ url: pathname, headers })) {
      return { kind: 'http', status: 403, retryAfterMs: null, detail: '' };
    }
    if (this.assembly.desk.isCutOff()) return { kind: 'http', status: 503, retryAfterMs: null, detail: '' };
    this.#sockets.accept(accept, (socket) => this.#attach(socket));
    return undefined;
  }

  #attach(socket: Socket): SocketHandlers {
    const surroundings = { desk: this.assembly.desk, clock: this.clock, tally: this.tally };
    const stream = new MediaStream(socket, surroundings);
    this.streams.add(stream);
    return {
      onMessage: (data) => {
        this.#around.onCarrierMessage(this, data);
        stream.receive(data);
      },
      onPong: () => stream.onPong(),
      onClose: (closure) => {
        this.streams.delete(stream);
        stream.onClosed(closure);
      },
    };
  }

  restTrouble(): RestTrouble | null {
    return this.#around.restTrouble();
  }

  async #open(): Promise<void> {
    const { desk, presence, registry, deliveries } = this.assembly;
    const routes = twilioWebhooks({
      desk,
      clock: this.clock,
      tally: this.tally,
      signature: this.#signature,
      publicUrl: () => this.#around.publicUrl,
      instance: this.instance,
      fallbackUrl: null,
      passesOn: () => !this.#takesCalls,
    });
    const openDoor = this.options.level === 'frames' ? openFrameworkDoor : openBareDoor;
    this.#door = await openDoor(routes);
    if (this.options.presence) void presence.start();
    registry.watchInbox();
    deliveries.wake();
    this.#isListening = this.isAlive;
    this.#service.start();
    this.#idleTimers = this.clock.pendingTimers + (this.options.presence ? 1 : 0);
  }

  #perform(command: ServiceCommand): void {
    const { drain } = this.assembly;
    if (command.type === 'runPhase') {
      this.#service.signal({ type: 'phase.passed', phase: command.params.phase, detail: '', tookMs: 0 });
    } else if (command.type === 'drainCalls') {
      if (this.assembly.isIdle()) this.#service.signal({ type: 'calls.gone' });
      else void drain.moveCalls(command.params.withinMs);
    } else if (command.type === 'partFromCalls') {
      void drain.part();
    } else void this.#exit();
  }

  /** The process ends once its sockets have closed, as its server waits for them. */
  async #exit(): Promise<void> {
    await this.close();
    this.#service.signal({ type: 'service.stopped' });
    if (!this.isAlive) return;
    this.#around.clock.setTimeout(() => {
      if (!this.isAlive) return;
      this.#hasExited = true;
      this.#leftTimers = this.clock.pendingTimers;
      this.kill();
    }, exitMs);
  }

  /** As the health of a process: one whose beats the journal does not answer takes no new call. */
  get #takesCalls(): boolean {
    const isJournalThere = this.clock.monotonic() - this.#beatAt <= stallMs;
    return isJournalThere && this.#service.snapshot.hasTag('ready');
  }

  get #isLeaving(): boolean {
    const { snapshot } = this.#service;
    return !snapshot.matches('starting') && !snapshot.matches('running');
  }

  get #isParting(): boolean {
    const { snapshot } = this.#service;
    return snapshot.matches('parting') || snapshot.matches('stopping');
  }

  #reportCallsGone(): void {
    if (this.assembly.isIdle()) this.#service.signal({ type: 'calls.gone' });
  }

  #assemble(): Assembly {
    const { instance, settings, agent, pid, host, seed } = this.options;
    const { account } = this.#around;
    const requests = new CarrierRequests(
      {
        clock: this.#around.clock,
        cross: (crossing) => this.cross(crossing),
        awake: () => this.awake(),
        restTrouble: () => this.restTrouble(),
      },
      account,
      (request) => this.#around.rest(request),
      (carrierCallId) => this.#around.onCarrierOrder(this, carrierCallId),
    );
    const place = { publicUrl: this.#around.publicUrl, instance, fallbackUrl: null };
    return assemble({
      configuration: {
        instance,
        settings,
        fallbackTransferTo: settings.fallback === 'transfer' ? fallbackNumber : null,
      },
      tokenKey: account.authToken,
      model: createOpenAiModel({
        url: 'wss://model.example.com/v1/realtime',
        model: 'gpt-realtime-2.1',
        apiKey,
        clock: this.clock,
        random: seededRandom(seed),
        openSocket: (request, handlers) =>
          this.#sockets.open(this.#around.openModelSocket, request, handlers),
      }),
      control: new TwilioControl(requests as unknown as TwilioApi, () => place),
      agent,
      journal: this.#journal,
      clock: this.clock,
      watch: nobody,
      logger: pino({ level: 'error' }, { write: (line: string) => void this.errors.push(line) }),
      pid,
      host,
      isProcessAlive: (other) => this.#around.isProcessAlive(host, other),
      pulse: this.options.pulse ?? localPulse,
      // As `src/service/sibling-question.ts`: nobody is asked across hosts.
      hasCalls: async (row) => row.host === host && this.#around.hasCalls(row.instance),
      isReady: () => this.#service.snapshot.hasTag('ready'),
      isLeaving: () => this.#isLeaving,
      isParting: () => this.#isParting,
      door: () => this.#listener,
      onCallGone: () => this.#reportCallsGone(),
      onStep: (step) => {
        if (this.isAlive) this.#around.onStep(this, step);
      },
    });
  }
}
