import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { describe, expect, it } from 'vitest';
import { Signature } from '../../../src/adapters/twilio/signature.ts';

const token = '12345';
const signedBy = (publicUrl: string | null) => new Signature(token, () => publicUrl);
const request = (url: string, header: string | undefined) => ({
  url,
  headers: { host: 'somebody.else', 'x-twilio-signature': header },
});

const publishedFields = {
  CallSid: 'CA1234567890ABCDE',
  Caller: '+14158675309',
  Digits: '1234',
  From: '+14158675309',
  To: '+18005551212',
};

describe('the signature of a webhook', () => {
  it('is the one of the vector that Twilio publishes', () => {
    const signature = signedBy('https://mycompany.com');
    const asked = request('/myapp.php?foo=1&bar=2', 'RSOYDt4T1cUTdK1PDd93/VVr8B8=');
    expect(signature.signsForm(asked, publishedFields)).toBe(true);
  });

  it('may be made over the address with its port', () => {
    const asked = request('/myapp.php?foo=1&bar=2', 'kvajT1Ptam85bY51eRf/AJRuM3w=');
    expect(signedBy('https://mycompany.com').signsForm(asked, publishedFields)).toBe(true);
    expect(signedBy('https://mycompany.com:443/').signsForm(asked, publishedFields)).toBe(true);
  });

  it('covers every parameter, untrimmed and repeated ones included', () => {
    const fields = { Body: '  two spaces  ', Item: ['b', 'a', 'b'], Empty: '' };
    const made = getExpectedTwilioSignature(token, 'https://here.example/twilio/voice', fields);
    const signature = signedBy('https://Here.example/');
    expect(signature.signsForm(request('/twilio/voice', made), fields)).toBe(true);
    expect(signature.signsForm(request('/twilio/voice', made), { ...fields, Body: 'two spaces' })).toBe(
      false,
    );
    expect(signature.signsForm(request('/twilio/voice', made), { ...fields, Extra: '1' })).toBe(false);
  });

  it('covers the query as it was sent, escapes and all', () => {
    const path = "/twilio/continue?waits=1&x=%27a'%20b";
    const made = getExpectedTwilioSignature(token, `https://here.example${path}`, {});
    expect(signedBy('https://here.example').signsForm(request(path, made), {})).toBe(true);
    expect(signedBy('https://here.example').signsForm(request('/twilio/continue?waits=2', made), {})).toBe(
      false,
    );
  });

  it('is checked against the public address and never against the Host header', () => {
    const made = getExpectedTwilioSignature(token, 'https://somebody.else/twilio/voice', {});
    expect(signedBy('https://here.example').signsForm(request('/twilio/voice', made), {})).toBe(false);
  });

  it('counts for nothing while the public address is not known', () => {
    const made = getExpectedTwilioSignature(token, 'https://here.example/twilio/voice', {});
    expect(signedBy(null).signsForm(request('/twilio/voice', made), {})).toBe(false);
  });

  it('is refused where the header is missing or the request names no path', () => {
    const signature = signedBy('https://here.example');
    expect(signature.signsForm(request('/twilio/voice', undefined), {})).toBe(false);
    expect(signature.signsForm({ headers: { 'x-twilio-signature': 'x' } }, {})).toBe(false);
    const made = getExpectedTwilioSignature(token, 'https://here.examplehttp://evil:x/', {});
    expect(signature.signsForm(request('http://evil:x/', made), {})).toBe(false);
  });

  it('of a JSON body covers the address, which holds the digest of the body', () => {
    const body = '{"CallSid":"CA1"}';
    const path = '/j?bodySHA256=85264246de8d570722726062407cde49dc5bb2c2569c179765b178e3ffe30825';
    const signature = signedBy('https://mycompany.com');
    expect(signature.signsJson(request(path, 'fDfc9xRD/LIc1EU1l9HO+rnqGVc='), body)).toBe(true);
    expect(signature.signsJson(request(path, 'fDfc9xRD/LIc1EU1l9HO+rnqGVc='), `${body} `)).toBe(false);
    const unhashed = getExpectedTwilioSignature(token, 'https://mycompany.com/j', {});
    expect(signature.signsJson(request('/j', unhashed), body)).toBe(false);
  });

  it('never admits what was not made with the token, whatever header, path and fields come', () => {
    const signature = signedBy('https://here.example');
    const fields = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string())));
    const other = (path: string, form: Record<string, unknown>) =>
      getExpectedTwilioSignature('another token', `https://here.example${path}`, form);
    fc.assert(
      fc.property(fc.string(), fc.string(), fields, (path, header, form) => {
        const url = `/${path}`;
        const body = createHash('sha256').update(path).digest('hex');
        expect(signature.signsForm(request(url, header), form)).toBe(false);
        expect(signature.signsForm(request(url, other(url, form)), form)).toBe(false);
        expect(signature.signsJson(request(`${url}?bodySHA256=${body}`, header), path)).toBe(false);
        expect(signature.signsUpgrade(request(path, header))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the signature of a media stream', () => {
  it('is made over the wss address, as the vector of the official package has it', () => {
    const signature = signedBy('https://mycompany.com');
    expect(signature.signsUpgrade(request('/media', 'okykUWKkAOgQseVjzERZh4soLeU='))).toBe(true);
    const overHttps = getExpectedTwilioSignature(token, 'https://mycompany.com/media', {});
    expect(signature.signsUpgrade(request('/media', overHttps))).toBe(false);
  });

  it('is made over the ws address where the public one is plain http on loopback', () => {
    const made = getExpectedTwilioSignature(token, 'ws://127.0.0.1:8080/twilio/media/a', {});
    expect(signedBy('http://127.0.0.1:8080').signsUpgrade(request('/twilio/media/a', made))).toBe(true);
  });
});
