/**
 * Owns: whole assemblies on a virtual clock: several processes on one journal, each with a fake model, a fake carrier
 * and a logger that is read back. Only what lies beyond the ports is fake.
 */
import { expect } from 'vitest';
import {
  createMemoryStore,
  type MemoryJournalOptions,
  openMemoryJournal,
} from '../../src/adapters/journal/memory.ts';
import type { LoadedAgent } from '../../src/agent/loaded-agent.ts';
import type { Entry } from '../../src/machines/entries.ts';
import { type Settings, settingsSchema } from '../../src/machines/settings.ts';
import type { ObservedStep } from '../../src/runtime/call.ts';
import { readEntries } from '../../src/runtime/history.ts';
import type { Answer, CarrierControl, IncomingCall } from '../../src/runtime/ports/carrier.ts';
import type { Clock, TimerHandle } from '../../src/runtime/ports/clock.ts';
import type { CallRow, Journal } from '../../src/runtime/ports/journal.ts';
import type { Signal } from '../../src/runtime/ports/signal.ts';
import { lingerMs } from '../../src/runtime/writer.ts';
import { type Assembly, assemble } from '../../src/service/assembly.ts';
import { MeteredCalls } from '../../src/service/call-watch.ts';
import type { Pulse } from '../../src/service/pulse.ts';
import { CallMeter } from '../../src/telemetry/call-meter.ts';
import { CallTelemetry } from '../../src/telemetry/call-telemetry.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { MediaMeter } from '../../src/telemetry/media-meter.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { countTimers } from '../support/counted-timers.ts';
import { TestAgent } from './support/agent.ts';
import { FakeControl } from './support/fake-control.ts';
import { FakeLine } from './support/fake-line.ts';
import { FakeModel } from './support/fake-model.ts';

export const tokenKey = 'offline-auth-token';

/** Numbers that appear nowhere but in payloads. */
export const callerNumber = '+15550143210';
export const shopNumber = '+15550198765';

/** A call id of the carrier that ends in `number`. */
export const callSid = (number = 1): string => `CA${String(number).padStart(32, '0')}`;

export const incoming = (carrierCallId = callSid()): IncomingCall => ({
  carrierCallId,
  from: callerNumber,
  to: shopNumber,
});

export interface ProcessOptions {
  agent?: LoadedAgent;
  settings?: Partial<Settings>;
  /** The number of whoever helps callers that the model cannot serve. */
  fallbackTransferTo?: string;
  /** Stalls, refuses or loses appends of this process. */
  beforeAppend?: MemoryJournalOptions['beforeAppend'];
  /** Wraps the journal that this process is given. */
  wrapJournal?: (journal: Journal) => Journal;
  logLevel?: string;
  pid?: number;
  host?: string;
  /** This process's own clock, where it is not the rig's. */
  clock?: Clock;
  onStep?: (step: ObservedStep) => void;
  /** Whether calls live in an instance that is silent in the journal. */
  hasCalls?: (instance: string) => boolean;
  /** That of a journal in a file unless told. */
  pulse?: Pulse;
  /** Wraps the carrier's REST API. */
  routeControl?: (phone: CarrierControl) => CarrierControl;
}

export class Rig {
  readonly clock = new VirtualClock();
  readonly store = createMemoryStore();
  readonly agent = new TestAgent();
  readonly lines: FakeLine[] = [];
  readonly #callOfLine = new Map<FakeLine, string>();
  /** Process ids that the operating system knows. */
  readonly alive = new Set<number>();
  readonly #processes: Process[] = [];
  #lastPid = 100;

  nextPid(): number {
    this.#lastPid += 1;
    return this.#lastPid;
  }

  /** Opens another process on the same journal. */
  open(instance = 'one', options: ProcessOptions = {}): Process {
    const process = new Process(this, instance, options);
    this.#processes.push(process);
    return process;
  }

