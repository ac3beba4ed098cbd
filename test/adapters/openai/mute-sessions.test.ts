import { expect, it } from 'vitest';
import { openSession } from './started-session.ts';

/** By the pause between pings of these sessions, 10 s. */
const [quietMs, answerMs] = [25_000, 20_000];

it('a session that answers pings and nothing else is asked, and ends where it does not answer', async () => {
  const { clock, service, ear } = openSession();
  service.answersProbes = false;
  const updates = service.sentOfType('session.update').length;
  await clock.advance(quietMs - 1);
  expect(service.sentOfType('session.update')).toHaveLength(updates);
  await clock.advance(1);
  expect(service.sentOfType('session.update').at(-1)).toEqual({
    type: 'session.update',
    session: { type: 'realtime' },
  });
  await clock.advance(answerMs - 1);
  expect(ear.entries).toEqual([]);
  await clock.advance(1);
  expect(ear.entries.at(-1)).toMatchObject({
    type: 'model.closed',
    cause: 'session.mute',
    reaction: 'retry',
  });
});

it('a quiet session that answers is left alone, however long nobody speaks', async () => {
  const { clock, service, ear } = openSession();
  const asked = (): number => service.sentOfType('session.update').length;
  const before = asked();
  await clock.advance(10 * quietMs);
  expect(asked()).toBe(before + 10);
  expect(ear.entries).toEqual([]);
});

it('a session that says anything is not asked', async () => {
  const { clock, service } = openSession();
  const before = service.sentOfType('session.update').length;
  for (let count = 0; count < 20; count++) {
    await clock.advance(quietMs / 2);
    service.say({ type: 'rate_limits.updated', event_id: `event_${count}`, rate_limits: [] });
  }
  expect(service.sentOfType('session.update')).toHaveLength(before);
});
