/** What a process depends on is looked at in the background: when, how often, and what is made of each look. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { RetryError } from '../../src/runtime/ports/errors.ts';
import { Dependency, LookFailed, type Weight } from '../../src/service/health/dependency.ts';
import { paces, watched } from '../../src/service/health/paces.ts';
import { FakeModel } from './support/fake-model.ts';
import { WatchedService } from './support/watched-service.ts';

const request = (generation: number) => ({ generation }) as Parameters<FakeModel['open']>[0];
const deaf = {
  onSignal: () => undefined,
  onTurnEnded: () => undefined,
  onReplyAudio: () => undefined,
  onReplyItemEnded: () => undefined,
  onReplyEnded: () => undefined,
};

describe('a dependency', () => {
  it('is looked at soon after the start, and is up once it has answered', async () => {
    const service = new WatchedService();
    expect([...service.health.dependencies()]).toEqual([]);
    expect(service.state('carrierApi')).toBe('unknown');
    service.random = 0.5;
    service.health.start();
    await service.clock.advance(499);
    expect(service.farSides.carrierApi.looks).toEqual([]);
    await service.clock.advance(1);
    expect(service.state('carrierApi')).toBe('up');
    expect([...service.health.dependencies()]).toContainEqual({
      name: 'carrierApi',
      isUp: true,
      latencyMs: 0,
    });
  });

  it('is not down for one failed look or two, is after three, and each change is logged once', async () => {
    const service = new WatchedService();
    const { model } = service.farSides;
    service.health.start();
    await service.clock.advance(0);
    model.fails(new RetryError('configuration.invalid', 'the model did not let us in: http.503'));
    await service.clock.advance(paces.model.everyMs);
    expect([service.state('model'), service.health.isAdmitting]).toEqual(['degraded', true]);
    await service.clock.advance(paces.model.retryMs);
    expect([service.state('model'), service.health.isAdmitting]).toEqual(['degraded', true]);
    expect(service.changes()).toEqual([]);
    await service.clock.advance(paces.model.retryMs);
    const wentDownAt = service.clock.now();
    expect([service.state('model'), service.health.refusal]).toEqual(['down', 'model']);
    await service.clock.advance(10 * paces.model.retryMs);
    expect(service.changes()).toEqual(['warn: a dependency is down: model']);
    expect(service.dependency('model')).toMatchObject({
      since: wentDownAt,
      failures: 13,
      lastError: { code: 'configuration.invalid', sentence: 'the model did not let us in: http.503' },
    });

    model.works();
    await service.clock.advance(paces.model.retryMs);
    expect([service.state('model'), service.health.refusal]).toEqual(['up', null]);
    expect(service.dependency('model').since).toBe(service.clock.now());
    await service.clock.advance(5 * paces.model.everyMs);
    expect(service.changes()).toEqual([
      'warn: a dependency is down: model',
      'info: a dependency is up again: model',
    ]);
  });

  it('is looked at seldom while it is well, a little later each time than the table says, never earlier', async () => {
    const service = new WatchedService();
    service.health.start();
    service.random = 0.99;
    await service.clock.advance(3 * paces.model.everyMs * 1.1);
    const [first = 0, second = 0, third = 0] = service.farSides.model.looks;
    for (const pauseMs of [second - first, third - second]) {
      expect(pauseMs).toBeGreaterThan(paces.model.everyMs);
      expect(pauseMs).toBeLessThanOrEqual(paces.model.everyMs * 1.1);
    }
  });

  it('that hangs has failed in time, is asked nothing more until it answers, and is looked at again then', async () => {
    const service = new WatchedService();
    const { carrierApi } = service.farSides;
    carrierApi.hangs();
    service.health.start();
    await service.clock.advance(paces.carrierApi.limitMs);
    expect(service.dependency('carrierApi')).toMatchObject({
      state: 'unknown',
      lastError: { code: 'look.late' },
      latencyMs: paces.carrierApi.limitMs,
    });
    await service.clock.advance(5 * paces.carrierApi.retryMs);
    expect(carrierApi.looks).toHaveLength(1);
    expect(service.state('carrierApi')).toBe('down');
    carrierApi.answersAtLast();
    carrierApi.works();
    await service.clock.advance(paces.carrierApi.retryMs);
    expect(carrierApi.looks).toHaveLength(2);
    expect(service.state('carrierApi')).toBe('up');
  });

  it('is looked at by one look at a time: whoever asks meanwhile shares it', async () => {
    const service = new WatchedService();
    const { model } = service.farSides;
    model.hangs();
    const looks = [service.health.look('model'), service.health.look('model')];
    model.answersAtLast();
    expect(await Promise.all(looks)).toEqual(['late', 'late']);
    expect(model.looks).toHaveLength(1);
    service.health.stop();
  });

  it('that nobody can look at says why, and is asked for by nobody', async () => {
    const service = new WatchedService({}, { webhooks: { nothing: 'TWILIO_PHONE_NUMBER is not set' } });
    service.health.start();
    await service.clock.advance(1_000);
    expect(await service.health.look('webhooks')).toBe('TWILIO_PHONE_NUMBER is not set');
    expect(service.health.complaints().join()).not.toContain('webhooks');
    expect([...service.health.dependencies()].map(({ name }) => name)).not.toContain('webhooks');
  });

  it('shows no word of an error that is not ours', async () => {
    const service = new WatchedService();
    const secret = Object.assign(new TypeError('fetch of https://key:sk-secret@host failed'), {
      cause: Object.assign(new Error('sk-secret'), { code: 'ECONNRESET' }),
    });
    service.farSides.webhooks.fails(secret);
    service.health.start();
    await service.clock.advance(1);
    expect(service.dependency('webhooks').lastError).toMatchObject({
      code: 'ECONNRESET',
      sentence: 'it failed: ECONNRESET',
    });
    expect(service.logged.join()).not.toContain('sk-secret');
  });
});

describe('a stop', () => {
  it('waits for no look, leaves no timer, and what is answered later is noted nowhere', async () => {
    const service = new WatchedService();
    const { model, cluster } = service.farSides;
    model.hangs();
    service.health.start();
    await service.clock.advance(100);
    const waiting = service.health.look('model').catch((error: LookFailed) => error.code);
    service.health.stop();
    expect(await waiting).toBe('look.stopped');
    expect(service.clock.pendingTimers).toBe(0);
    model.answersAtLast();
    const looks = cluster.looks.length;
    await service.clock.advance(600_000);
    expect(service.dependency('model')).toMatchObject({ state: 'unknown', lastError: null, failures: 0 });
    await expect(service.health.look('cluster')).rejects.toMatchObject({ code: 'look.stopped' });
    expect(cluster.looks).toHaveLength(looks);
    service.health.start();
    expect(service.clock.pendingTimers).toBe(0);
  });
});

describe('a call’s own session', () => {
  it('that opens counts as a look: while calls come, none is opened for its own sake', async () => {
    const service = new WatchedService();
    const model = service.health.watchModel(new FakeModel(service.clock));
    service.health.start();
    await service.clock.advance(1_000);
    const { looks } = service.farSides.model;
    expect(looks).toHaveLength(1);
    for (let call = 0; call < 20; call++) {
      model.open(request(call), deaf);
      await service.clock.advance(30_000);
    }
    expect(looks).toHaveLength(1);
    expect(service.dependency('model')).toMatchObject({ state: 'up', latencyMs: 40 });
    await service.clock.advance(40_000);
    expect(looks).toHaveLength(2);
  });

  it('that opens is the end of a decline', async () => {
    const service = new WatchedService();
    const model = service.health.watchModel(new FakeModel(service.clock));
    service.farSides.model.fails();
    service.health.start();
    await service.clock.advance(3 * paces.model.retryMs);
    expect(service.health.refusal).toBe('model');
    model.open(request(1), deaf);
    await service.clock.advance(40);
    expect(service.health.refusal).toBeNull();
  });

  it('that does not open proves nothing: a look comes at once, and again after a pause, not for each of many', async () => {
    const service = new WatchedService();
    const fake = new FakeModel(service.clock);
    fake.next = 'isRefused';
    const model = service.health.watchModel(fake);
    service.health.start();
    await service.clock.advance(20_000);
    const { looks } = service.farSides.model;
    expect(looks).toHaveLength(1);
    for (let call = 0; call < 80; call++) model.open(request(call), deaf);
    await service.clock.advance(100);
    expect(looks).toHaveLength(2);
    expect([service.state('model'), service.health.refusal]).toEqual(['up', null]);
    for (let call = 0; call < 10; call++) {
      model.open(request(call), deaf);
      await service.clock.advance(1_000);
    }
    expect(looks).toHaveLength(4);
  });

  it('that we close says nothing, and neither does one that ends after it was open', async () => {
    const service = new WatchedService();
    const fake = new FakeModel(service.clock);
    const model = service.health.watchModel(fake);
    service.health.start();
    await service.clock.advance(20_000);
    model.open(request(1), deaf).close();
    model.open(request(2), deaf);
    await service.clock.advance(100);
    fake.session.loses();
    await service.clock.advance(1_000);
    expect(service.farSides.model.looks).toHaveLength(1);
  });
});

describe('the journal', () => {
  const row = { instance: 'one', pid: 1, host: 'here', ready: true, startedAt: 0, address: null };

  it('is looked at by the beat of this process, and by nothing else', async () => {
    const service = new WatchedService();
    const journal = openMemoryJournal(createMemoryStore(), { clock: service.clock });
    service.health.watchJournal(journal);
    expect(await journal.beat(row)).toBe(service.clock.now());
    expect(service.dependency('journal')).toMatchObject({ state: 'up', detail: 'it takes our beat' });
    service.stalledMs = 1_500;
    await journal.beat(row);
    expect(service.dependency('journal')).toMatchObject({
      state: 'degraded',
      detail: 'it takes our beat, and an entry has waited for 1500 ms',
    });
    expect(service.health.refusal).toBe('journal');
    expect(service.clock.pendingTimers).toBe(0);
  });

  it('is down after a second without an answer, and up with the answer', async () => {
    const service = new WatchedService();
    const journal = openMemoryJournal(createMemoryStore(), { clock: service.clock });
    const answer = Promise.withResolvers<number>();
    journal.beat = () => answer.promise;
    const watchedJournal = service.health.watchJournal(journal);
    const beat = watchedJournal.beat(row);
    await service.clock.advance(999);
    expect(service.health.refusal).toBeNull();
    await service.clock.advance(1);
    expect([service.state('journal'), service.health.refusal]).toEqual(['down', 'journal']);
    answer.resolve(1);
    await beat;
    expect([service.state('journal'), service.health.refusal]).toEqual(['up', null]);
  });

  it('is not down for one beat that it refused, and is for the second', async () => {
    const service = new WatchedService();
    const journal = openMemoryJournal(createMemoryStore(), { clock: service.clock });
    const refusal = new RetryError('journal.unavailable', 'the disk is full');
    journal.beat = async () => {
      throw refusal;
    };
    const watchedJournal = service.health.watchJournal(journal);
    await expect(watchedJournal.beat(row)).rejects.toBe(refusal);
    expect(service.health.refusal).toBeNull();
    await expect(watchedJournal.beat(row)).rejects.toBe(refusal);
    expect(service.health.refusal).toBe('journal');
  });
});

describe('whatever the looks find', () => {
  type Found = 'works' | 'isDegraded' | Weight;
  const found = fc.constantFrom<Found>('works', 'isDegraded', 'counts', 'certain', 'inconclusive');

  /** What the looks since the last one that was answered prove. */
  const provesDown = (looks: readonly Found[], failuresUntilDown: number): boolean => {
    const answered = looks.findLastIndex((look) => look === 'works' || look === 'isDegraded');
    const failed = looks.slice(answered + 1).filter((look) => look !== 'inconclusive');
    return failed.includes('certain') || failed.length >= failuresUntilDown;
  };

  const note = (dependency: Dependency, look: Found, at: number): void => {
    const time = { at, tookMs: 0 };
    if (look === 'works' || look === 'isDegraded')
      dependency.succeed({ detail: '', isDegraded: look === 'isDegraded' }, time);
    else dependency.fail(new LookFailed('a', 'b'), look, time);
  };

  it('down means enough failures in a row or a certain one, and every change of state is told once', () => {
    const anyLooks = fc.array(found, { maxLength: 40 });
    fc.assert(
      fc.property(anyLooks, fc.integer({ min: 1, max: 4 }), (looks, failuresUntilDown) => {
        const told: string[] = [];
        const onChange = ({ state, since }: Dependency, before: string) =>
          told.push(`${since}: ${before} to ${state}`);
        const dependency = new Dependency({ name: 'model', failuresUntilDown, now: 0, onChange });
        const changes: string[] = [];
        looks.forEach((look, at) => {
          const before = dependency.state;
          note(dependency, look, at);
          expect(dependency.state === 'down').toBe(provesDown(looks.slice(0, at + 1), failuresUntilDown));
          if (before !== dependency.state) changes.push(`${at}: ${before} to ${dependency.state}`);
        });
        expect(told).toEqual(changes);
      }),
    );
  });
});

