import { afterEach, describe, expect, it } from 'vitest';
import { FixCallError, RetryError } from '../../../src/runtime/ports/errors.ts';
import { callSid, streamSid } from './stream-messages.ts';
import { type Form, never, WebhookStage } from './webhook-stage.ts';

let stage = new WebhookStage();
afterEach(async () => {
  await stage.app.close();
  expect(stage.clock.pendingTimers).toBe(0);
  stage = new WebhookStage();
});

const keys = () => stage.desk.reports.map(({ key }) => key);
const token = (value: string) => ({ 'i-twilio-idempotency-token': value });

describe('the status callback of a call', () => {
  const status: Form = { CallSid: callSid, CallStatus: 'completed', CallDuration: '42' };

  it('is reported to the call and confirmed without a body', async () => {
    const response = await stage.post('/twilio/status', status);
    expect([response.statusCode, response.body]).toEqual([204, '']);
    expect(stage.desk.reports).toEqual([
      {
        carrierCallId: callSid,
        signal: { entry: { type: 'carrier.reported', status: 'completed', source: 'callback' } },
        key: expect.any(String),
      },
    ]);
  });

  it('is told from others by its number in the order of the call, and has one key however often it is delivered', async () => {
    const numbered = { ...status, SequenceNumber: '3' };
    await stage.post('/twilio/status', numbered, token('one'));
    await stage.post('/twilio/status', numbered, token('two'));
    await stage.post('/twilio/status', { ...numbered, SequenceNumber: '4' });
    await stage.post('/twilio/status', { ...numbered, CallStatus: 'busy' });
    expect(new Set(keys()).size).toBe(3);
    expect(keys()[0]).toBe(keys()[1]);
  });

  it('is told from others by the token of the delivery where it has no number', async () => {
    await stage.post('/twilio/status', status, token('one'));
    await stage.post('/twilio/status', status, token('one'));
    await stage.post('/twilio/status', status, token('two'));
    expect(keys()[0]).toBe(keys()[1]);
    expect(new Set(keys()).size).toBe(2);
  });

  it('is told from others by its body where it has neither', async () => {
    await stage.post('/twilio/status', status);
    await stage.post('/twilio/status', status);
    await stage.post('/twilio/status', { ...status, CallDuration: '43' });
    expect(keys()[0]).toBe(keys()[1]);
    expect(new Set(keys()).size).toBe(2);
  });

  it('is confirmed for a call that nobody knows, so that it is not delivered again', async () => {
    stage.desk.takeReport = async () => {
      throw new FixCallError('call.unknown', '');
    };
    expect((await stage.post('/twilio/status', status)).statusCode).toBe(204);
    expect(stage.tally.countOf('callback.unknownCall')).toBe(1);
  });

  it('gets 503 where it could not be kept, so that it is delivered again', async () => {
    stage.desk.takeReport = async () => {
      throw new RetryError('journal.unavailable', '');
    };
    expect((await stage.post('/twilio/status', status)).statusCode).toBe(503);
    expect(stage.tally.countOf('desk.failed')).toBe(1);
  });

  it('gets 503 where it was not kept within 3 s', async () => {
    stage.desk.takeReport = never;
    const response = stage.post('/twilio/status', status);
    await stage.pass(3_000);
    expect((await response).statusCode).toBe(503);
    expect(stage.tally.countOf('desk.late')).toBe(1);
  });
});

describe('the status callback of a stream', () => {
  const stream: Form = { CallSid: callSid, StreamSid: streamSid, StreamEvent: 'stream-error' };

  it('reports an error with the first 200 characters of its title', async () => {
    const title = `${'x'.repeat(199)}${String.fromCodePoint(0x1f600)}`;
    const response = await stage.post('/twilio/stream-status', { ...stream, StreamError: title });
    expect(response.statusCode).toBe(204);
    const error = `${'x'.repeat(199)}\ufffd`;
    expect(stage.desk.reports[0]?.signal).toEqual({
      entry: { type: 'stream.failed', streamId: streamSid, error },
    });
  });

  it('reports an error that has no title', async () => {
    await stage.post('/twilio/stream-status', stream);
    expect(stage.desk.reports[0]?.signal.entry).toMatchObject({ type: 'stream.failed', error: 'unknown' });
  });

  it('has one key however often it is delivered', async () => {
    await stage.post('/twilio/stream-status', stream, token('one'));
    await stage.post('/twilio/stream-status', stream, token('one'));
    await stage.post('/twilio/stream-status', { ...stream, StreamError: 'other' });
    expect(keys()[0]).toBe(keys()[1]);
    expect(keys()[2]).not.toBe(keys()[0]);
  });

  it('only counts what is no error', async () => {
    for (const StreamEvent of ['stream-started', 'stream-stopped', 'stream-paused']) {
      expect((await stage.post('/twilio/stream-status', { ...stream, StreamEvent })).statusCode).toBe(204);
    }
    expect(stage.desk.reports).toEqual([]);
    expect(stage.tally.countOf('callback.streamStarted')).toBe(1);
    expect(stage.tally.countOf('callback.streamStopped')).toBe(1);
    expect(stage.tally.countOf('callback.otherEvent')).toBe(1);
  });
});
