/** What each route of the console asks of the desk, and what it answers. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FixCallError, GiveUpError, RetryError } from '../../../src/runtime/ports/errors.ts';
import { Admin } from './support/admin.ts';
import { summary, view } from './support/fake-desk.ts';

let admin: Admin;
beforeEach(async () => {
  admin = new Admin();
  await admin.open();
});
afterEach(() => admin.close());

const json = async (path: string) => {
  const { status, body } = await admin.get(path);
  return [status, JSON.parse(body)];
};
const ann = { name: 'ann', via: 'console' };

describe('the page', () => {
  it('comes with its own policy, and is sent again only where it has changed', async () => {
    const page = await admin.get('/');
    expect([page.status, page.body]).toEqual([200, '<!doctype html>']);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'",
      'cache-control': 'no-cache',
    });
    const again = await admin.get('/', { 'if-none-match': page.headers.etag });
    expect([again.status, again.body]).toEqual([304, '']);
    const other = await admin.get('/console/main.js?v=1', { 'if-none-match': page.headers.etag });
    expect([other.status, other.body]).toEqual([200, 'export {};']);
    expect(other.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(other.headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
  });

  it.each(['/console/none.js', '/console/', '/console', '/console/../package.json', '/console/%2e%2e/x'])(
    'has nothing at %s',
    async (path) => {
      expect((await admin.get(path)).status).toBe(404);
    },
  );

  it('and everything else tells browsers to keep others out', async () => {
    for (const path of ['/', '/login', '/health', '/metrics', '/api/me', '/api/calls', '/nowhere']) {
      const { headers } = await admin.get(path);
      expect([path, headers]).toMatchObject([
        path,
        {
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'same-origin',
          'x-frame-options': 'DENY',
          'cache-control': expect.stringMatching(/^no-(store|cache)$/),
          'content-security-policy': expect.stringContaining("'none'"),
        },
      ]);
    }
  });
});

describe('a page learns', () => {
  it('who it speaks for', async () => {
    expect(await json('/api/me')).toEqual([200, { name: 'ann', needsLogin: false }]);
  });

  it('the calls that it asks for', async () => {
    const query =
      'live=true&direction=outgoing&endReason=stream.lost&text=bike%20%26&startedAfter=1&startedBefore=2&cursor=abc&limit=7';
    expect(await json(`/api/calls?${query}`)).toEqual([200, { calls: [summary], cursor: 'next' }]);
    expect(admin.desk.asked).toEqual([
      [
        'listCalls',
        {
          live: true,
          direction: 'outgoing',
          endReason: 'stream.lost',
          text: 'bike &',
          startedAfter: 1,
          startedBefore: 2,
          cursor: 'abc',
          limit: 7,
        },
      ],
    ]);
  });

  it('of fields that are empty, as of those that are not there, nothing', async () => {
    await json('/api/calls?live=&direction=&text=&limit=');
    await json('/api/calls');
    expect(admin.desk.asked).toEqual([
      ['listCalls', {}],
      ['listCalls', {}],
    ]);
  });

  it.each([
    'live=yes',
    'direction=up',
    'limit=0',
    'limit=201',
    'limit=1.5',
    'startedAfter=monday',
    'startedAfter=-1',
  ])('that it asked wrongly: %s', async (query) => {
    const [status, body] = await json(`/api/calls?${query}`);
    expect([status, body]).toMatchObject([400, { code: 'edge.refused', message: expect.any(String) }]);
    expect(admin.desk.asked).toEqual([]);
  });

  it('everything of a call, a long one as well', async () => {
    const answer = await admin.get('/api/calls/CA1');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(answer.body)).toEqual(view);
    expect(answer.body).toBe(JSON.stringify(view));
  });

  it('that there is no such call', async () => {
    expect(await json('/api/calls/none')).toEqual([
      404,
      { code: 'call.unknown', message: 'There is no call none.' },
    ]);
  });

  it('of no call by a name that is too long to be one', async () => {
    expect((await admin.get(`/api/calls/${'x'.repeat(201)}`)).status).toBe(414);
    expect((await admin.get(`/api/calls/${'x'.repeat(200)}`)).status).toBe(200);
  });

  it('the drawing of a chart, for a while', async () => {
    const { status, body, headers } = await admin.get('/api/charts/2');
    expect([status, JSON.parse(body).name, headers['cache-control']]).toEqual([
      200,
      'call',
      'private, max-age=3600',
    ]);
    expect((await admin.get('/api/charts/3')).status).toBe(404);
    expect((await admin.get('/api/charts/x')).status).toBe(400);
  });

  it('the instances and their log', async () => {
    expect(await json('/api/instances')).toMatchObject([200, [{ instance: 'one', here: true }]]);
    expect(await json('/api/instances/log?instance=one&before=5&limit=10')).toEqual([200, []]);
    expect(admin.desk.asked.at(-1)).toEqual(['instanceLog', { instance: 'one', before: 5, limit: 10 }]);
    expect((await admin.get('/api/instances/log?limit=0')).status).toBe(400);
  });

  it('a call as a file', async () => {
    const { body, headers } = await admin.get('/api/calls/CA%22%2F1/export');
    expect(body).toBe('{"call":1}');
    expect(headers['content-disposition']).toBe('attachment; filename="holdfast-CA__1.json"');
    expect(admin.desk.asked).toEqual([['exportCall', 'CA"/1']]);
  });
});

describe('a page commands', () => {
  it.each([
    { do: 'hangUp' },
    { do: 'transfer', number: '+15550107777' },
    { do: 'say', words: 'We close now.' },
    { do: 'move' },
    { do: 'erase' },
  ])('%j', async (command) => {
    const answer = await admin.post('/api/calls/CA1/command', command);
    expect([answer.status, answer.body]).toEqual([202, '{}']);
    expect(admin.desk.asked).toEqual([['command', 'CA1', command, ann]]);
  });

  it.each([
    null,
    {},
    [],
    { do: 'explode' },
    { do: 'hangUp', more: 1 },
    { do: 'say' },
    { do: 'say', words: '' },
    { do: 'say', words: 'x'.repeat(501) },
    { do: 'transfer', number: 5 },
  ])('nothing that is no command: %j', async (command) => {
    const { status, body } = await admin.post('/api/calls/CA1/command', command);
    expect([status, JSON.parse(body).code]).toEqual([400, 'command.invalid']);
    expect(admin.desk.asked).toEqual([]);
  });

  it('nothing that is no JSON, or too long', async () => {
    const headers = { 'content-type': 'application/json' };
    const broken = await admin.send('POST', '/api/calls/CA1/command', { headers, body: '{"do":' });
    expect([broken.status, JSON.parse(broken.body).code]).toEqual([400, 'edge.refused']);
    const poisoned = '{"do":"hangUp","__proto__":{"x":1}}';
    expect((await admin.send('POST', '/api/calls/CA1/command', { headers, body: poisoned })).status).toBe(
      400,
    );
    const long = await admin.post('/api/calls/CA1/command', { do: 'say', words: 'x'.repeat(70_000) });
    expect(long.status).toBe(413);
  });

  it('a call from the browser, on its way and to its end', async () => {
    const begun = await admin.post('/api/browser-calls');
    expect([begun.status, JSON.parse(begun.body)]).toEqual([200, { do: 'wait', callId: 'CAb', afterMs: 5 }]);
    const continued = await admin.post('/api/browser-calls/CAb/continue');
    expect(JSON.parse(continued.body)).toEqual({ do: 'end', callId: 'CAb', because: 'over' });
    const headers = { 'content-type': 'application/json' };
    const left = await admin.send('POST', '/api/browser-calls/CAb/leave', { headers });
    expect([left.status, left.body]).toEqual([200, '{}']);
    expect(admin.desk.asked).toEqual([
      ['callFromBrowser', ann],
      ['continueFromBrowser', 'CAb'],
      ['leaveFromBrowser', 'CAb'],
    ]);
  });
});

describe('what fails is told by its code', () => {
  it.each([
    [new FixCallError('call.unknown', 'none'), 404],
    [new FixCallError('call.over', 'over'), 409],
    [new FixCallError('command.invalid', 'wrong'), 400],
    [new RetryError('journal.unavailable', 'away'), 503],
    [new GiveUpError('log.invalid', 'broken'), 500],
  ])('%s with %i', async (error, expected) => {
    admin.desk.failure = error;
    const { status, body } = await admin.post('/api/calls/CA1/command', { do: 'hangUp' });
    expect([status, JSON.parse(body)]).toEqual([expected, { code: error.code, message: error.message }]);
    expect(admin.errors).toEqual(expected === 500 ? [error] : []);
  });

  it('and of anything else nothing is told', async () => {
    admin.desk.failure = new Error('a secret');
    const { status, body } = await admin.get('/api/calls');
    expect([status, body]).toEqual([500, '']);
    expect(admin.errors).toEqual([new Error('a secret')]);
  });
});

describe('a page is told as it happens', () => {
  it('of the live calls', async () => {
    const events = await admin.listen('/api/calls/live');
    expect(events.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(events.response.headers['x-content-type-options']).toBe('nosniff');
    for (const tell of admin.desk.listWatchers) tell([]);
    expect(await events.until(2)).toEqual([
      { event: 'calls', data: JSON.stringify([summary]) },
      { event: 'calls', data: '[]' },
    ]);
    events.leave();
  });

  it('of a call: its steps, its sound, and what went wrong', async () => {
    const events = await admin.listen('/api/calls/CA1/live?after=3');
    expect(admin.desk.asked).toEqual([['watchCall', 'CA1', 3]]);
    const [listener] = admin.desk.callWatchers;
    const { chart: _, fault: __, ...patch } = { ...view, steps: [] };
    const sound = { at: 1, windowMs: 100, caller: 0.5, agent: 0 };
    listener?.patch(patch);
    listener?.sound(sound);
    listener?.failed(new RetryError('journal.unavailable', 'away'));
    listener?.failed(new Error('a secret'));
    expect(await events.until(4)).toEqual([
      { id: '7', event: 'patch', data: JSON.stringify(patch) },
      { event: 'sound', data: JSON.stringify(sound) },
      { event: 'failed', data: '{"code":"journal.unavailable","message":"away"}' },
      { event: 'failed', data: expect.not.stringContaining('secret') },
    ]);
    expect(admin.errors).toEqual([new Error('a secret')]);
    events.leave();
  });

  it('from where it had come to, once it is back', async () => {
    const events = await admin.listen('/api/calls/CA1/live?after=3', { 'last-event-id': '41' });
    const fresh = await admin.listen('/api/calls/CA1/live', { 'last-event-id': 'nonsense' });
    expect(admin.desk.asked).toEqual([
      ['watchCall', 'CA1', 41],
      ['watchCall', 'CA1', 0],
    ]);
    expect((await admin.get('/api/calls/CA1/live?after=x')).status).toBe(400);
    events.leave();
    fresh.leave();
  });

  it('of a call as the inspector wants it, or why it cannot be', async () => {
    const events = await admin.listen('/api/calls/CA1/inspect');
    expect(await events.until(1)).toEqual([{ event: 'message', data: '{"type":"@xstate.actor"}' }]);
    admin.desk.failure = new FixCallError('call.unknown', 'none');
    const failed = await admin.listen('/api/calls/CA2/inspect');
    expect(await failed.until(1)).toEqual([
      { event: 'failed', data: '{"code":"call.unknown","message":"none"}' },
    ]);
    events.leave();
    failed.leave();
  });

  it('only where it asks with GET: nobody is left waiting on a HEAD', async () => {
    expect((await admin.send('HEAD', '/api/calls/CA1/live')).status).toBe(404);
    await admin.send('HEAD', '/api/calls/live');
    expect(admin.desk.watchers).toBe(0);
  });
});
