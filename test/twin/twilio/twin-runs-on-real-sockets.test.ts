import { type AddressInfo, createServer, type Socket } from 'node:net';
import twilio from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { CallHandle } from '../../../src/twin/twilio/call/call-handle.ts';
import type { CallPlan } from '../../../src/twin/twilio/call/call-order.ts';
import { startTwilioTwin, type TwinServer } from '../../../src/twin/twilio/server.ts';
import { type RealServer, startRealServer } from './support/real-server.ts';
import { accountSid, authToken, callerNumber, ourNumber } from './support/rig.ts';

let application: RealServer;
let twin: TwinServer;

const delays = { handshakeMs: 0, firstMessageMs: 0, continuationMs: 0 };

const start = async (voiceUrl: string): Promise<void> => {
  twin = await startTwilioTwin({
    accountSid,
    authToken,
    delays,
    seed: 7,
    allowInsecureStreams: true,
    numbers: { [ourNumber]: { voiceUrl } },
  });
};

beforeEach(async () => {
  application = await startRealServer();
  await start(`http://127.0.0.1:${application.port}/voice`);
  const stream = `<Stream url="ws://127.0.0.1:${application.port}/media"/>`;
  application.answers.set('/voice', `<Connect action="/after">${stream}</Connect>`);
  application.answers.set('/after', '<Hangup/>');
});

afterEach(async () => {
  await twin.close();
  await application.close();
});

interface Connected {
  call: CallHandle;
  socket: WebSocket;
  messages: { event: string; streamSid: string; start?: object }[];
  closed: Promise<number>;
}

/** Places a call and waits for the first media message of its stream. */
function connect(plan: CallPlan = {}): Promise<Connected> {
  return new Promise((resolve) => {
    application.onSocket = (socket) => {
      const messages: Connected['messages'] = [];
      const closed = new Promise<number>((close) => socket.on('close', close));
      socket.on('message', (data, isBinary) => {
        if (isBinary) return;
        messages.push(JSON.parse(data.toString()));
        if (messages.length === 3) resolve({ call, socket, messages, closed });
      });
    };
    const call = twin.placeCall({ to: ourNumber, from: callerNumber, ...plan });
  });
}

