import { expect, it } from 'vitest';
import { openSession, type Started } from './started-session.ts';

/** By the pause between pings of these sessions, 10 s. */
const [quietMs, answerMs] = [25_000, 20_000];

const isOpen = ({ ear }: Started): boolean => ear.entriesOf('model.closed').length === 0;

it('a session that answers pings and nothing else is asked, and ends where it does not answer', async () => {
  const started = openSession();
  const { clock, service, ear } = started;
  expect(service.probes).toBe(1);
  service.answersProbes = false;
  await clock.advance(quietMs - 1);
  expect(service.probes).toBe(1);
  await clock.advance(1);
  expect(service.probes).toBe(2);
  await clock.advance(answerMs - 1);
  expect(isOpen(started)).toBe(true);
  await clock.advance(1);
  expect(ear.entries).toMatchObject([{ type: 'model.closed', cause: 'session.mute', reaction: 'retry' }]);
  await clock.advance(60_000);
  expect(clock.pendingTimers).toBe(0);
});

it('a quiet session that answers is left alone, however long nobody speaks', async () => {
  const started = openSession();
  await started.clock.advance(10 * quietMs);
  expect(started.service.probes).toBe(11);
  expect(isOpen(started)).toBe(true);
});

it('a session that says anything is not asked', async () => {
  const { clock, service } = openSession();
  for (let count = 0; count < 20; count++) {
    await clock.advance(quietMs / 2);
    service.say({ type: 'rate_limits.updated', event_id: `event_${count}`, rate_limits: [] });
  }
  expect(service.probes).toBe(1);
});

it('the silence of a service that has never confirmed such an update means nothing', async () => {
  const started = openSession({}, {}, (service) => {
    service.answersProbes = false;
  });
  await started.clock.advance(10 * quietMs);
  expect(isOpen(started)).toBe(true);
});
