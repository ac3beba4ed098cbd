/**
 * Owns: one process of Holdfast: it runs the phases of the start-up, the drain and the stop that the service chart
 * asks for, and holds what they opened.
 * Does not own: the order (`src/machines/service.ts`), the calls (`assembly.ts`).
 *
 * Invariants:
 * P1. A phase runs once at a time.
 * I4. After `stopped` no socket, timer or file of this process is left open.
 */
import type { HealthReport } from '../adapters/http/admin-server.ts';
import { openJournal } from '../adapters/journal/open-journal.ts';
import { openTunnel, type Tunnel } from '../adapters/tunnel/ngrok.ts';
import { TwilioApi } from '../adapters/twilio/api.ts';
import { pointsTo, TwilioNumber } from '../adapters/twilio/number.ts';
import { TwilioControl } from '../adapters/twilio/rest.ts';
import type { TwimlPlace } from '../adapters/twilio/twiml.ts';
import { loadAgent } from '../agent/load.ts';
import type { LoadedAgent } from '../agent/loaded-agent.ts';
import type { Environment } from '../config/dotenv.ts';
import { type Configuration, readConfiguration } from '../config/environment.ts';
import { type Phase, phases, type ServiceCommand } from '../machines/service.ts';
import { hostDigest, isProcessAlive } from '../platform/process.ts';
import type { ObservedStep } from '../runtime/call.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import type { Model } from '../runtime/ports/model.ts';
import { ServiceActor, type ServiceFact, type ServiceSnapshot } from '../runtime/service-actor.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { type Assembly, assemble } from './assembly.ts';
import { Closings } from './closings.ts';
import { createInstruments, type Instruments } from './instruments.ts';
import { createModel } from './model.ts';
import { describeFailure, PhaseNotPassed } from './phases.ts';
import { openServers, type Servers } from './servers.ts';
import { stallMs } from './stall.ts';

export interface ServiceOptions {
  environment: Environment;
  clock: Clock;
  /** A phase has an outcome, or the service is in another state. */
  onChange?(snapshot: ServiceSnapshot, fact: ServiceFact | null): void;
  onStep?(step: ObservedStep): void;
}

/** What the phases opened, in the order in which they opened it. */
interface Opened extends Servers, Instruments {
  configuration: Configuration;
  agent: LoadedAgent;
  logger: Logger;
  journal: Journal;
  model: Model;
  api: TwilioApi;
  assembly: Assembly;
  tunnel: Tunnel;
}

/** `stopped`: somebody asked for it before the start was over. */
export type StartOutcome = 'running' | 'failed' | 'stopped';

/** Phases that open something which is to be closed again. */
const openingPhases: readonly Phase[] = ['journal', 'http', 'publicAddress'];

