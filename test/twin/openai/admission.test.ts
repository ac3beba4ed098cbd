import { describe, expect, test } from 'vitest';
import { connect } from './client.ts';
import { shapeBreaches } from './shapes.ts';

const at = (query: string): string => `ws://twin/v1/realtime${query}`;

describe('a client', () => {
  test.each([
    ['a key', { Authorization: 'Bearer sk-1' }],
    ['a key as subprotocol', { 'Sec-WebSocket-Protocol': 'realtime, openai-insecure-api-key.ek_1' }],
    ['a safety identifier', { authorization: 'Bearer sk-1', 'OpenAI-Safety-Identifier': 'hash' }],
  ])('is let in with %s', async (_what, headers) => {
    const { client } = await connect({ headers });
    expect(client.types()).toEqual(['session.created']);
  });

  test.each([
    ['no key', {}, '?model=gpt-realtime', 3000, 'invalid_request_error.invalid_api_key'],
    [
      'a key of another kind',
      { Authorization: 'Basic x' },
      '?model=gpt-realtime',
      3000,
      'invalid_request_error.invalid_api_key',
    ],
    [
      'the beta header',
      { Authorization: 'Bearer k', 'OpenAI-Beta': 'realtime=v1' },
      '?model=gpt-realtime',
      4000,
      'invalid_request_error.beta_api_shape_disabled',
    ],
    ['no model', { Authorization: 'Bearer k' }, '', 4000, 'invalid_request_error.missing_model'],
    [
      'an intent',
      { Authorization: 'Bearer k' },
      '?intent=translation',
      4000,
      'invalid_request_error.invalid_intent',
    ],
    [
      'a model of the past',
      { Authorization: 'Bearer k' },
      '?model=gpt-4o-realtime-preview',
      4004,
      'invalid_request_error.model_not_found',
    ],
  ])('with %s is refused in band', async (_what, headers, query, code, reason) => {
    const { client, twin } = await connect({ headers: headers as Record<string, string>, url: at(query) });
    expect(client.types()).toEqual(['error']);
    expect(client.errors[0]?.code).toBe(reason.split('.')[1]);
    expect(shapeBreaches(client.events)).toEqual([]);
    expect(client.closures).toEqual([{ code, reason }]);
    expect(twin.sessions).toEqual([]);
    expect(twin.attempts).toMatchObject([{ outcome: 'refusedInBand', connection: 0 }]);
  });

  test('must know one of the keys, where the twin has a list', async () => {
    const keys = ['right'];
    const { client } = await connect({ keys, headers: { Authorization: 'Bearer wrong' } });
    expect(client.closures).toMatchObject([{ code: 3000 }]);
    const { client: second } = await connect({ keys, headers: { Authorization: 'Bearer right' } });
    expect(second.types()).toEqual(['session.created']);
  });

  test('of a call that is under way is not greeted, and configures as any other', async () => {
    const { clock, client } = await connect({ url: at('?call_id=rtc_1') });
    expect(client.events).toEqual([]);
    client.send({ type: 'session.update', session: { type: 'realtime' } });
    await clock.advance(0);
    expect(client.types()).toEqual(['session.updated']);
  });

  test('at another path finds nothing', async () => {
    const { client } = await connect({ url: 'ws://twin/v1/realtime/translations?model=gpt-realtime' });
    expect(client.refusal).toMatchObject({ kind: 'http', status: 404, retryAfterMs: null });
  });
});
