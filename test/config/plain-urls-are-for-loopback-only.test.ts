import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentUrl, originUrl, serviceUrl, socketUrl } from '../../src/config/address.ts';

const complaintOf = (schema: typeof originUrl, text: string): string | undefined =>
  schema.safeParse(text).error?.issues[0]?.message;

describe('a URL without encryption', () => {
  it.each([
    'http://localhost:8080',
    'http://LOCALHOST:8080',
    'http://127.0.0.1',
    'http://127.255.0.3:1',
    'http://127.1',
    'http://0x7f000001',
    'http://[::1]:8080',
    'http://[0:0:0:0:0:0:0:1]',
  ])('is accepted for this machine: %s', (url) => {
    expect(complaintOf(originUrl, url)).toBeUndefined();
  });

  it.each([
    'http://example.com',
    'http://127.0.0.1.evil.com',
    'http://localhost.evil.com',
    'http://evil-localhost',
    'http://localhost.',
    'http://128.0.0.1',
    'http://0.0.0.0',
    'http://10.0.0.1',
    'http://[::]',
    'http://[::2]',
    'http://[::ffff:127.0.0.1]',
    'http://evil.com\\@127.0.0.1',
    'http://127.0.0.1@evil.com',
    'http://evil.com#127.0.0.1',
    'http://evil.com?127.0.0.1',
  ])('is refused for any other: %s', (url) => {
    expect(complaintOf(originUrl, url)).toContain('must begin with https://');
  });

  it('is refused for sockets and services alike', () => {
    expect(complaintOf(socketUrl, 'ws://example.com/v1')).toContain('must begin with wss://');
    expect(complaintOf(serviceUrl, 'http://example.com/v1')).toContain('must begin with https://');
    expect(complaintOf(documentUrl, 'http://example.com/a.xml')).toContain('must begin with https://');
    expect(socketUrl.parse('ws://127.0.0.1:4/v1')).toBe('ws://127.0.0.1:4/v1');
  });

  it('is never accepted for a domain name, whatever it looks like', () => {
    fc.assert(
      fc.property(fc.domain(), fc.webPath(), (domain, path) => {
        expect(complaintOf(serviceUrl, `http://${domain}${path}`)).toBeDefined();
      }),
    );
  });
});

describe('what is judged', () => {
  it('is what is used: the URL is given back as the standard writes it, without the slash at its end', () => {
    expect(originUrl.parse('HTTPS://Calls.Example.COM:443/')).toBe('https://calls.example.com');
    expect(originUrl.parse('http://0x7f000001:80')).toBe('http://127.0.0.1');
    expect(serviceUrl.parse('https://example.com/api///')).toBe('https://example.com/api');
  });

  it.each([
    [originUrl, 'https://example.com/calls', 'must not hold a path'],
    [originUrl, 'https://example.com?a=1', 'must not hold a query'],
    [originUrl, 'https://example.com#a', 'must not hold a fragment'],
    [originUrl, 'https://user@example.com', 'must not hold a user name'],
    [originUrl, 'https://:pass@example.com', 'must not hold a user name or a password'],
    [originUrl, 'ftp://example.com', 'must begin with https://'],
    [originUrl, 'calls.example.com', 'must be a URL that begins with https://'],
    [originUrl, 'wss://example.com', 'must begin with https://'],
    [serviceUrl, 'https://example.com/?a=1', 'must not hold a query'],
    [documentUrl, 'https://example.com/a.xml?b=1#c', 'must not hold a fragment'],
    [socketUrl, 'https://api.openai.com/v1/realtime', 'must begin with wss://'],
    [socketUrl, 'wss://api.openai.com/v1/realtime?model=x', 'must not hold a query'],
  ])('is refused where it holds more than it may: %#', (schema, url, complaint) => {
    expect(complaintOf(schema, url)).toContain(complaint);
  });
});