export class Service {
  readonly #options: ServiceOptions;
  readonly #actor: ServiceActor;
  readonly #opened: Partial<Opened> = {};
  readonly #running = new Map<Phase, Promise<void>>();
  readonly #settled = Promise.withResolvers<StartOutcome>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #closings = new Closings((error) =>
    this.#opened.logger?.warn({ category: 'service', err: error }, 'something did not close'),
  );
  #publicUrl: string | null = null;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#actor = new ServiceActor({
      clock: options.clock,
      perform: (command) => this.#perform(command),
      observe: (snapshot, fact) => this.#observe(snapshot, fact),
    });
  }

  /** Resolves when every phase has had its first turn, a fatal one failed, or the start was given up. */
  start(): Promise<StartOutcome> {
    this.#actor.start();
    return this.#settled.promise;
  }

  /** Resolves when nothing of the process is open any more. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /**
   * No new calls; the process stops when the last call has moved or is over, at the deadline, or at the second request.
   * @returns how long live calls may go on here, milliseconds
   */
  drain(reason: string): number {
    const withinMs = this.#isReady ? (this.#opened.configuration?.drainMs ?? 0) : 0;
    this.#actor.signal({ type: 'drain.requested', reason, withinMs });
    return withinMs;
  }

  noteFault(error: unknown): void {
    this.#opened.logger?.error({ category: 'service', err: error }, 'something failed outside of any call');
  }

  stop(reason: string): void {
    this.#actor.signal({ type: 'stop.requested', reason });
  }

  get publicUrl(): string | null {
    return this.#publicUrl;
  }

  get journal(): Journal {
    return this.#part('journal');
  }

  get addresses(): { publicPort: number; adminPort: number } {
    return { publicPort: this.#part('publicServer').port, adminPort: this.#part('adminServer').port };
  }

  /** Calls and sockets that are open in this process: the leak check reads it. */
  get open(): { calls: number; parts: number } {
    const { registry, live } = this.#part('assembly');
    return { calls: registry.size, parts: live.size };
  }

  #part<Name extends keyof Opened>(name: Name): Opened[Name] {
    const part = this.#opened[name];
    if (part === undefined) throw new PhaseNotPassed(`${name} is not there yet`);
    return part as Opened[Name];
  }

  get #isReady(): boolean {
    return this.#actor.snapshot.hasTag('ready');
  }

  /** What is live here now will have to end or move. */
  get #isLeaving(): boolean {
    const { snapshot } = this.#actor;
    return !snapshot.matches('starting') && !snapshot.matches('running');
  }

  get #isParting(): boolean {
    const { snapshot } = this.#actor;
    return snapshot.matches('parting') || snapshot.matches('stopping');
  }

  #observe(snapshot: ServiceSnapshot, fact: ServiceFact | null): void {
    this.#options.onChange?.(snapshot, fact);
    if (snapshot.matches('running')) this.#settled.resolve('running');
    if (snapshot.matches('failed')) this.#settled.resolve('failed');
    if (snapshot.matches('stopping')) this.#settled.resolve('stopped');
    if (snapshot.status !== 'active') this.#stopped.resolve();
  }

  #perform(command: ServiceCommand): void {
    if (command.type === 'runPhase') this.#beginPhase(command.params.phase);
    else if (command.type === 'drainCalls') this.#drainCalls(command.params.withinMs);
    else if (command.type === 'partFromCalls') this.#opened.assembly?.drain.part();
    else void this.#close().finally(() => this.#actor.signal({ type: 'service.stopped' }));
  }

  readonly #phases: Record<Phase, () => Promise<string>> = {
    configuration: () => this.#configure(),
    journal: () => this.#openJournal(),
    model: () => this.#probeModel(),
    http: () => this.#listen(),
    publicAddress: () => this.#findPublicAddress(),
    webhooks: () => this.#checkWebhooks(),
  };

  /** P1. */
  #beginPhase(phase: Phase): void {
    if (this.#running.has(phase)) return;
    const ended = this.#runPhase(phase).finally(() => this.#running.delete(phase));
    this.#running.set(phase, ended);
  }

  async #runPhase(phase: Phase): Promise<void> {
    const started = performance.now();
    const tookMs = (): number => performance.now() - started;
    try {
      const detail = await this.#phases[phase]();
      this.#actor.signal({ type: 'phase.passed', phase, detail, tookMs: tookMs() });
    } catch (error) {
      const failure = describeFailure(phase, error);
      this.#opened.logger?.warn({ category: 'service', phase, detail: failure.detail }, 'a phase failed');
      this.#opened.logger?.debug({ category: 'service', phase, err: error }, 'a phase failed');
      this.#actor.signal({ type: 'phase.failed', phase, ...failure, tookMs: tookMs() });
    }
  }

  async #configure(): Promise<string> {
    const configuration = readConfiguration(this.#options.environment);
    this.#opened.configuration = configuration;
    this.#opened.logger = createLogger(configuration.logLevel, configuration.instance);
    Object.assign(this.#opened, createInstruments(this.#options.clock, this.#opened.logger, null));
    this.#opened.agent = await loadAgent(configuration.agent);
    return `agent ${configuration.agent}, instance ${configuration.instance}`;
  }

  async #openJournal(): Promise<string> {
    const configuration = this.#part('configuration');
    const { clock } = this.#options;
    const journal = await openJournal(configuration.journalUrl, { clock });
    const metrics = this.#part('metrics');
    const model = createModel(configuration, clock, (kind) => metrics.count('modelOddities', { kind }));
    const api = new TwilioApi(configuration.twilio, clock);
    Object.assign(this.#opened, { journal, model, api });
    this.#opened.assembly = assemble({
      configuration,
      tokenKey: configuration.twilio.authToken,
      model,
      control: new TwilioControl(api, () => this.#twimlPlace()),
      agent: this.#part('agent'),
      journal,
      clock,
      logger: this.#part('logger'),
      follower: this.#part('calls'),
      pid: process.pid,
      host: hostDigest(),
      isProcessAlive,
      isReady: () => this.#isReady,
      isLeaving: () => this.#isLeaving,
      isParting: () => this.#isParting,
      stopListening: () => void this.#opened.publicServer?.stopListening(),
      onCallGone: () => this.#reportCallsGone(),
      onStep: (step) => this.#options.onStep?.(step),
    });
    return configuration.journalUrl;
  }

  async #probeModel(): Promise<string> {
    const { openai } = this.#part('configuration');
    const tookMs = await this.#part('model').probe();
    return `${openai.model} at ${openai.realtimeUrl}, session open in ${Math.round(tookMs)} ms`;
  }

  async #listen(): Promise<string> {
    const configuration = this.#part('configuration');
    const { desk, presence, registry, deliveries } = this.#part('assembly');
    const servers = await openServers({
      configuration,
      logger: this.#part('logger'),
      clock: this.#options.clock,
      desk,
      tally: this.#part('tally'),
      metrics: this.#part('metrics'),
      publicUrl: () => this.#publicUrl,
      isReady: () => this.#isReady,
      health: () => this.#health(),
    });
    Object.assign(this.#opened, servers);
    await presence.start();
    registry.watchInbox();
    deliveries.wake();
    const { publicPort, adminPort } = this.addresses;
    return `http://${configuration.host}:${publicPort}, admin http://${configuration.admin.host}:${adminPort}`;
  }

  async #findPublicAddress(): Promise<string> {
    const { publicAddress, host } = this.#part('configuration');
    if (publicAddress.kind === 'url') {
      this.#publicUrl = publicAddress.url;
      return publicAddress.url;
    }
    this.#opened.tunnel ??= await openTunnel({
      host,
      port: this.addresses.publicPort,
      authToken: publicAddress.authToken,
      clock: this.#options.clock,
    });
    this.#publicUrl = this.#opened.tunnel.url;
    return `${this.#publicUrl} (ngrok)`;
  }

  async #checkWebhooks(): Promise<string> {
    const { twilio } = this.#part('configuration');
    if (twilio.phoneNumber === null) return 'not checked: TWILIO_PHONE_NUMBER is not set';
    if (this.#publicUrl === null) throw new PhaseNotPassed('there is no public address yet');
    const number = new TwilioNumber(this.#part('api'), twilio.phoneNumber);
    if (pointsTo(await number.readRouting(), this.#publicUrl)) return 'the number’s calls come here';
    throw new PhaseNotPassed('the number’s voice URL or status URL points elsewhere');
  }

  #health(): HealthReport {
    const { snapshot } = this.#actor;
    const stalledMs = this.#opened.assembly?.registry.stalledMs ?? 0;
    const outcomes = phases.map((phase) => [phase, { ...snapshot.context.phases[phase] }]);
    return {
      healthy:
        stalledMs < stallMs && phases.every((phase) => snapshot.context.phases[phase].outcome === 'passed'),
      ready: this.#isReady,
      state: JSON.parse(JSON.stringify(snapshot.value)),
      instance: this.#opened.configuration?.instance ?? null,
      publicUrl: this.#publicUrl,
      liveCalls: this.#opened.assembly?.registry.size ?? 0,
      journalStalledMs: stalledMs,
      clockSkewMs: this.#opened.assembly?.presence.skewMs ?? 0,
      phases: Object.fromEntries(outcomes),
    };
  }

  /** Null while the public address is not known. */
  #twimlPlace(): TwimlPlace | null {
    const { instance, twilio } = this.#part('configuration');
    const publicUrl = this.#publicUrl;
    return publicUrl === null ? null : { publicUrl, instance, fallbackUrl: twilio.fallbackUrl };
  }

  #drainCalls(withinMs: number): void {
    this.#reportCallsGone();
    void this.#opened.assembly?.drain.moveCalls(withinMs);
  }

  #reportCallsGone(): void {
    if (this.#opened.assembly?.registry.size === 0) this.#actor.signal({ type: 'calls.gone' });
  }

  /** I4: also of a phase that is under way. */
  async #close(): Promise<void> {
    await this.#closings.closeAll(this.#opened);
    await Promise.allSettled(openingPhases.map((phase) => this.#running.get(phase)));
    await this.#closings.closeAll(this.#opened);
  }
}
