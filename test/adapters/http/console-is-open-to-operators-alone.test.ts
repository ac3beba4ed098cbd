/** Who is let into the console, by which door, and what a page of somebody else can do there: nothing. */
import { createHmac } from 'node:crypto';
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { fastifyCookie } from '@fastify/cookie';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loginPolicy } from '../../../src/adapters/http/login-page.ts';
import { LoginTries, mostPeers, mostWrongTries, windowMs } from '../../../src/adapters/http/login-tries.ts';
import { Sessions, sessionMs } from '../../../src/adapters/http/sessions.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { Admin, type Answer } from './support/admin.ts';

let admin: Admin;
beforeEach(() => {
  admin = new Admin();
});
afterEach(() => admin.close());

/** What an operator's browser sends through a proxy that speaks TLS. */
const proxied = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' };

const cookieOf = ({ headers }: Answer): string => headers['set-cookie']?.[0]?.split(';')[0] ?? '';
const login = (headers: OutgoingHttpHeaders = {}, fields = { name: 'Night desk', token: 'secret' }) =>
  admin.postForm('/login', fields, headers);

/** Each of the doors at which a token is needed. */
const doors: [string, { host: string; headers: OutgoingHttpHeaders }][] = [
  ['off loopback', { host: '0.0.0.0', headers: {} }],
  ['on loopback through a proxy', { host: '127.0.0.1', headers: proxied }],
];

describe.each(doors)('%s', (_, { host, headers }) => {
  beforeEach(() => admin.open({ host }));

  it('a browser is led to the login, which needs no script and tells nothing', async () => {
    const page = await admin.get('/', headers);
    expect([page.status, page.headers.location]).toEqual([303, '/login']);
    const form = await admin.get('/login', headers);
    expect(form.status).toBe(200);
    expect(form.body).toContain('<form method="post" action="/login">');
    expect(form.body).not.toContain('<script');
    expect(form.headers['content-security-policy']).toBe(loginPolicy);
    expect(admin.refused).toEqual([]);
  });

  it('everything else is refused', async () => {
    for (const path of [
      '/api/me',
      '/api/calls',
      '/api/calls/live',
      '/console/main.js',
      '/health',
      '/nowhere',
    ])
      expect((await admin.get(path, headers)).status).toBe(host === '0.0.0.0' ? 401 : 403);
    expect((await admin.post('/api/calls/CA1/command', { do: 'hangUp' }, headers)).status).toBeGreaterThan(
      400,
    );
    expect((await admin.post('/logout', {}, headers)).status).toBeGreaterThan(400);
    expect(admin.desk.asked).toEqual([]);
    expect(admin.refused).toHaveLength(8);
  });

  it('who shows the token is let in by a cookie, under their own name', async () => {
    const entered = await login(headers);
    expect([entered.status, entered.headers.location]).toEqual([303, '/']);
    const [cookie] = entered.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/; Max-Age=43200; Path=\/; HttpOnly;( Secure;)? SameSite=Strict$/);
    expect(cookie?.includes('Secure')).toBe(headers === proxied);
    const known = { ...headers, cookie: cookieOf(entered) };
    expect((await admin.get('/', known)).status).toBe(200);
    expect(JSON.parse((await admin.get('/api/me', known)).body)).toEqual({
      name: 'Night desk',
      needsLogin: true,
    });
    expect((await admin.get('/login', known)).headers.location).toBe('/');
    await admin.post('/api/calls/CA1/command', { do: 'hangUp' }, known);
    expect(admin.desk.asked.at(-1)).toEqual([
      'command',
      'CA1',
      { do: 'hangUp' },
      { name: 'Night desk', via: 'console' },
    ]);
    expect(admin.facts).toEqual([{ type: 'login.accepted', name: 'Night desk' }]);
  });

  it('a program logs in with JSON', async () => {
    const entered = await admin.post('/login', { name: 'Robot', token: 'secret' }, headers);
    expect([entered.status, JSON.parse(entered.body)]).toEqual([200, { name: 'Robot' }]);
    expect((await admin.get('/api/me', { ...headers, cookie: cookieOf(entered) })).status).toBe(200);
    const refused = await admin.post('/login', { name: 'Robot', token: 'wrong' }, headers);
    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      401,
      { code: 'edge.refused', message: 'The token is wrong.' },
    ]);
  });

  it('a program that shows the token itself needs no session', async () => {
    const answer = await admin.get('/api/me', { ...headers, authorization: 'Bearer secret' });
    expect(JSON.parse(answer.body)).toEqual({ name: 'bearer of the token', needsLogin: true });
  });

  it('who logs out has no session any more', async () => {
    const cookie = cookieOf(await login(headers));
    const left = await admin.post('/logout', {}, { ...headers, cookie });
    expect(left.status).toBe(200);
    expect(left.headers['set-cookie']?.[0]).toMatch(/^holdfast_session=; Max-Age=0;/);
    expect(admin.facts.at(-1)).toEqual({ type: 'login.ended', name: 'Night desk' });
  });
});

