/**
 * Owns: the life of one process: its start-up in phases, its readiness, its drain.
 * Does not own: what a phase does (`src/service`), the calls.
 *
 * Invariants:
 * P1. Only configuration, journal and HTTP are fatal; any other phase that fails is tried again while the service
 *     runs, so that a process restarted while the model is down can still take calls over.
 * P2. Ready means running: neither starting nor draining.
 * P3. The drain ends at its deadline, whatever the calls do.
 */
import { assign, setup } from 'xstate';

export const phases = ['configuration', 'journal', 'model', 'http', 'publicAddress', 'webhooks'] as const;
export type Phase = (typeof phases)[number];

/** From the end of a stream until its call was told to wait: Twilio asks within a second. */
export const partingMs = 3_000;
/** Whatever takes longer to close is left as it is. */
export const stopMs = 5_000;

export interface PhaseOutcome {
  outcome: 'pending' | 'passed' | 'failed';
  /** What was found, or what is wrong; shown to the operator. */
  detail: string;
  /** What the operator can do about it. */
  advice: string | null;
  tookMs: number;
}

export interface ServiceContext {
  phases: Record<Phase, PhaseOutcome>;
  /** Why the service stops. */
  stopReason: string | null;
  /** When the drain is over; 0 where there is none. */
  drainedAt: number;
}

export type ServiceEvent = { at: number } & (
  | { type: 'phase.passed'; phase: Phase; detail: string; tookMs: number }
  | { type: 'phase.failed'; phase: Phase; detail: string; advice: string; tookMs: number }
  /** Live calls may go on here for `withinMs` at most. */
  | { type: 'drain.requested'; reason: string; withinMs: number }
  /** The operator will not wait. */
  | { type: 'stop.requested'; reason: string }
  | { type: 'calls.gone' }
  | { type: 'service.stopped' }
  | { type: `xstate.after.${string}` }
);

const command =
  <Parameters = Record<string, never>>() =>
  (_: unknown, __: Parameters): void => {};

export const serviceCommands = {
  /** Ends in `phase.passed` or `phase.failed`. */
  runPhase: command<{ phase: Phase }>(),
  /** No new calls; live ones move to another process where there is one, or end. Ends in `calls.gone`. */
  drainCalls: command<{ withinMs: number }>(),
  /** Lets go of the calls that are left, whoever else is there by now. Ends in `calls.gone`. */
  partFromCalls: command(),
  /** Closes whatever is open. Ends in `service.stopped`. */
  stopService: command(),
} as const;

export type ServiceCommand = {
  [Type in keyof typeof serviceCommands]: {
    type: Type;
    params: Parameters<(typeof serviceCommands)[Type]>[1];
  };
}[keyof typeof serviceCommands];

const pending: PhaseOutcome = { outcome: 'pending', detail: '', advice: null, tookMs: 0 };

const service = setup({
  types: {
    context: {} as ServiceContext,
    events: {} as ServiceEvent,
    tags: {} as 'ready',
  },
  actions: {
    ...serviceCommands,
    notePhase: assign(({ context, event }) => {
      if (event.type !== 'phase.passed' && event.type !== 'phase.failed') return {};
      const outcome: PhaseOutcome = {
        outcome: event.type === 'phase.passed' ? 'passed' : 'failed',
        detail: event.detail,
        advice: event.type === 'phase.failed' ? event.advice : null,
        tookMs: event.tookMs,
      };
      return { phases: { ...context.phases, [event.phase]: outcome } };
    }),
    noteDrain: assign(({ event }) =>
      event.type === 'drain.requested'
        ? { stopReason: event.reason, drainedAt: event.at + event.withinMs }
        : {},
    ),
    noteReason: assign(({ event }) => ('reason' in event ? { stopReason: event.reason } : {})),
    noteFailure: assign(({ event }) => (event.type === 'phase.failed' ? { stopReason: event.detail } : {})),
  },
  guards: {
    ofConfiguration: ({ event }) => 'phase' in event && event.phase === 'configuration',
    ofJournal: ({ event }) => 'phase' in event && event.phase === 'journal',
    ofModel: ({ event }) => 'phase' in event && event.phase === 'model',
    ofHttp: ({ event }) => 'phase' in event && event.phase === 'http',
    ofPublicAddress: ({ event }) => 'phase' in event && event.phase === 'publicAddress',
    ofWebhooks: ({ event }) => 'phase' in event && event.phase === 'webhooks',
  },
  delays: {
    /** A model that does not answer must not keep the service from its calls. */
    modelPatience: 3_000,
    retryPhases: 5_000,
    /** Another process may become ready meanwhile, or stop being there: Twilio asks soon after a stream's end. */
    drainAgain: 250,
    drain: ({ context, event }) => Math.max(0, context.drainedAt - event.at),
    parting: partingMs,
    stop: stopMs,
  },
});

