import fc from 'fast-check';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { afterEach, describe, expect, it } from 'vitest';
import { callForm, encodeForm, type Form, publicUrl, WebhookStage } from './webhook-stage.ts';

let stage = new WebhookStage();
afterEach(async () => {
  await stage.app.close();
  stage = new WebhookStage();
});

const paths = ['voice', 'continue', 'fallback', 'dialed', 'status', 'stream-status'].map(
  (name) => `/twilio/${name}`,
);
const reached = () => [...stage.desk.answered, ...stage.desk.continued, ...stage.desk.reports];

describe.each(paths)('%s', (path) => {
  it('answers 403 to what is not signed, and hands nothing on', async () => {
    expect((await stage.send(path, encodeForm(callForm))).statusCode).toBe(403);
    expect((await stage.app.inject({ method: 'POST', url: path })).statusCode).toBe(403);
    expect(reached()).toEqual([]);
    expect(stage.tally.countOf('webhook.unsigned')).toBe(2);
  });

  it('answers 403 to what another token or another address signed', async () => {
    for (const [token, address] of [
      ['another token', publicUrl],
      ['the token', 'https://another.example'],
    ] as const) {
      const signature = getExpectedTwilioSignature(token, address + path, callForm);
      const headers = { 'x-twilio-signature': signature, host: 'another.example' };
      expect((await stage.send(path, encodeForm(callForm), headers)).statusCode).toBe(403);
    }
    expect(reached()).toEqual([]);
  });

  it('answers 400 to what is signed and malformed, and hands nothing on', async () => {
    const malformed = [{}, { ...callForm, CallSid: 'CA1' }, { ...callForm, CallSid: ['CA1', 'CA2'] }];
    for (const form of malformed) expect((await stage.post(path, form)).statusCode).toBe(400);
    expect((await stage.postJson(path, '{"CallSid":')).statusCode).toBe(400);
    expect((await stage.postJson(path, '[]')).statusCode).toBe(400);
    expect(reached()).toEqual([]);
    expect(stage.tally.countOf('webhook.malformed')).toBe(5);
  });

  it('is there for POST only', async () => {
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      expect((await stage.app.inject({ method, url: path })).statusCode).toBe(404);
    }
  });
});

describe('a status callback', () => {
  it('is malformed with a state or a number that are none', async () => {
    const malformed: Form[] = [{ CallStatus: 'gone' }, { CallStatus: 'busy', SequenceNumber: '-1' }];
    for (const form of malformed) {
      expect((await stage.post('/twilio/status', { ...callForm, ...form })).statusCode).toBe(400);
    }
  });
});

describe('a body', () => {
  it('of more than 64 kB is refused before it is read whole', async () => {
    const form = { ...callForm, Extra: 'x'.repeat(64 * 1_024) };
    expect((await stage.post('/twilio/voice', form)).statusCode).toBe(413);
    expect(stage.tally.countOf('webhook.malformed')).toBe(1);
  });

  it('of another type is refused', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect((await stage.send('/twilio/voice', 'hello', headers)).statusCode).toBe(415);
  });

  it('of any bytes is refused with a status and an empty body, and hands nothing on', async () => {
    const bytes = fc.oneof(fc.string({ unit: 'binary' }), fc.webQueryParameters());
    const types = fc.constantFrom(
      'application/x-www-form-urlencoded',
      'application/json',
      'multipart/form-data',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        bytes,
        types,
        fc.base64String(),
        async (path, body, type, header) => {
          const response = await stage.send(path, body, {
            'content-type': type,
            'x-twilio-signature': header,
          });
          expect([400, 403, 415]).toContain(response.statusCode);
          expect(response.body).toBe('');
          expect(response.headers).not.toHaveProperty('x-powered-by');
          expect(reached()).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of any fields is answered with 400 at worst when it is signed', async () => {
    stage.desk.takeReport = async () => undefined;
    const field = fc.oneof(fc.string(), fc.array(fc.string(), { minLength: 1, maxLength: 3 }));
    const names = fc.constantFrom(
      ...Object.keys(callForm),
      'StreamSid',
      'StreamEvent',
      'SequenceNumber',
      '__proto__',
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.dictionary(names, field), async (path, changes) => {
        const response = await stage.post(path, { ...callForm, ...changes });
        expect([200, 204, 400]).toContain(response.statusCode);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the log of what is refused', () => {
  it('has one line a second at most, and says how many were left out', async () => {
    const refuse = () => stage.send('/twilio/voice', '');
    for (let count = 0; count < 5; count++) await refuse();
    expect(stage.lines).toHaveLength(1);
    await stage.clock.advance(1_000);
    await refuse();
    expect(stage.lines).toHaveLength(2);
    expect(stage.lines[1]).toMatch(/4 more lines were left out/);
    await stage.clock.advance(1_000);
    await refuse();
    expect(stage.lines[2]).not.toMatch(/left out/);
    expect(stage.lines.join()).not.toContain('+1555');
  });
});