describe('the health of a process', () => {
  it.each([
    ['model', 3],
    ['webhooks', 1],
    ['publicAddress', 2],
  ] as const)('is not good while %s is down', async (name, failures) => {
    expect(watched[name].failuresUntilDown).toBe(failures);
    const service = new WatchedService();
    const journal = service.health.watchJournal(
      openMemoryJournal(createMemoryStore(), { clock: service.clock }),
    );
    await journal.beat({ instance: 'one', pid: 1, host: 'here', ready: true, startedAt: 0, address: null });
    service.health.start();
    await service.clock.advance(1);
    expect(service.health.complaints()).toEqual([]);
    service.farSides[name].fails(new LookFailed('a.code', 'it is gone'));
    await service.clock.advance(paces[name].everyMs + failures * paces[name].retryMs);
    expect(service.health.complaints()).toEqual([`${name} is down: it is gone.`]);
    expect(service.health.isReady).toBe(true);
  });

  it.each(['carrierApi', 'cluster'] as const)('does not hang on %s', async (name) => {
    const service = new WatchedService();
    const journal = service.health.watchJournal(
      openMemoryJournal(createMemoryStore(), { clock: service.clock }),
    );
    await journal.beat({ instance: 'one', pid: 1, host: 'here', ready: true, startedAt: 0, address: null });
    service.farSides[name].fails();
    service.health.start();
    await service.clock.advance(60_000);
    expect(service.state(name)).toBe('down');
    expect(service.health.complaints()).toEqual([]);
    expect(service.health.refusal).toBeNull();
  });

  it('is not good before the model and the journal were seen', () => {
    const service = new WatchedService();
    expect(service.health.complaints()).toEqual([
      'journal is unknown.',
      'model is unknown.',
      'webhooks is unknown.',
    ]);
  });
});
