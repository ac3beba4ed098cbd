/**
 * Owns: one process of Holdfast: it runs the phases of the start-up, the drain and the stop that the service chart
 * asks for, and holds what they opened.
 * Does not own: the order (`src/machines/service.ts`), the calls (`assembly.ts`).
 *
 * Invariants:
 * I4. After `stopped` no socket, timer or file of this process is left open.
 */
import type { HealthReport } from '../adapters/http/admin-server.ts';
import { describeJournal, openJournal } from '../adapters/journal/open-journal.ts';
import { openTunnel } from '../adapters/tunnel/ngrok.ts';
import { TwilioApi } from '../adapters/twilio/api.ts';
import { TwilioControl } from '../adapters/twilio/rest.ts';
import type { TwimlPlace } from '../adapters/twilio/twiml.ts';
import { loadAgent } from '../agent/load.ts';
import type { Environment } from '../config/dotenv.ts';
import { readConfiguration } from '../config/environment.ts';
import type { Phase, ServiceCommand } from '../machines/service.ts';
import { hostDigest, isProcessAlive } from '../platform/process.ts';
import { version } from '../platform/version.ts';
import type { ObservedStep } from '../runtime/call.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import { ServiceActor, type ServiceFact, type ServiceSnapshot } from '../runtime/service-actor.ts';
import { assemble } from './assembly.ts';
import { Closings } from './closings.ts';
import { createConsole } from './console/create-console.ts';
import { createHealth } from './health/create-health.ts';
import type { Health } from './health/health.ts';
import { createLooks } from './health/looks.ts';
import { reportOf } from './health/report.ts';
import { InstanceLog } from './instance-log.ts';
import { createInstruments } from './instruments.ts';
import { measureAppends } from './measured-journal.ts';
import { createModel } from './model.ts';
import type { Opened } from './opened.ts';
import { tellFault, tellPhase } from './phase-report.ts';
import { type PhaseFact, PhaseNotPassed, PhaseRuns } from './phases.ts';
import { pulseFor } from './pulse.ts';
import { RoutedControl } from './routed-control.ts';
import { openServers } from './servers.ts';
import { addressOfAdmin, hasCalls } from './sibling-question.ts';
import type { PrimaryLink } from './workers/primary-link.ts';

export interface ServiceOptions {
  environment: Environment;
  clock: Clock;
  /** A phase has an outcome, or the service is in another state. */
  onChange?(snapshot: ServiceSnapshot, fact: ServiceFact | null): void;
  onStep?(step: ObservedStep): void;
  /** From now on calls may live here. */
  onOpen?(): void;
  /** Of a worker: who takes the connections and starts its siblings. */
  primary?: PrimaryLink;
}

/** `stopped`: somebody asked for it before the start was over. */
export type StartOutcome = 'running' | 'failed' | 'stopped';

/** Phases that open something which is to be closed again. */
const openingPhases: readonly Phase[] = ['journal', 'http', 'publicAddress'];