type Guard = `of${'Configuration' | 'Journal' | 'Model' | 'Http' | 'PublicAddress' | 'Webhooks'}`;

/** A phase without which nothing works. */
const fatal = <Next extends string>(phase: Phase, guard: Guard, next: Next) =>
  ({
    entry: { type: 'runPhase', params: { phase } },
    on: {
      'phase.passed': { guard, target: next, actions: 'notePhase' },
      'phase.failed': { guard, target: '#service.failed', actions: ['notePhase', 'noteFailure'] },
    },
  }) as const;

/** A phase that is tried again in the background. */
const retried = <Next extends string>(phase: Phase, guard: Guard, next: Next) =>
  ({
    entry: { type: 'runPhase', params: { phase } },
    on: {
      'phase.passed': { guard, target: next, actions: 'notePhase' },
      'phase.failed': { guard, target: next, actions: 'notePhase' },
    },
  }) as const;

const retryFailed = service.enqueueActions(({ context, enqueue }) => {
  for (const phase of phases) {
    if (context.phases[phase].outcome === 'failed') enqueue({ type: 'runPhase', params: { phase } });
  }
});

export const serviceMachine = service.createMachine({
  id: 'service',
  context: {
    stopReason: null,
    drainedAt: 0,
    phases: {
      configuration: pending,
      journal: pending,
      model: pending,
      http: pending,
      publicAddress: pending,
      webhooks: pending,
    },
  },
  initial: 'starting',
  on: {
    'phase.passed': { actions: 'notePhase' },
    'phase.failed': { actions: 'notePhase' },
    'stop.requested': { target: '.stopping', actions: 'noteReason' },
  },
  states: {
    starting: {
      initial: 'configuration',
      on: { 'drain.requested': { target: 'stopping', actions: 'noteReason' } },
      states: {
        configuration: fatal('configuration', 'ofConfiguration', 'journal'),
        journal: fatal('journal', 'ofJournal', 'model'),
        model: { ...retried('model', 'ofModel', 'http'), after: { modelPatience: 'http' } },
        http: fatal('http', 'ofHttp', 'publicAddress'),
        publicAddress: retried('publicAddress', 'ofPublicAddress', 'webhooks'),
        webhooks: retried('webhooks', 'ofWebhooks', '#service.running'),
      },
    },
    running: {
      tags: 'ready',
      on: { 'drain.requested': { target: 'draining', actions: 'noteDrain' } },
      after: { retryPhases: { target: 'running', reenter: true, actions: retryFailed } },
    },
    draining: {
      initial: 'moving',
      on: { 'calls.gone': 'stopping', 'drain.requested': { target: 'stopping', actions: 'noteReason' } },
      after: { drain: 'parting' },
      states: {
        moving: {
          entry: {
            type: 'drainCalls',
            params: ({ context, event }) => ({ withinMs: Math.max(0, context.drainedAt - event.at) }),
          },
          after: { drainAgain: { target: 'moving', reenter: true } },
        },
      },
    },
    /** The time is up: what is still here is let go, and told to wait where nobody else is there. */
    parting: {
      initial: 'lettingGo',
      on: { 'calls.gone': 'stopping', 'drain.requested': { target: 'stopping', actions: 'noteReason' } },
      after: { parting: 'stopping' },
      states: {
        lettingGo: {
          entry: { type: 'partFromCalls', params: {} },
          after: { drainAgain: { target: 'lettingGo', reenter: true } },
        },
      },
    },
    stopping: {
      entry: { type: 'stopService', params: {} },
      // Asked again and again, it would never come to its limit.
      on: { 'service.stopped': 'stopped', 'stop.requested': {} },
      after: { stop: 'stopped' },
    },
    /** A fatal phase failed: what was opened is closed. */
    failed: {
      entry: { type: 'stopService', params: {} },
      on: { 'service.stopped': 'aborted', 'stop.requested': {} },
      after: { stop: 'aborted' },
    },
    stopped: { type: 'final' },
    aborted: { type: 'final' },
  },
});