/** Takes connections and never says a word. */
async function listenDeafly() {
  const server = createServer();
  const connected = new Promise<Socket>((resolve) => server.on('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    (await connected).destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, connected, close };
}

const codes = (call: CallHandle) => call.notices.map(({ code }) => code);

describe('the twin on real sockets', () => {
  it('carries a call from the webhook to the hang-up, signed all the way', async () => {
    const { call, socket, messages, closed } = await connect();
    expect(messages.map(({ event }) => event).slice(0, 3)).toEqual(['connected', 'start', 'media']);
    const [voice] = application.requests;
    const signature = String(voice?.headers['x-twilio-signature']);
    const url = `http://127.0.0.1:${application.port}/voice`;
    expect(twilio.validateRequest(authToken, signature, url, voice?.form ?? {})).toBe(true);
    const { headers } = application.sockets[0]?.request ?? {};
    const streamUrl = `ws://127.0.0.1:${application.port}/media`;
    expect(twilio.validateRequest(authToken, String(headers?.['x-twilio-signature']), streamUrl, {})).toBe(
      true,
    );
    expect(headers).not.toHaveProperty('sec-websocket-extensions');
    expect(headers).not.toHaveProperty('origin');
    const { streamSid } = messages[1] as { streamSid: string };
    const payload = Buffer.alloc(800, 0x20).toString('base64');
    socket.send(JSON.stringify({ event: 'media', streamSid, media: { payload } }));
    socket.send(JSON.stringify({ event: 'mark', streamSid, mark: { name: 'done' } }));
    await expect.poll(() => messages.some(({ event }) => event === 'mark')).toBe(true);
    expect(Buffer.concat(call.heard().map(({ bytes }) => bytes))).toEqual(Buffer.alloc(800, 0x20));
    call.hangUp();
    expect(await closed).toBe(1000);
    expect(messages.at(-1)?.event).toBe('stop');
    expect(await call.ended).toEqual({ reason: 'callerHungUp', status: 'completed' });
  });

  it('goes on with the action when the server closes the socket', async () => {
    const { call, socket } = await connect();
    socket.close(1000);
    expect(await call.ended).toMatchObject({ reason: 'hangUpVerb' });
    expect(application.requests.map(({ path }) => path)).toEqual(['/voice', '/after']);
  });

  it('notices a server that drops the connection', async () => {
    const { call, socket } = await connect();
    socket.terminate();
    await call.ended;
    expect(codes(call)).toEqual([31903]);
  });

  it('notices a server that breaks the framing', async () => {
    const { call } = await connect();
    const tcp = application.sockets[0]?.request.socket;
    tcp?.write(Buffer.from([0xf9, 0xff, 0xff, 0xff]));
    await call.ended;
    expect(codes(call)).toEqual([31924]);
  });

  it('answers pings of the server', async () => {
    const { call, socket } = await connect();
    const pong = new Promise((resolve) => socket.once('pong', resolve));
    socket.ping();
    await pong;
    expect(call.status).toBe('in-progress');
  });

  it('resets the connection for a scripted reset', async () => {
    const { call, closed } = await connect({ faults: { streams: [{ fault: 'reset', afterMs: 0 }] } });
    expect(await closed).toBe(1006);
    await call.ended;
    expect(codes(call)).toEqual([31903]);
  });

  it('neither answers pings nor closes while half-open', async () => {
    const faults = { streams: [{ fault: 'halfOpen', afterMs: 0, noticedAfterMs: null } as const] };
    const { call, socket, messages } = await connect({ faults });
    await expect.poll(() => call.events.some(({ event }) => event === 'faultStruck')).toBe(true);
    let pongs = 0;
    let isClosed = false;
    socket.on('pong', () => {
      pongs += 1;
    });
    socket.on('close', () => {
      isClosed = true;
    });
    const arrivingWithin = async (ms: number): Promise<number> => {
      const before = messages.length;
      await new Promise((resolve) => setTimeout(resolve, ms));
      return messages.length - before;
    };
    await expect.poll(() => arrivingWithin(60)).toBe(0);
    socket.ping();
    call.hangUp();
    expect(await arrivingWithin(200)).toBe(0);
    expect([pongs, isClosed]).toEqual([0, false]);
  });

  it('lets go of a half-open socket when it is closed', async () => {
    const faults = { streams: [{ fault: 'protocolError', afterMs: 0 } as const] };
    const { call, closed } = await connect({ faults });
    await call.ended;
    expect(codes(call)).toEqual([31924]);
    await twin.close();
    expect(await closed).toBe(1006);
  });

  it('sends garbage in binary and in text', async () => {
    const binary: unknown[] = [];
    const faults = {
      streams: [{ fault: 'garbage', afterMs: 0, kinds: ['binary', 'unknownEvent'] } as const],
    };
    const { socket, messages } = await connect({ faults });
    socket.on('message', (data, isBinary) => isBinary && binary.push(data));
    await expect.poll(() => messages.some(({ event }) => event === 'telepathy')).toBe(true);
    expect(binary).toHaveLength(1);
  });

  it.each([
    ['another path', 31920, () => `ws://127.0.0.1:${application.port}/nowhere`],
    ['a port where nobody listens', 31902, () => 'ws://127.0.0.1:1/media'],
    ['a server without TLS', 31910, () => `wss://127.0.0.1:${application.port}/media`],
  ])('reports a handshake with %s', async (_what, code, url) => {
    application.answers.set('/voice', `<Connect action="/after"><Stream url="${url()}"/></Connect>`);
    const call = twin.placeCall({ to: ourNumber, from: callerNumber });
    await call.ended;
    expect(codes(call)).toEqual([code]);
    expect(application.requests.map(({ path }) => path)).toEqual(['/voice', '/after']);
  });

  it('gives a handshake up when the caller does', async () => {
    const deaf = await listenDeafly();
    application.answers.set('/voice', `<Connect><Stream url="ws://127.0.0.1:${deaf.port}/media"/></Connect>`);
    const call = twin.placeCall({ to: ourNumber, from: callerNumber });
    await deaf.connected;
    call.hangUp();
    expect(await call.ended).toMatchObject({ reason: 'callerHungUp' });
    expect(codes(call)).toEqual([]);
    await deaf.close();
  });

  it('waits no longer for a connection, TLS included, than the URL allows', async () => {
    const deaf = await listenDeafly();
    twin.configureNumber(ourNumber, { voiceUrl: `https://127.0.0.1:${deaf.port}/voice#ct=100&rc=0` });
    const call = twin.placeCall({ to: ourNumber, from: callerNumber });
    await expect.poll(() => codes(call)).toEqual([11205]);
    await deaf.close();
  });

  it('reports a webhook to a port where nobody listens', async () => {
    twin.configureNumber(ourNumber, { voiceUrl: 'http://127.0.0.1:1/voice' });
    const call = twin.placeCall({ to: ourNumber, from: callerNumber });
    await expect.poll(() => codes(call)).toEqual([11205]);
  });

  it('reports a webhook over TLS to a server that has none, after a second try', async () => {
    twin.configureNumber(ourNumber, { voiceUrl: `https://127.0.0.1:${application.port}/voice` });
    const call = twin.placeCall({ to: ourNumber, from: callerNumber });
    await expect.poll(() => codes(call)).toEqual([11205]);
    expect(call.webhooks[0]?.attempts).toBe(2);
  });

  it('reads no more of an answer than it needs to refuse it', async () => {
    application.answers.set('/voice', 'x'.repeat(4_000_000));
    const call = twin.placeCall({ to: ourNumber, from: callerNumber });
    await expect.poll(() => codes(call)).toEqual([11750]);
  });

  it('refuses a call to a number that it does not have', () => {
    expect(() => twin.placeCall({ to: '+15559999', from: callerNumber })).toThrow('no such number');
  });

  it('says so when its port is taken', async () => {
    const port = Number(new URL(twin.url).port);
    await expect(startTwilioTwin({ accountSid, authToken, port })).rejects.toThrow('EADDRINUSE');
  });

  it('ends what goes on when it is closed, and tells nobody', async () => {
    const { call, closed } = await connect();
    const requests = application.requests.length;
    await twin.close();
    expect(await call.ended).toMatchObject({ reason: 'twinClosed' });
    expect(await closed).toBe(1000);
    expect(application.requests).toHaveLength(requests);
  });
});