describe('a login', () => {
  beforeEach(() => admin.open({ host: '0.0.0.0' }));

  it.each([
    [{ name: 'Ann', token: 'wrong' }, 401, 'The token is wrong.'],
    [{ name: 'Ann', token: '' }, 401, 'The token is wrong.'],
    [{ name: ' ', token: 'secret' }, 400, 'Say who you are'],
    [{ name: 'x'.repeat(61), token: 'secret' }, 400, 'Say who you are'],
  ])('is refused in words and shows nothing of what was typed: %j', async (fields, status, words) => {
    const answer = await login({}, fields);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(`<p role="alert">${words}`);
    expect(answer.body).not.toContain('xxxxx');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('shows no markup that came with it', async () => {
    const answer = await login({}, { name: '<script>alert(1)</script>', token: '"><script>' });
    expect(answer.body).not.toContain('<script');
  });

  it(`is not tried again for a minute after ${mostWrongTries} wrong tries, with the right token either`, async () => {
    for (let tries = 0; tries < mostWrongTries; tries++)
      expect((await login({}, { name: 'Eve', token: `guess ${tries}` })).status).toBe(401);
    const answer = await login();
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '60']);
    expect(admin.facts.at(-1)).toEqual({ type: 'login.refused', why: 'tooManyTries' });
    await admin.clock.advance(windowMs);
    expect((await login()).status).toBe(303);
  });
});

describe('tries', () => {
  it('are counted by peer, and no peer can fill the memory', () => {
    const clock = new VirtualClock();
    const tries = new LoginTries(clock);
    for (let times = 0; times < mostWrongTries; times++) tries.noteWrong('eve');
    expect([tries.mayTry('eve'), tries.mayTry('ann')]).toEqual([false, true]);
    for (let peer = 0; peer < mostPeers; peer++) tries.noteWrong(`peer ${peer}`);
    expect(tries.mayTry('eve')).toBe(true);
  });
});

describe('a session', () => {
  beforeEach(() => admin.open());

  const clock = new VirtualClock();
  const sessions = new Sessions('secret', clock);
  const valueIn = (cookie: string): string => cookie.split(';')[0]?.split('=')[1] ?? '';
  const shown = (value: string): string | null =>
    sessions.nameIn({ cookie: `a=1; holdfast_session=${value}; b=2` });

  it('holds the name for twelve hours', async () => {
    const value = valueIn(sessions.begin('Zoë “Z” = 1', false));
    expect(shown(value)).toBe('Zoë “Z” = 1');
    await clock.advance(sessionMs - 1);
    expect(shown(value)).toBe('Zoë “Z” = 1');
    await clock.advance(1);
    expect(shown(value)).toBeNull();
  });

  it('is of its token alone', () => {
    const value = valueIn(new Sessions('another', clock).begin('Eve', false));
    expect(shown(value)).toBeNull();
    // Nor does the token itself sign one.
    const forged = Buffer.from(JSON.stringify({ name: 'Eve', expiresAt: 1e15 })).toString('base64url');
    expect(shown(encodeURIComponent(fastifyCookie.sign(forged, 'secret')))).toBeNull();
    const digest = createHmac('sha256', 'secret').update(forged).digest('base64url');
    expect(shown(`${forged}.${digest}`)).toBeNull();
  });

  it('cannot be changed', () => {
    const value = decodeURIComponent(valueIn(sessions.begin('Ann', false)));
    const [content = '', signature = ''] = value.split('.');
    const longer = Buffer.from(content, 'base64url')
      .toString()
      .replace(/"expiresAt":\d+/, '"expiresAt":9e15');
    for (const forged of [
      `${Buffer.from(longer).toString('base64url')}.${signature}`,
      `${content}.`,
      `.${signature}`,
      content,
      '',
      '.',
      `${value}x`,
    ])
      expect([forged, shown(encodeURIComponent(forged))]).toEqual([forged, null]);
    expect(shown(encodeURIComponent(value))).toBe('Ann');
  });

  it.each([undefined, '', 'nonsense', 'holdfast_session', 'holdfast_session=%', '=;;='])(
    'is not found in a header without one: %s',
    (cookie) => {
      expect(sessions.nameIn(cookie === undefined ? {} : { cookie })).toBeNull();
    },
  );
});

