/** P1 to P3, on the service's own actor and a virtual clock. */
import { describe, expect, it } from 'vitest';
import { type Phase, phases, type ServiceCommand } from '../../src/machines/service.ts';
import { ServiceActor, type ServiceFact } from '../../src/runtime/service-actor.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';

const drainMs = 30_000;

function startService() {
  const clock = new VirtualClock();
  const performed: string[] = [];
  const perform = ({ type, params }: ServiceCommand): void => {
    performed.push([type, ...Object.values(params)].join(' '));
  };
  const seen: (ServiceFact | null)[] = [];
  const service = new ServiceActor({ clock, perform, observe: (_, fact) => seen.push(fact) });
  service.start();
  const passed = (phase: Phase): void =>
    service.signal({ type: 'phase.passed', phase, detail: `${phase} is fine`, tookMs: 5 });
  const failed = (phase: Phase): void =>
    service.signal({
      type: 'phase.failed',
      phase,
      detail: `${phase} is broken`,
      advice: 'mend it',
      tookMs: 5,
    });
  return { clock, performed, seen, service, passed, failed };
}

type Service = ReturnType<typeof startService>;

function passUpTo({ passed }: Service, phase: Phase): void {
  for (const each of phases.slice(0, phases.indexOf(phase))) passed(each);
}

function runningService(): Service {
  const started = startService();
  passUpTo(started, 'webhooks');
  started.passed('webhooks');
  started.performed.length = 0;
  return started;
}

const drainRequested = { type: 'drain.requested', reason: 'SIGTERM', withinMs: drainMs } as const;
const stopRequested = { type: 'stop.requested', reason: 'SIGINT' } as const;
/** The second SIGTERM. */
const drainAgain = { ...drainRequested, reason: 'SIGINT' } as const;

const isReady = ({ service }: Service): boolean => service.snapshot.hasTag('ready');

describe('a process that starts', () => {
  it('runs one phase after the other, and is ready after the last', () => {
    const started = startService();
    for (const phase of phases) {
      expect(started.performed.at(-1)).toBe(`runPhase ${phase}`);
      expect(isReady(started)).toBe(false);
      started.passed(phase);
    }
    expect(isReady(started)).toBe(true);
    expect(started.performed).toEqual(phases.map((phase) => `runPhase ${phase}`));
    expect(started.service.snapshot.context.phases.journal).toEqual({
      outcome: 'passed',
      detail: 'journal is fine',
      advice: null,
      tookMs: 5,
    });
  });

  it.each(['configuration', 'journal', 'http'] as const)('is aborted where %s fails (P1)', (phase) => {
    const started = startService();
    passUpTo(started, phase);
    started.failed(phase);
    expect(started.service.snapshot.value).toBe('failed');
    expect(started.performed.at(-1)).toBe('stopService');
    expect(started.service.snapshot.context.stopReason).toBe(`${phase} is broken`);
    expect(started.service.snapshot.context.phases[phase].advice).toBe('mend it');
    started.service.signal({ type: 'service.stopped' });
    expect(started.service.snapshot.value).toBe('aborted');
  });

  it.each(['model', 'publicAddress', 'webhooks'] as const)(
    'goes on where %s fails, and tries it again (P1)',
    async (phase) => {
      const started = startService();
      passUpTo(started, phase);
      started.failed(phase);
      for (const later of phases.slice(phases.indexOf(phase) + 1)) started.passed(later);
      expect(isReady(started)).toBe(true);
      started.performed.length = 0;
      await started.clock.advance(5_000);
      expect(started.performed).toEqual([`runPhase ${phase}`]);
      await started.clock.advance(5_000);
      expect(started.performed).toEqual([`runPhase ${phase}`, `runPhase ${phase}`]);
      started.passed(phase);
      await started.clock.advance(60_000);
      expect(started.performed).toHaveLength(2);
      expect(isReady(started)).toBe(true);
    },
  );

  it('does not wait long for a model that does not answer, and takes its answer later', async () => {
    const started = startService();
    passUpTo(started, 'model');
    await started.clock.advance(2_999);
    expect(started.service.snapshot.matches({ starting: 'model' })).toBe(true);
    await started.clock.advance(1);
    expect(started.performed.at(-1)).toBe('runPhase http');
    started.failed('model');
    expect(started.service.snapshot.matches({ starting: 'http' })).toBe(true);
    expect(started.service.snapshot.context.phases.model.outcome).toBe('failed');
    for (const phase of ['http', 'publicAddress', 'webhooks'] as const) started.passed(phase);
    await started.clock.advance(5_000);
    expect(started.performed.at(-1)).toBe('runPhase model');
  });

  it('is not moved by the outcome of another phase', () => {
    const started = startService();
    for (const phase of phases) {
      for (const other of phases.filter((each) => each !== phase)) {
        started.passed(other);
        started.failed(other);
      }
      expect(started.service.snapshot.matches({ starting: phase })).toBe(true);
      started.passed(phase);
    }
  });

  it('stops at once where it is told to', () => {
    for (const requested of [drainAgain, stopRequested]) {
      const started = startService();
      passUpTo(started, 'http');
      started.service.signal(requested);
      expect(started.service.snapshot.value).toBe('stopping');
      expect(started.service.snapshot.context.stopReason).toBe('SIGINT');
      expect(started.performed.at(-1)).toBe('stopService');
    }
  });
});

