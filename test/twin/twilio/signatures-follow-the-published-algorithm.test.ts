import fc from 'fast-check';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { signRequest } from '../../../src/twin/twilio/webhooks/signature.ts';

const token = '12345';
const parameters = [
  ['CallSid', 'CA1234567890ABCDE'],
  ['Caller', '+14158675309'],
  ['Digits', '1234'],
  ['From', '+14158675309'],
  ['To', '+18005551212'],
] as const;

describe('the signature of a webhook', () => {
  it('equals the published vector for a form POST', () => {
    const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
    expect(signRequest(token, url, parameters)).toBe('RSOYDt4T1cUTdK1PDd93/VVr8B8=');
  });

  it('covers the port as it is written', () => {
    const url = 'https://mycompany.com:443/myapp.php?foo=1&bar=2';
    expect(signRequest(token, url, parameters)).toBe('kvajT1Ptam85bY51eRf/AJRuM3w=');
  });

  it('does not depend on the order of the parameters', () => {
    const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
    expect(signRequest(token, url, [...parameters].reverse())).toBe('RSOYDt4T1cUTdK1PDd93/VVr8B8=');
  });

  it('covers the wss URL alone for an upgrade, and is another one for https', () => {
    const signature = signRequest(token, 'wss://mycompany.com/media');
    expect(signature).toBe('okykUWKkAOgQseVjzERZh4soLeU=');
    expect(twilio.validateRequest(token, signature, 'wss://mycompany.com/media', {})).toBe(true);
    expect(twilio.validateRequest(token, signature, 'https://mycompany.com/media', {})).toBe(false);
  });

  it('covers the hash of a JSON body through the query', () => {
    const hash = '85264246de8d570722726062407cde49dc5bb2c2569c179765b178e3ffe30825';
    const url = `https://mycompany.com/j?bodySHA256=${hash}`;
    expect(signRequest(token, url)).toBe('fDfc9xRD/LIc1EU1l9HO+rnqGVc=');
  });

  it('is accepted by the official package for any parameters, repeated ones included', () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 12 });
    const pairs = fc.array(
      fc.tuple(fc.oneof(fc.constantFrom('a', 'B'), fc.string({ minLength: 1, maxLength: 8 })), word),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(pairs, (sent) => {
        const form: Record<string, string | string[]> = Object.create(null);
        for (const [name] of sent) {
          const values = sent.filter(([other]) => other === name).map(([, value]) => value);
          form[name] = values.length === 1 ? (values[0] as string) : values;
        }
        const signature = signRequest(token, 'https://a.example/x', sent);
        expect(twilio.validateRequest(token, signature, 'https://a.example/x', form)).toBe(true);
      }),
    );
  });
});
