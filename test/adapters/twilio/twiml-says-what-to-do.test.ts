import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Continuation, firstTime } from '../../../src/adapters/twilio/continuation.ts';
import { mostTwimlCharacters, type TwimlPlace, writeTwiml } from '../../../src/adapters/twilio/twiml.ts';
import type { Answer } from '../../../src/runtime/ports/carrier.ts';
import { readTwiml } from './read-twiml.ts';

const place: TwimlPlace = {
  publicUrl: 'https://Calls.example/',
  instance: 'a-1',
  fallbackUrl: null,
};
const overrides = '#ct=1000&rt=4000&rc=2&rp=all';
const connect: Extract<Answer, { do: 'connect' }> = {
  do: 'connect',
  callId: 'CA1',
  attempt: 2,
  token: 'CA1.2.99.mac',
  pauseMs: 0,
};
const transfer = { do: 'transfer', number: '+15550177', ringMs: 29_001, apology: null } as const;
const verbs = (answer: Answer, changes: Partial<TwimlPlace> = {}, asked?: Continuation) =>
  readTwiml(writeTwiml(answer, { ...place, ...changes }, asked)).children;

describe('TwiML', () => {
  it('connects a stream with a name and a token of its own, and says what to ask afterwards', () => {
    expect(verbs(connect)).toEqual([
      {
        name: 'Connect',
        attributes: { action: `https://calls.example/twilio/continue?attempt=2${overrides}`, method: 'POST' },
        text: '',
        children: [
          {
            name: 'Stream',
            attributes: {
              url: 'wss://calls.example/twilio/media/a-1',
              name: expect.stringMatching(/^CA1-2-[0-9a-f]{8}$/),
              statusCallback: `https://calls.example/twilio/stream-status${overrides}`,
              statusCallbackMethod: 'POST',
            },
            text: '',
            children: [
              {
                name: 'Parameter',
                attributes: { name: 'token', value: 'CA1.2.99.mac' },
                text: '',
                children: [],
              },
            ],
          },
        ],
      },
    ]);
  });

  it('lets the next request tell which stream it comes from, however often it is told to ask again', () => {
    const spared = { ...connect, spared: 2 };
    const [verb] = verbs(spared);
    expect(verb?.attributes.action).toBe(
      `https://calls.example/twilio/continue?attempt=2&spared=2${overrides}`,
    );
    const [, redirect] = verbs({ do: 'wait', pauseMs: 1 }, {}, { ...firstTime, waits: 1, left: spared });
    const query = '?waits=2&attempt=2&spared=2';
    expect(redirect?.text).toBe(`https://calls.example/twilio/continue${query}${overrides}`);
  });

  it('pauses before the stream for as long as it is asked to, in whole seconds', () => {
    const [pause, next] = verbs({ ...connect, pauseMs: 1_001 });
    expect([pause?.name, pause?.attributes, next?.name]).toEqual(['Pause', { length: '2' }, 'Connect']);
  });

  it('streams over ws where the public address is plain http', () => {
    const [verb] = verbs(connect, { publicUrl: 'http://127.0.0.1:8080' });
    expect(verb?.children[0]?.attributes.url).toBe('ws://127.0.0.1:8080/twilio/media/a-1');
  });

  it('escapes the name of an instance in the path', () => {
    const [verb] = verbs(connect, { instance: 'a/b?c' });
    expect(verb?.children[0]?.attributes.url).toBe('wss://calls.example/twilio/media/a%2Fb%3Fc');
  });

  it.each([
    ['trouble', /sorry, something went wrong/],
    ['agentUnavailable', /sorry, our assistant cannot be reached/],
  ] as const)('says sorry, why and what to do, and hangs up: %s', (apology, why) => {
    const [say, hangUp, ...rest] = verbs({ do: 'apologise', apology });
    expect([say?.name, hangUp?.name, rest]).toEqual(['Say', 'Hangup', []]);
    expect(say?.text).toMatch(why);
    expect(say?.text).toMatch(/call again later/);
  });

  it('dials a number, rings for whole seconds, and asks what to do once that is over', () => {
    expect(verbs(transfer)).toEqual([
      {
        name: 'Dial',
        attributes: {
          action: `https://calls.example/twilio/dialed${overrides}`,
          method: 'POST',
          timeout: '30',
        },
        text: '',
        children: [{ name: 'Number', attributes: {}, text: '+15550177', children: [] }],
      },
    ]);
    expect(verbs({ ...transfer, ringMs: 1 })[0]?.attributes.timeout).toBe('1');
  });

  it.each([
    ['trouble', /something went wrong/],
    ['agentUnavailable', /cannot be reached/],
  ] as const)('says why before it dials, and does not send the caller away: %s', (apology, why) => {
    const [say, dial, ...rest] = verbs({ ...transfer, apology });
    expect([say?.name, dial?.name, rest]).toEqual(['Say', 'Dial', []]);
    expect(say?.text).toMatch(why);
    expect(say?.text).toMatch(/putting you through/);
    expect(say?.text).not.toMatch(/call again/);
  });

  it('hangs up', () => {
    expect(verbs({ do: 'hangUp' }).map(({ name }) => name)).toEqual(['Hangup']);
  });

  it('declines with a busy message where there is no fallback', () => {
    const [say, hangUp] = verbs({ do: 'decline' });
    expect([say?.name, hangUp?.name]).toEqual(['Say', 'Hangup']);
    expect(say?.text).toMatch(/busy/);
  });

  it('declines by the fallback where there is one, in a way that a static host answers', () => {
    const [redirect, ...rest] = verbs(
      { do: 'decline' },
      { fallbackUrl: 'https://static.example/x?a=1&b="2"' },
    );
    expect(redirect).toMatchObject({
      name: 'Redirect',
      attributes: { method: 'GET' },
      text: 'https://static.example/x?a=1&b="2"',
    });
    expect(rest).toEqual([]);
  });

  it.each([
    [1, '1'],
    [1_000, '1'],
    [4_001, '5'],
  ])('has the carrier ask again after %i ms, in whole seconds, and counts how often', (pauseMs, length) => {
    const [pause, redirect] = verbs({ do: 'wait', pauseMs }, {}, { ...firstTime, waits: 4 });
    expect(pause?.attributes).toEqual({ length });
    expect(redirect?.attributes).toEqual({ method: 'POST' });
    expect(redirect?.text).toBe(`https://calls.example/twilio/continue?waits=5${overrides}`);
  });

  it('has the carrier ask again at once where there is nothing to wait for', () => {
    expect(verbs({ do: 'wait', pauseMs: 0 }).map(({ name }) => name)).toEqual(['Redirect']);
  });

  it('has a call that is put off come in again, whatever fallback there is, and counts how often', () => {
    const changes = { fallbackUrl: 'https://static.example/' };
    const [pause, redirect] = verbs({ do: 'decline', againAfterMs: 1_000 }, changes, {
      ...firstTime,
      waits: 4,
    });
    expect(pause?.attributes).toEqual({ length: '1' });
    expect(redirect?.attributes).toEqual({ method: 'POST' });
    expect(redirect?.text).toBe('https://calls.example/twilio/voice?waits=5#ct=1000&rt=10000&rc=2&rp=all');
  });

  it('lets the next request tell how the dialling ended', () => {
    const dialed = { outcome: 'no-answer', dialId: 'CA2' } as const;
    const [, redirect] = verbs({ do: 'wait', pauseMs: 1 }, {}, { ...firstTime, dialed });
    const query = '?waits=1&dialed=no-answer&dial=CA2';
    expect(redirect?.text).toBe(`https://calls.example/twilio/continue${query}${overrides}`);
  });

  it('gives every text back as it was, whatever characters it holds', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(text, text, text, (callId, token, path) => {
        const fallbackUrl = `https://static.example/?${path}`;
        const [verb] = verbs({ ...connect, callId, token });
        expect(verb?.children[0]?.attributes.name).toSatisfy((name: string) =>
          name.startsWith(`${callId}-2-`),
        );
        expect(verb?.children[0]?.children[0]?.attributes.value).toBe(token);
        expect(verbs({ do: 'decline' }, { fallbackUrl })[0]?.text).toBe(fallbackUrl);
      }),
    );
  });

  it('stays under the length that the carrier takes, with the longest names that we give', () => {
    const long = writeTwiml(
      { ...connect, callId: 'c'.repeat(200), token: 't'.repeat(490), attempt: 999_999, pauseMs: 5_000 },
      {
        ...place,
        publicUrl: `https://${'h'.repeat(60)}.${'h'.repeat(60)}.example`,
        instance: 'i'.repeat(100),
      },
    );
    expect(long.length).toBeLessThan(mostTwimlCharacters);
  });

  it('is refused rather than sent where it is longer than that', () => {
    const tooLong = { ...place, publicUrl: `https://here.example/${'p'.repeat(mostTwimlCharacters)}` };
    expect(() => writeTwiml(connect, tooLong)).toThrow(
      expect.objectContaining({ code: 'configuration.invalid' }),
    );
  });
});