describe('on loopback', () => {
  it('whoever comes directly is the account that the process runs under', async () => {
    await admin.open({ token: null });
    expect(JSON.parse((await admin.get('/api/me')).body)).toEqual({ name: 'ann', needsLogin: false });
    expect((await admin.get('/')).status).toBe(200);
    expect((await admin.get('/login')).headers.location).toBe('/');
  });

  it.each([
    { host: 'rebound.example' },
    { host: 'rebound.example:8081' },
    { host: '127.0.0.1.evil.example' },
    proxied,
  ])(
    'what came by another name or through a proxy is let in by no door where no token is set: %j',
    async (headers) => {
      await admin.open({ token: null });
      for (const path of ['/', '/login', '/api/me', '/console/main.js'])
        expect([path, (await admin.get(path, headers)).status]).toEqual([path, 403]);
      expect((await login(headers)).status).toBe(403);
      expect(admin.desk.asked).toEqual([]);
    },
  );

  it('a session that was begun elsewhere does not open what the token does not: the public address', async () => {
    await admin.open();
    const cookie = cookieOf(await login(proxied));
    expect((await admin.get('/api/me', { ...proxied, cookie })).status).toBe(200);
    for (const headers of [{ host: 'calls.example' }, { 'x-forwarded-host': 'calls.example' }]) {
      for (const path of ['/', '/login', '/api/me'])
        expect([path, (await admin.get(path, { ...headers, cookie })).status]).toEqual([path, 403]);
    }
  });

  it('a cookie that is wrong lets nobody in, and keeps out nobody who needs none', async () => {
    await admin.open();
    const cookie = 'holdfast_session=wrong.wrong';
    expect((await admin.get('/api/me', { ...proxied, cookie })).status).toBe(403);
    expect((await admin.get('/api/me', { cookie })).status).toBe(200);
  });

  it('a session that is over lets nobody in', async () => {
    await admin.open();
    const cookie = cookieOf(await login(proxied));
    await admin.clock.advance(sessionMs);
    expect((await admin.get('/api/me', { ...proxied, cookie })).status).toBe(403);
    expect((await admin.get('/', { ...proxied, cookie })).headers.location).toBe('/login');
  });
});

describe('a page of somebody else, in an operator’s browser', () => {
  beforeEach(() => admin.open());
  const hangUp = { do: 'hangUp' };

  it.each(['https://evil.example', 'http://127.0.0.1:1', 'http://localhost:8081', 'null', 'nonsense', ''])(
    'commands nothing: Origin %j',
    async (origin) => {
      expect((await admin.post('/api/calls/CA1/command', hangUp, { origin })).status).toBe(403);
      expect((await admin.post('/api/browser-calls', {}, { origin })).status).toBe(403);
      expect((await admin.post('/logout', {}, { origin })).status).toBe(403);
      expect((await login({ ...proxied, origin })).status).toBe(403);
      expect(admin.desk.asked).toEqual([]);
      expect(admin.facts).toEqual([]);
    },
  );

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp'])(
    'cannot pass for ours by a form: %s',
    async (type) => {
      const answer = await admin.send('POST', '/api/calls/CA1/command', {
        headers: { 'content-type': type },
        body: JSON.stringify(hangUp),
      });
      expect(answer.status).toBe(403);
      expect(admin.desk.asked).toEqual([]);
    },
  );

  it('while our own, and programs, do', async () => {
    expect((await admin.post('/api/calls/CA1/command', hangUp, { origin: admin.origin })).status).toBe(202);
    expect((await admin.post('/api/calls/CA1/command', hangUp)).status).toBe(202);
    const type = 'application/json; charset=utf-8';
    expect((await admin.post('/api/calls/CA1/command', hangUp, { 'content-type': type })).status).toBe(202);
  });

  /** What becomes of an upgrade: the status, or `upgraded` where the handshake was left to us. */
  function upgrade(path: string, headers: OutgoingHttpHeaders): Promise<number | 'upgraded' | undefined> {
    const { port } = admin.server;
    const asked = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      headers: { connection: 'Upgrade', upgrade: 'websocket', ...headers },
      agent: false,
    });
    return new Promise((resolve) => {
      asked.on('response', (response) => resolve(response.resume().statusCode));
      asked.on('error', () => resolve('upgraded'));
      asked.end();
      const poll = setInterval(() => {
        if (admin.upgraded.length === 0) return;
        clearInterval(poll);
        asked.destroy();
      }, 1);
      asked.on('close', () => clearInterval(poll));
    });
  }
  const media = '/api/browser-calls/media';

  it.each([
    ['https://evil.example', {}],
    ['null', {}],
    ['', {}],
  ])('opens no stream of audio: Origin %j', async (origin) => {
    expect(await upgrade(media, { origin })).toBe(403);
    expect([admin.upgraded, admin.refused]).toEqual([[], ['forbidden']]);
  });

  it('nor does a stranger, nor anybody elsewhere', async () => {
    expect(await upgrade(media, proxied)).toBe(403);
    expect(await upgrade(media, { host: 'calls.example', authorization: 'Bearer secret' })).toBe(403);
    expect(await upgrade('/api/browser-calls', {})).toBe(404);
    expect(await upgrade('/twilio/media/one', {})).toBe(404);
    expect(admin.upgraded).toEqual([]);
  });

  it('while our own does, and its stream ends with the server', async () => {
    expect(await upgrade(`${media}?x=1`, { origin: admin.origin })).toBe('upgraded');
    expect(admin.upgraded[0]?.request.url).toBe(`${media}?x=1`);
    const cookie = cookieOf(await login(proxied));
    admin.upgraded.length = 0;
    const host = `127.0.0.1:${admin.server.port}`;
    expect(await upgrade(media, { ...proxied, cookie, host, origin: `https://${host}` })).toBe('upgraded');
    const [{ socket } = {}] = admin.upgraded;
    await admin.close();
    expect(socket?.destroyed).toBe(true);
  });
});
