import { describe, expect, it } from 'vitest';
import { createOpenAiModel } from '../../../src/adapters/openai/model.ts';
import { GiveUpError, RetryError } from '../../../src/runtime/ports/errors.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { FakeService } from './fake-service.ts';
import { apiKey, url } from './started-session.ts';

function startProbe() {
  const clock = new VirtualClock();
  const service = new FakeService();
  const { openSocket } = service;
  const model = createOpenAiModel({ url, model: 'm', apiKey, clock, random: () => 0, openSocket });
  const outcome = model.probe().catch((error: unknown) => error);
  return { clock, service, outcome };
}

describe('a probe', () => {
  it('resolves with the time until the service let it in, closes, and asks for nothing', async () => {
    const { clock, service, outcome } = startProbe();
    await clock.advance(120);
    service.accept();
    await clock.advance(30);
    service.sayRaw('nonsense');
    service.sayError({ code: 'of_no_importance' });
    service.sayCreated();
    expect(await outcome).toBe(150);
    expect(service.texts).toEqual([]);
    expect(service.closedWith).toBe(1000);
    service.close(1000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects for good where the service will never let it in, and keeps the key to itself', async () => {
    const { service, outcome } = startProbe();
    service.accept();
    service.sayError({ code: 'invalid_api_key', message: `Incorrect API key provided: ${apiKey}` });
    service.close(3000, 'invalid_request_error.invalid_api_key');
    const error = (await outcome) as GiveUpError;
    expect(error).toBeInstanceOf(GiveUpError);
    expect(error.message).toBe('the model did not let us in: invalid_api_key');
  });

  it('needs no answer to a ping: its own time is short enough', async () => {
    const { clock, service, outcome } = startProbe();
    service.accept();
    await clock.advance(10_000);
    expect(service.pings).toBe(0);
    expect((await outcome) as RetryError).toMatchObject({
      message: 'the model did not let us in: session.created.timeout',
    });
  });

  it('rejects for now where nothing answers', async () => {
    const { clock, outcome } = startProbe();
    await clock.advance(10_000);
    const error = (await outcome) as RetryError;
    expect(error).toBeInstanceOf(RetryError);
    expect(error.message).toBe('the model did not let us in: handshake.timeout');
    expect(clock.pendingTimers).toBe(0);
  });
});
