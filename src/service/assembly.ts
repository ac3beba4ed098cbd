/**
 * Owns: putting the parts of a running process together once configuration, agent and journal are there.
 * Does not own: servers and phases (`service.ts`), what any part does.
 */

import type { LoadedAgent } from '../agent/loaded-agent.ts';
import type { Configuration } from '../config/environment.ts';
import type { ObservedStep } from '../runtime/call.ts';
import type { CarrierControl } from '../runtime/ports/carrier.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { HoldfastError } from '../runtime/ports/errors.ts';
import type { InstanceRow, Journal } from '../runtime/ports/journal.ts';
import type { Model } from '../runtime/ports/model.ts';
import { Registry } from '../runtime/registry.ts';
import { isA } from '../telemetry/error-fields.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Agents } from './agents.ts';
import { tellCallEnd } from './call-end.ts';
import type { CallWatch } from './call-watch.ts';
import { Claims } from './claims.ts';
import { CallEndDeliveries } from './deliveries.ts';
import { Desk } from './desk.ts';
import { type Door, Drain } from './drain.ts';
import { Instructions } from './instructions.ts';
import { LiveCalls } from './live-calls.ts';
import { Presence } from './presence.ts';
import { localPulse, type Pulse } from './pulse.ts';
import { Siblings } from './siblings.ts';
import { Steering } from './steering.ts';
import { type Claimer, ProcessToolRuns } from './tool-runs.ts';

export interface AssemblyOptions {
  configuration: Pick<Configuration, 'instance' | 'settings' | 'fallbackTransferTo'>;
  /** Shared by all instances: any of them may check a token that another one minted. */
  tokenKey: string;
  model: Model;
  control: CarrierControl;
  agent: LoadedAgent;
  journal: Journal;
  clock: Clock;
  logger: Logger;
  watch: CallWatch;
  pid: number;
  host: string;
  /** That of a journal in a file unless told. */
  pulse?: Pulse;
  isProcessAlive(pid: number): boolean;
  /** An instance that stops together with this process, and takes none of its calls; none unless told. */
  drainsWithUs?(instance: string): boolean;
  /** Where the admin server of this process answers the other ones; null without one. */
  address?(): string | null;
  /** Asks an instance that is silent in the journal itself whether calls live there; not asked unless told. */
  hasCalls?(row: InstanceRow): Promise<boolean>;
  isReady(): boolean;
  /** The process is to stop; never unless told. */
  isLeaving?(): boolean;
  /** And lets go of its calls now. */
  isParting?(): boolean;
  /** Where the carrier reaches this process; undefined while it is not open, as it is unless told. */
  door?(): Door | undefined;
  /** Callers who are declined wait in a document outside this host, and come back; there is none unless told. */
  hasFallbackDocument?: boolean;
  /** A call left this process: over, lost or released; or a tool that was run for one is done. */
  onCallGone(): void;
  /** And goes on in another process. */
  onCallMoved?(): void;
  onStep(step: ObservedStep): void;
}

export interface Assembly {
  registry: Registry;
  live: LiveCalls;
  desk: Desk;
  presence: Presence;
  deliveries: CallEndDeliveries;
  drain: Drain;
  siblings: Siblings;
  /** No call lives here, and no tool is being run for one that has left. */
  isIdle(): boolean;
}

export function assemble(options: AssemblyOptions): Assembly {
  const { configuration, journal, clock, logger, model, control, watch } = options;
  const trouble = (what: string) => (error: unknown) =>
    logger[isJournalAway(error) ? 'debug' : 'warn']({ category: 'service', err: error }, what);
  const agents = createAgents(options);
  const { tokenKey, isLeaving = () => false, isParting = () => false } = options;
  const partsAlone = (): boolean =>
    isParting() ? drain.company !== 'ready' : isLeaving() && drain.company === 'none';
  const { instance, settings, fallbackTransferTo: fallbackNumber } = configuration;
  const instructions = new Instructions({ clock, journal, tokenKey, fallbackNumber, partsAlone });
  const runs = createToolRuns(options, (claimer) => siblings.isThere(claimer));
  // As where the carrier asks: whoever comes next finds the call in the journal.
  const onToldToWait = (callId: string): unknown => partsAlone() && letGo(callId);
  const ports = { clock, model, control, instructions, watch, runs, onToldToWait };
  const live = new LiveCalls(agents, journal, ports);
  const deliveries = new CallEndDeliveries({
    journal,
    clock,
    deliver: (row) => tellCallEnd(agents, journal, row),
    onTrouble: trouble('the end of a call could not be told'),
  });
  const registry = createRegistry(options, live, deliveries);
  const claims = new Claims(registry, live);
  const { host, isProcessAlive, pulse = localPulse, drainsWithUs = () => false } = options;
  const presence = new Presence({
    instance,
    pid: options.pid,
    host,
    pulse,
    journal,
    clock,
    isReady: options.isReady,
    isProcessAlive,
    address: options.address ?? (() => null),
    hasCalls: options.hasCalls ?? (async () => false),
    mayAdopt: () => !isLeaving(),
    isHere: (callId) => registry.has(callId),
    adopt: (row, isDue) => claims.adopt(row, instance, isDue),
    onForgotten: () => deliveries.wake(),
    verify: (which) => (which === 'all' ? verifyAll(instance, registry, journal) : verifyQuiet(registry)),
    onTrouble: trouble('the journal did not take the beat, or a call could not be adopted'),
  });
  const letGo = (callId: string): void => void releaseCall(callId, registry, live, options);
  const siblings: Siblings = new Siblings({ instance, host, pulse, isProcessAlive, drainsWithUs, journal });
  const drain: Drain = new Drain({
    siblings,
    registry,
    clock,
    announce: () => presence.announce(),
    letGo,
    closeStream: (call) => live.closeStream(call),
    door: options.door ?? (() => undefined),
    onTrouble: trouble('the other processes could not be looked up, or the port could not be had again'),
  });
  const desk = new Desk({
    registry,
    claims,
    live,
    journal,
    clock,
    tokenKey,
    instructions,
    settings,
    takesCalls: options.isReady,
    partsAlone,
    letGo,
    isCutOff: () => presence.isCutOff && !partsAlone(),
    steering: new Steering(instance, siblings),
    hasFallbackDocument: options.hasFallbackDocument ?? false,
  });
  const isIdle = (): boolean => registry.size === 0 && runs.size === 0;
  return { registry, live, desk, presence, deliveries, drain, siblings, isIdle };
}

