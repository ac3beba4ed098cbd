/**
 * Owns: putting the parts of a running process together once configuration, agent and journal are there.
 * Does not own: servers and phases (`service.ts`), what any part does.
 */

import { createOpenAiModel } from '../adapters/openai/model.ts';
import { TwilioApi } from '../adapters/twilio/api.ts';
import { TwilioControl } from '../adapters/twilio/rest.ts';
import type { LoadedAgent } from '../agent/loaded-agent.ts';
import type { Configuration } from '../config/environment.ts';
import { openWebSocket } from '../platform/websocket.ts';
import type { ObservedStep } from '../runtime/call.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { CallRow, Journal } from '../runtime/ports/journal.ts';
import type { Model } from '../runtime/ports/model.ts';
import { Registry } from '../runtime/registry.ts';
import { logEntry } from '../telemetry/call-log.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Agents } from './agents.ts';
import { tellCallEnd } from './call-end.ts';
import { CallEndDeliveries } from './deliveries.ts';
import { Desk } from './desk.ts';
import { LiveCalls } from './live-calls.ts';
import { Presence } from './presence.ts';

export interface AssemblyOptions {
  configuration: Configuration;
  agent: LoadedAgent;
  journal: Journal;
  clock: Clock;
  logger: Logger;
  host: string;
  isReady(): boolean;
  /** A call left this process: over, lost or released. */
  onCallGone(): void;
  onStep(step: ObservedStep): void;
}

export interface Assembly {
  registry: Registry;
  live: LiveCalls;
  desk: Desk;
  presence: Presence;
  deliveries: CallEndDeliveries;
  model: Model;
  api: TwilioApi;
}

const isProcessAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process answers EPERM: it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

export function createModel({ openai }: Configuration, clock: Clock): Model {
  return createOpenAiModel({
    url: openai.realtimeUrl,
    model: openai.model,
    apiKey: openai.apiKey,
    clock,
    random: Math.random,
    openSocket: openWebSocket,
  });
}

export function assemble(options: AssemblyOptions): Assembly {
  const { configuration, agent, journal, clock, logger } = options;
  const model = createModel(configuration, clock);
  const api = new TwilioApi(configuration.twilio, clock);
  const trouble = (what: string) => (error: unknown) =>
    logger.warn({ category: 'service', err: error }, what);
  const agents = new Agents({
    loaded: agent,
    definitions: journal,
    clock,
    onFault: (error, where) => logger.error({ category: 'call', err: error, ...where }, 'the agent failed'),
  });
  const live = new LiveCalls(agents, journal, { clock, model, control: new TwilioControl(api) });
  const deliveries = new CallEndDeliveries({
    journal,
    clock,
    deliver: (row) => tellCallEnd(agents, journal, row),
    onTrouble: trouble('the end of a call could not be told'),
  });
  const registry = createRegistry(options, live, deliveries);
  const adopt = async (row: CallRow): Promise<void> => {
    await live.prepare(row.callId);
    const claim = { why: 'orphan' } as const;
    const call = await registry.claim(
      row.callId,
      claim,
      [],
      ({ snapshot }) => snapshot.context.instance === row.owner,
    );
    if (!call && !registry.get(row.callId)) live.release(row.callId);
  };
  const presence = new Presence({
    instance: configuration.instance,
    pid: process.pid,
    host: options.host,
    journal,
    clock,
    isReady: options.isReady,
    isProcessAlive,
    adopt,
    onTrouble: trouble('the journal did not take the beat, or a call could not be adopted'),
  });
  const desk = new Desk({
    registry,
    live,
    journal,
    clock,
    tokenKey: configuration.twilio.authToken,
    settings: configuration.settings,
    takesCalls: options.isReady,
  });
  return { registry, live, desk, presence, deliveries, model, api };
}

function createRegistry(options: AssemblyOptions, live: LiveCalls, deliveries: CallEndDeliveries): Registry {
  const { configuration, journal, clock, logger, onStep, onCallGone } = options;
  return new Registry(configuration.instance, journal, {
    clock,
    perform: (call, command, key) => live.perform(call, command, key),
    observe: (step) => {
      live.observe(step);
      logEntry(logger, step.call.callId, step.entry);
      onStep(step);
    },
    over: ({ callId }) => {
      live.release(callId);
      deliveries.wake();
      onCallGone();
    },
    lost: ({ callId }, error) => {
      live.release(callId);
      logger.info({ category: 'call', callId, code: error.code }, 'another process owns the call now');
      onCallGone();
    },
    refused: ({ callId }, fault) =>
      logger.error({ category: 'call', callId, fault }, 'a signal was no valid entry'),
  });
}