  /** What its far side tells waits for a process that is frozen, where that one's clock is given. */
  line(clock: Clock = this.clock): FakeLine {
    const line = new FakeLine(`MZ${this.lines.length + 1}`, clock);
    this.lines.push(line);
    return line;
  }

  /** The line has been admitted for the call. */
  carries(line: FakeLine, carrierCallId: string): void {
    this.#callOfLine.set(line, carrierCallId);
  }

  /** As Twilio does where a call is told to do something else. */
  endStreams(carrierCallId: string): void {
    for (const [line, call] of this.#callOfLine) if (call === carrierCallId) line.ends();
  }

  /** Whatever can happen without time passing. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  /** Whatever is known is in the journal, also what nobody waits for. */
  written(): Promise<void> {
    return this.clock.advance(lingerMs);
  }

  /** I4, of every process. The lines' far sides have a moment to notice. */
  async expectNothingLeft(): Promise<void> {
    await this.clock.advance(10);
    for (const process of this.#processes) process.expectNothingLeft();
    expect(this.lines.filter(({ isClosed, isOver }) => !isClosed && !isOver)).toEqual([]);
  }
}

export class Process {
  readonly instance: string;
  readonly pid: number;
  readonly journal: Journal;
  readonly model: FakeModel;
  readonly control = new FakeControl();
  readonly assembly: Assembly;
  readonly logged: string[] = [];
  readonly steps: ObservedStep[] = [];
  readonly timers = new Set<TimerHandle>();
  isReady = true;
  /** About to stop. */
  isLeaving = false;
  /** And letting go of its calls. */
  isParting = false;
  isListening = true;
  /** Calls that left, over or lost. */
  gone = 0;
  /** Calls that went on in another process. */
  moved = 0;
  onCallGone: () => void = () => undefined;
  #requests = 0;
  #hasExited = false;
  readonly #rig: Rig;
  readonly #clock: Clock;

  constructor(rig: Rig, instance: string, options: ProcessOptions) {
    this.#rig = rig;
    this.instance = instance;
    this.#clock = options.clock ?? rig.clock;
    const clock = countTimers(this.#clock, this.timers);
    const { beforeAppend, wrapJournal = (journal) => journal } = options;
    const journal = openMemoryJournal(rig.store, {
      clock: rig.clock,
      ...(beforeAppend ? { beforeAppend } : {}),
    });
    this.journal = wrapJournal(journal);
    this.model = new FakeModel(rig.clock);
    this.control.onRedirected = (carrierCallId) => rig.endStreams(carrierCallId);
    this.pid = options.pid ?? rig.nextPid();
    rig.alive.add(this.pid);
    const destination = { write: (line: string) => void this.logged.push(line) };
    const logger = createLogger({ level: options.logLevel ?? 'info', instance, secrets: [], destination });
    const metrics = new Metrics();
    const meter = new CallMeter(metrics, null);
    const calls = new CallTelemetry({ logger, meter, spans: { record: () => null } });
    this.assembly = assemble({
      configuration: {
        instance,
        settings: settingsSchema.parse(options.settings ?? {}),
        fallbackTransferTo: options.fallbackTransferTo ?? null,
      },
      tokenKey,
      model: this.model,
      control: options.routeControl?.(this.control) ?? this.control,
      agent: options.agent ?? rig.agent.load(),
      journal: this.journal,
      clock,
      logger,
      watch: new MeteredCalls(calls, new MediaMeter(metrics), metrics),
      pid: this.pid,
      host: options.host ?? 'here',
      ...(options.pulse && { pulse: options.pulse }),
      isProcessAlive: (id) => rig.alive.has(id),
      hasCalls: async (row) => options.hasCalls?.(row.instance) ?? false,
      isReady: () => this.isReady,
      isLeaving: () => this.isLeaving,
      isParting: () => this.isParting,
      door: () => ({
        stopListening: () => {
          this.isListening = false;
        },
        listenAgain: async () => {
          this.isListening = !this.#hasExited;
        },
      }),
      onCallGone: () => {
        this.gone += 1;
        this.onCallGone();
      },
      onCallMoved: () => {
        this.moved += 1;
      },
      onStep: (step) => {
        this.steps.push(step);
        options.onStep?.(step);
      },
    });
    this.assembly.registry.watchInbox();
  }

  get desk(): Assembly['desk'] {
    return this.assembly.desk;
  }

  answer(carrierCallId = callSid()): Promise<Answer> {
    return this.desk.answerCall(incoming(carrierCallId));
  }

  /** Twilio asks what to do next with a call that it has. */
  askNext(carrierCallId = callSid(), key?: string): Promise<Answer> {
    this.#requests += 1;
    return this.desk.continueCall(carrierCallId, key ?? `${this.pid}:${this.#requests}`);
  }

  /** Twilio opens the stream that an answer asked for. Null where it was refused. */
  async connect(
    answer: Answer,
    carrierCallId = callSid(),
    line = this.#rig.line(this.#clock),
  ): Promise<FakeLine | null> {
    if (answer.do !== 'connect') throw new Error(`the answer was ${answer.do}`);
    const listener = await this.desk.admitStream({ carrierCallId, token: answer.token, line });
    if (listener) line.carriesTo(listener);
    else line.isRefused();
    if (listener) this.#rig.carries(line, carrierCallId);
    return listener ? line : null;
  }

  /** A call in conversation: the greeting was played, and the caller has the floor. */
  async begin(carrierCallId = callSid()): Promise<{ line: FakeLine; callId: string }> {
    const line = await this.connect(await this.answer(carrierCallId), carrierCallId);
    if (!line) throw new Error('the stream was refused');
    await this.#rig.clock.advance(100);
    this.model.session.says('greeting', 'Hello, this is the clerk.', 1_000);
    await this.#rig.clock.advance(1_200);
    return { line, callId: carrierCallId };
  }

  /** As Twilio's status callback. */
  report(status: 'completed' | 'canceled' | 'busy', key = `status:${status}`, carrierCallId = callSid()) {
    const entry = { type: 'carrier.reported', status, source: 'callback' } as const;
    return this.desk.report(carrierCallId, { entry } satisfies Signal, `${carrierCallId}:${key}`);
  }

  entries(callId = callSid()): Promise<Entry[]> {
    return readEntries(this.journal, callId);
  }

  async types(callId = callSid()): Promise<string[]> {
    return (await this.entries(callId)).map(({ type }) => type);
  }

  async row(callId = callSid()): Promise<CallRow | undefined> {
    const [row] = await this.journal.list({ callId, limit: 1 });
    return row;
  }

  /** The chart's state value of a call that lives here. */
  value(callId = callSid()): unknown {
    return this.assembly.registry.get(callId)?.state.snapshot.value;
  }

  /** What is left of any call. */
  left(): object {
    const { registry, live } = this.assembly;
    return {
      calls: registry.size,
      parts: live.size,
      timers: this.timers.size,
      sessions: this.model.openSessions.length,
    };
  }

  expectNothingLeft(): void {
    expect(this.left()).toEqual({ calls: 0, parts: 0, timers: 0, sessions: 0 });
  }

  /** Killed: nothing is written any more, and the operating system closes the sockets. */
  dies(): void {
    this.#rig.alive.delete(this.pid);
    for (const call of this.assembly.registry.calls()) call.stop();
    void this.exits();
  }

  /** Stopped: whatever calls are left are in the journal, and the process is gone. */
  async exits(): Promise<void> {
    const { presence, deliveries, registry, live } = this.assembly;
    this.isListening = false;
    this.#hasExited = true;
    registry.stop();
    live.releaseAll();
    await Promise.all([presence.stop(), deliveries.stop()]);
    this.#rig.alive.delete(this.pid);
  }
}