const createAgents = ({ agent, journal, clock, watch, logger }: AssemblyOptions): Agents =>
  new Agents({
    loaded: agent,
    definitions: journal,
    clock,
    onFault: (error, where) => {
      const traceId = watch.traceIdOf(where.callId);
      logger.error({ category: 'call', traceId, err: error, ...where }, 'the agent failed');
    },
  });

const createToolRuns = (options: AssemblyOptions, isThere: (claimer: Claimer) => Promise<boolean>) =>
  new ProcessToolRuns({
    instance: options.configuration.instance,
    inbox: options.journal,
    clock: options.clock,
    isThere,
    onEnded: options.onCallGone,
    onTrouble: (err) =>
      options.logger.warn({ category: 'service', err }, 'the outcome of a tool could not follow its call'),
  });

/** Told once as a dependency that is down; here it would be told every second. */
const isJournalAway = (error: unknown): boolean =>
  isA(HoldfastError, error) && error.code === 'journal.unavailable';

/** A call whose stream is open here notices at its next entry: one comes soon. */
async function verifyQuiet(registry: Registry): Promise<void> {
  const quiet = [...registry.calls()].filter(({ state }) => !state.snapshot.hasTag('streaming'));
  await Promise.all(quiet.map(({ callId }) => registry.verify(callId)));
}

/** Calls that one question shows to be still ours are not asked about one by one. */
const ownLimit = 1_000;

async function verifyAll(instance: string, registry: Registry, journal: Journal): Promise<void> {
  if (registry.size === 0) return;
  const rows = await journal.list({ live: true, owner: instance, limit: ownLimit });
  const own = new Set(rows.map(({ callId }) => callId));
  const doubtful = [...registry.calls()].filter(({ callId }) => !own.has(callId));
  await Promise.all(doubtful.map(({ callId }) => registry.verify(callId)));
}

/** Once what happened to it is in its log. */
async function releaseCall(
  callId: string,
  registry: Registry,
  live: LiveCalls,
  { onCallGone }: AssemblyOptions,
): Promise<void> {
  const call = registry.get(callId);
  await call?.settled();
  if (!call || registry.get(callId) !== call) return;
  registry.abandon(callId);
  live.release(callId);
  onCallGone();
}

function createRegistry(options: AssemblyOptions, live: LiveCalls, deliveries: CallEndDeliveries): Registry {
  const { configuration, journal, clock, logger, watch, onStep, onCallGone } = options;
  const named = (callId: string) => ({ callId, traceId: watch.traceIdOf(callId) });
  /** One call's failure must neither end the process nor keep the rest of its own step from being done. */
  const guarded = (callId: string, what: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      logger.error({ category: 'call', ...named(callId), err: error }, what);
    }
  };
  return new Registry(configuration.instance, journal, {
    clock,
    perform: (call, command, key) =>
      guarded(call.callId, `the command ${command.type} failed`, () => live.perform(call, command, key)),
    observe: (step) => {
      const { callId } = step.call;
      guarded(callId, 'an entry could not be followed', () => live.observe(step));
      guarded(callId, 'an entry could not be shown', () => {
        watch.observe(step);
        onStep(step);
      });
    },
    over: ({ callId }) => {
      live.release(callId);
      deliveries.wake();
      onCallGone();
    },
    lost: ({ callId }, error) => {
      logger.info(
        { category: 'call', ...named(callId), code: error.code },
        'the call is let go: another process owns it, or may',
      );
      live.release(callId);
      watch.yielded();
      if (error.code === 'journal.conflict') options.onCallMoved?.();
      onCallGone();
    },
    refused: ({ callId }, fault) =>
      logger.error({ category: 'call', ...named(callId), fault }, 'a signal was no valid entry'),
  });
}
