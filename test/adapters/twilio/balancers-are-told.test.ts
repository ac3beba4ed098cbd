/** What the webhooks tell a balancer, and when it is given a new call back. */
import { afterEach, describe, expect, it } from 'vitest';
import { callSid } from './stream-messages.ts';
import { callForm, encodeForm, WebhookStage } from './webhook-stage.ts';

const next = { 'holdfast-try': 'next' };
const standing = { 'holdfast-admission': 'full', 'holdfast-load': '1.00' };

const stages: WebhookStage[] = [];
afterEach(async () => {
  for (const { app } of stages.splice(0)) await app.close();
});

/** A process that passes every call on. */
function open(options: ConstructorParameters<typeof WebhookStage>[0] = {}) {
  const asked: string[] = [];
  const passesOn = (carrierCallId: string) => asked.push(carrierCallId) > 0;
  const stage = new WebhookStage({ passesOn, standing: () => standing, ...options });
  stages.push(stage);
  return { stage, asked };
}

describe('a new call', () => {
  it('is given back with 503 to a balancer that can try another process, and the desk hears nothing of it', async () => {
    const { stage, asked } = open();
    const answer = await stage.post('/twilio/voice', callForm, next);
    expect([answer.statusCode, answer.body]).toEqual([503, '']);
    expect(answer.headers).toMatchObject(standing);
    expect(asked).toEqual([callSid]);
    expect(stage.desk.answered).toEqual([]);
  });

  it('is answered where nobody said that there is another process', async () => {
    const { stage, asked } = open();
    const others: Record<string, string>[] = [{}, { 'holdfast-try': '' }, { 'holdfast-try': 'last' }];
    for (const headers of others)
      expect((await stage.post('/twilio/voice', callForm, headers)).statusCode).toBe(200);
    expect(asked).toEqual([]);
    expect(stage.desk.answered).toHaveLength(3);
  });

  it('is answered where this process does not pass it on', async () => {
    const { stage } = open({ passesOn: () => false });
    expect((await stage.post('/twilio/voice', callForm, next)).statusCode).toBe(200);
    expect(stage.desk.answered).toHaveLength(1);
  });
});

describe('what a live call needs', () => {
  const paths = ['continue', 'fallback', 'dialed', 'status', 'stream-status'];
  it.each(paths)(
    '%s: is served whatever the balancer could try, and tells it how the process stands',
    async (path) => {
      const { stage, asked } = open();
      const form = { ...callForm, StreamSid: `MZ${'0'.repeat(32)}`, StreamEvent: 'stream-stopped' };
      const answer = await stage.post(`/twilio/${path}`, form, next);
      expect([200, 204]).toContain(answer.statusCode);
      expect(answer.headers).toMatchObject(standing);
      expect(asked).toEqual([]);
    },
  );
});

describe('a stranger', () => {
  it('is told nothing, and makes nobody pass anything on', async () => {
    const { stage, asked } = open();
    const answer = await stage.send('/twilio/voice', encodeForm(callForm), next);
    expect(answer.statusCode).toBe(403);
    expect(answer.headers).not.toHaveProperty('holdfast-admission');
    expect(asked).toEqual([]);
  });
});

describe('a process that does not know its public address yet', () => {
  it('answers 503, which goes elsewhere, and not 403', async () => {
    const { stage } = open({ publicUrl: () => null });
    expect((await stage.post('/twilio/continue')).statusCode).toBe(503);
    expect(stage.desk.continued).toEqual([]);
  });
});