export class Service {
  readonly #options: ServiceOptions;
  readonly #actor: ServiceActor;
  readonly #opened: Partial<Opened> = {};
  readonly #settled = Promise.withResolvers<StartOutcome>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #closings = new Closings((error) =>
    this.#opened.logger?.warn({ category: 'service', err: error }, 'something did not close'),
  );
  readonly #instanceLog: InstanceLog;
  #publicUrl: string | null = null;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#instanceLog = new InstanceLog(options.clock);
    options.primary?.countBy(() => this.#opened.assembly?.registry.size ?? 0);
    this.#actor = new ServiceActor({
      clock: options.clock,
      perform: (command) => this.#perform(command),
      observe: (snapshot, fact) => this.#observe(snapshot, fact),
    });
  }

  /** Resolves when every phase has had its first turn, a fatal one failed, or the start was given up. */
  start(): Promise<StartOutcome> {
    this.#actor.start();
    // One that drains beside it goes on taking connections until it knows of this one: the next beat would be late.
    void this.#settled.promise.then(
      (outcome) => outcome === 'running' && this.#opened.assembly?.presence.announce(),
    );
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
    this.#instanceLog.note('drain.begun', { withinMs });
    this.#actor.signal({ type: 'drain.requested', reason, withinMs });
    return withinMs;
  }

  noteFault(error: unknown): void {
    tellFault(error, this.#opened.logger);
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

  /** Undefined before the journal is open. */
  get health(): Health | undefined {
    return this.#opened.health;
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
    if (command.type === 'runPhase') this.#phaseRuns.begin(command.params.phase);
    else if (command.type === 'drainCalls') this.#drainCalls(command.params.withinMs);
    else if (command.type === 'partFromCalls') void this.#opened.assembly?.drain.part();
    else void this.#close().finally(() => this.#actor.signal({ type: 'service.stopped' }));
  }

  readonly #phaseRuns = new PhaseRuns(
    {
      configuration: () => this.#configure(),
      journal: () => this.#openJournal(),
      model: () => this.#part('health').look('model'),
      http: () => this.#listen(),
      publicAddress: () => this.#findPublicAddress(),
      webhooks: () => this.#part('health').look('webhooks'),
    },
    (outcome, error) => this.#notePhase(outcome, error),
  );

  #notePhase(outcome: PhaseFact, error: unknown): void {
    const told = this.#actor.snapshot.context.phases[outcome.phase];
    // Tried again every few seconds, it is told once for each reason.
    if (told.detail !== outcome.detail) tellPhase(outcome, error, this.#opened.logger, this.#instanceLog);
    this.#actor.signal(outcome);
  }

  async #configure(): Promise<string> {
    const configuration = readConfiguration(this.#options.environment);
    this.#opened.configuration = configuration;
    const { publicAddress } = configuration;
    // Before it listens: no webhook can be checked without it.
    if (publicAddress.kind === 'url') this.#publicUrl = publicAddress.url;
    this.#instanceLog.note('instance.started', { version, node: process.version });
    const instruments = await createInstruments({
      configuration,
      clock: this.#options.clock,
      assembly: () => this.#opened.assembly,
      health: () => this.#opened.health,
      onRefused: (event) => this.#instanceLog.countRefusal(event),
    });
    Object.assign(this.#opened, instruments);
    this.#opened.agent = await loadAgent(configuration.agent, { clock: this.#options.clock });
    return `agent ${configuration.agent}, instance ${configuration.instance}`;
  }

  async #openJournal(): Promise<string> {
    const configuration = this.#part('configuration');
    const { clock } = this.#options;
    const metrics = this.#part('metrics');
    const { instance, journalUrl } = configuration;
    const opened = await openJournal(journalUrl, { clock, instance });
    const clockSkewMs = () => this.#opened.assembly?.presence.skewMs ?? 0;
    const health = createHealth({
      configuration,
      clock,
      ...{ metrics, logger: this.#part('logger'), meters: this.#part('meters') },
      notReady: () => (this.#isReady ? null : this.#isLeaving ? 'draining' : 'starting'),
      assembly: () => this.#opened.assembly,
      mayHaveCompany: () => this.#opened.assembly?.drain.company !== 'none',
      clockSkewMs,
    });
    const journal = health.watchJournal(measureAppends(opened, clock, metrics));
    const model = health.watchModel(
      createModel(configuration, clock, (kind) => metrics.count('modelOddities', { kind })),
    );
    const api = new TwilioApi(configuration.twilio, clock);
    Object.assign(this.#opened, { journal, model, api, health });
    const publicUrl = () => this.#publicUrl;
    health.watch(createLooks({ configuration, model, api, journal, publicUrl, clockSkewMs }));
    const phone = new TwilioControl(api, () => this.#twimlPlace());
    const assembly = assemble({
      configuration,
      tokenKey: configuration.twilio.authToken,
      model,
      control: new RoutedControl(phone, () => this.#part('console').browserCalls),
      agent: this.#part('agent'),
      journal,
      clock,
      logger: this.#part('logger'),
      watch: this.#part('watch'),
      pid: process.pid,
      host: hostDigest(),
      pulse: pulseFor(journalUrl),
      isProcessAlive,
      drainsWithUs: (other) => this.#options.primary?.drainsWithUs(other) ?? false,
      address: () => addressOfAdmin(configuration.admin.host, this.#opened.adminServer?.port),
      hasCalls: (row) => hasCalls(row, { host: hostDigest(), token: configuration.admin.token }),
      isReady: () => this.#isReady,
      isLeaving: () => this.#isLeaving,
      isParting: () => this.#isParting,
      hasFallbackDocument: configuration.twilio.fallbackUrl !== null,
      door: () => this.#opened.publicServer,
      onCallGone: () => this.#reportCallsGone(),
      onCallMoved: () => this.#instanceLog.count('calls.moved', {}),
      onStep: (step) => {
        this.#options.onStep?.(step);
        this.#options.primary?.noteChange();
      },
    });
    assembly.desk.admitBy(health.admission);
    this.#opened.assembly = assembly;
    this.#instanceLog.open(configuration.instance, journal);
    const told = { logger: this.#part('logger'), tally: this.#part('tally'), watch: this.#part('watch') };
    const instanceLog = this.#instanceLog;
    this.#opened.console = createConsole({ ...told, configuration, clock, journal, assembly, instanceLog });
    return describeJournal(journalUrl);
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
      door: this.#part('health'),
      health: () => this.#report(),
      console: this.#part('console'),
      instanceLog: this.#instanceLog,
      primary: this.#options.primary,
    });
    Object.assign(this.#opened, servers);
    this.#options.onOpen?.();
    await presence.start();
    registry.watchInbox();
    deliveries.wake();
    this.#part('console').retention.start();
    this.#part('health').start();
    const { publicPort, adminPort } = this.addresses;
    return `http://${configuration.host}:${publicPort}, console http://${configuration.admin.host}:${adminPort}`;
  }

  async #findPublicAddress(): Promise<string> {
    const { publicAddress, host } = this.#part('configuration');
    if (publicAddress.kind === 'url') return publicAddress.url;
    const { authToken } = publicAddress;
    const port = this.addresses.publicPort;
    this.#opened.tunnel ??= await openTunnel({ host, port, authToken, clock: this.#options.clock });
    this.#publicUrl = this.#opened.tunnel.url;
    return `${this.#publicUrl} (ngrok)`;
  }

  #report(): HealthReport {
    const { snapshot } = this.#actor;
    const { instance } = this.#part('configuration');
    const liveCalls = this.#part('assembly').registry.size;
    return reportOf(this.#part('health'), { snapshot, instance, publicUrl: this.#publicUrl, liveCalls });
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
    this.#options.primary?.noteChange();
    if (this.#opened.assembly?.isIdle()) this.#actor.signal({ type: 'calls.gone' });
  }

  /** I4: also of a phase that is under way. */
  async #close(): Promise<void> {
    const exitCode = this.#actor.snapshot.matches('failed') ? 1 : 0;
    this.#opened.instanceLog = { stop: () => this.#instanceLog.stop(exitCode) };
    await this.#closings.closeAll(this.#opened);
    await Promise.allSettled(openingPhases.map((phase) => this.#phaseRuns.get(phase)));
    await this.#closings.closeAll(this.#opened);
  }
}
