import { afterEach, expect, it } from 'vitest';
import { callForm, encodeForm, WebhookStage } from './webhook-stage.ts';

let told: [route: string, status: number, ms: number][] = [];
const stage = new WebhookStage({ onAnswered: (...answer) => told.push(answer) });

afterEach(() => {
  told = [];
});

it('each answer is told with its route and status, a refusal included', async () => {
  await stage.post('/twilio/voice?rt=4000');
  await stage.send('/twilio/status', encodeForm(callForm));
  expect(told.map(([route, status]) => [route, status])).toEqual([
    ['/twilio/voice', 200],
    ['/twilio/status', 403],
  ]);
  for (const [, , ms] of told) expect(ms).toBeGreaterThanOrEqual(0);
});

it('a path that is none of ours is told of under no name of its own', async () => {
  await stage.send('/twilio/anything-a-stranger-makes-up', '');
  expect(told.map(([route]) => route).filter((route) => route.includes('stranger'))).toEqual([]);
});