describe('a process that drains', () => {
  it('is not ready, and stops when its calls are gone (P2)', () => {
    const running = runningService();
    running.service.signal(drainRequested);
    expect(running.service.snapshot.value).toEqual({ draining: 'moving' });
    expect(isReady(running)).toBe(false);
    expect(running.performed).toEqual([`drainCalls ${drainMs}`]);
    running.service.signal({ type: 'calls.gone' });
    expect(running.performed.slice(1)).toEqual(['stopService']);
    running.service.signal({ type: 'service.stopped' });
    expect(running.service.snapshot.value).toBe('stopped');
    expect(running.service.snapshot.context.stopReason).toBe('SIGTERM');
  });

  it('looks again four times a second for somebody to take its calls, with the time that is left', async () => {
    const running = runningService();
    running.service.signal(drainRequested);
    await running.clock.advance(750);
    expect(running.performed).toEqual(
      [30_000, 29_750, 29_500, 29_250].map((leftMs) => `drainCalls ${leftMs}`),
    );
  });

  it('parts from its calls at the deadline, and stops soon after whatever they do (P3)', async () => {
    const running = runningService();
    running.service.signal(drainRequested);
    await running.clock.advance(drainMs - 1);
    expect(running.service.snapshot.value).toEqual({ draining: 'moving' });
    await running.clock.advance(1);
    expect(running.service.snapshot.value).toEqual({ parting: 'lettingGo' });
    expect(running.performed.at(-1)).toBe('partFromCalls');
    await running.clock.advance(2_999);
    expect(running.service.snapshot.value).toEqual({ parting: 'lettingGo' });
    // Whoever was there at the deadline may be gone: each round looks again.
    expect(running.performed.filter((command) => command === 'partFromCalls')).toHaveLength(12);
    await running.clock.advance(1);
    expect(running.service.snapshot.value).toBe('stopping');
    expect(running.performed.slice(-2)).toEqual(['partFromCalls', 'stopService']);
  });

  it('stops as soon as it has parted from the last call', async () => {
    const running = runningService();
    running.service.signal(drainRequested);
    await running.clock.advance(drainMs);
    running.service.signal({ type: 'calls.gone' });
    expect(running.service.snapshot.value).toBe('stopping');
  });

  it.each([0, drainMs])(
    'stops at once when it is asked a second time, or when the operator will not wait: after %i ms',
    async (afterMs) => {
      for (const requested of [drainAgain, stopRequested]) {
        const running = runningService();
        running.service.signal(drainRequested);
        await running.clock.advance(afterMs);
        running.service.signal(requested);
        expect(running.service.snapshot.value).toBe('stopping');
        expect(running.service.snapshot.context.stopReason).toBe('SIGINT');
      }
    },
  );

  it('retries no phase meanwhile', async () => {
    const running = runningService();
    running.failed('webhooks');
    running.service.signal(drainRequested);
    await running.clock.advance(drainMs + 10_000);
    expect(running.performed.filter((command) => command.startsWith('runPhase'))).toEqual([]);
  });
});

describe('a process that stops', () => {
  it('does not wait for ever for what it closes', async () => {
    const running = runningService();
    running.service.signal(stopRequested);
    await running.clock.advance(5_000);
    expect(running.service.snapshot.value).toBe('stopped');
    const broken = startService();
    broken.failed('configuration');
    await broken.clock.advance(5_000);
    expect(broken.service.snapshot.value).toBe('aborted');
  });

  it('stops no later where it is told to again and again', async () => {
    const running = runningService();
    running.service.signal(stopRequested);
    for (let second = 0; second < 5; second++) {
      await running.clock.advance(1_000);
      running.service.signal(stopRequested);
    }
    expect(running.service.snapshot.value).toBe('stopped');
    expect(running.performed).toEqual(['stopService']);
  });

  it('stays aborted where the operator stops it after a phase has failed for good', () => {
    const broken = startService();
    broken.failed('configuration');
    broken.service.signal(stopRequested);
    broken.service.signal({ type: 'service.stopped' });
    expect(broken.service.snapshot.value).toBe('aborted');
    expect(broken.service.snapshot.context.stopReason).toBe('configuration is broken');
  });

  it('is over then: it waits for nothing and hears nothing', async () => {
    const running = runningService();
    running.service.signal(stopRequested);
    running.service.signal({ type: 'service.stopped' });
    expect(running.clock.pendingTimers).toBe(0);
    const { length } = running.seen;
    running.service.signal(drainRequested);
    expect(running.seen).toHaveLength(length);
    expect(running.performed).toEqual(['stopService']);
  });
});
