import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PublicServer } from '../../../src/adapters/http/public-server.ts';
import { TwilioApi } from '../../../src/adapters/twilio/api.ts';
import { carrierMediaPath, MediaUpgrades } from '../../../src/adapters/twilio/media-upgrades.ts';
import { pointsTo, TwilioNumber } from '../../../src/adapters/twilio/number.ts';
import { TwilioControl } from '../../../src/adapters/twilio/rest.ts';
import { Signature } from '../../../src/adapters/twilio/signature.ts';
import { edgeEvents, Tally } from '../../../src/adapters/twilio/tally.ts';
import { twilioWebhooks } from '../../../src/adapters/twilio/webhooks.ts';
import { systemClock as clock } from '../../../src/platform/clock.ts';
import { wrapWebSocket } from '../../../src/platform/websocket.ts';
import type { Answer } from '../../../src/runtime/ports/carrier.ts';
import { startTwilioTwin, type TwinServer } from '../../../src/twin/twilio/server.ts';
import { RecordedDesk, RecordedListener } from './recorded-desk.ts';

const accountSid = `AC${'1'.repeat(32)}`;
const authToken = 'the token';
const ourNumber = '+15550002';

let desk: RecordedDesk;
let listeners: RecordedListener[];
let tally: Tally;
let server: PublicServer;
let upgrades: MediaUpgrades;
let twin: TwinServer;
let publicUrl: string | null = null;

beforeEach(async () => {
  desk = new RecordedDesk();
  listeners = [];
  tally = new Tally(clock, () => undefined);
  const signature = new Signature(authToken, () => publicUrl);
  upgrades = new MediaUpgrades({
    desk,
    clock,
    tally,
    path: carrierMediaPath,
    isLetIn: (request) => signature.signsUpgrade(request),
    wrapSocket: wrapWebSocket,
  });
  const place = { publicUrl: () => publicUrl, instance: 'a-1', fallbackUrl: null };
  server = await PublicServer.open({
    host: '127.0.0.1',
    port: 0,
    clock,
    routes: twilioWebhooks({ desk, clock, tally, signature, ...place }),
    onUpgrade: (request, socket, head) => upgrades.handle(request, socket, head),
    isLive: () => true,
    isReady: () => true,
    onError: () => undefined,
  });
  publicUrl = `http://127.0.0.1:${server.port}`;
  twin = await startTwilioTwin({
    accountSid,
    authToken,
    seed: 1,
    allowInsecureStreams: true,
    delays: { handshakeMs: 0, firstMessageMs: 0, continuationMs: 0 },
    numbers: { [ourNumber]: { voiceUrl: 'https://before.example/' } },
  });
});

afterEach(async () => {
  await twin.close();
  await server.close();
  expect(upgrades.size).toBe(0);
});

const connect = (callId: string, attempt: number): Answer => ({
  do: 'connect',
  callId,
  attempt,
  token: `token ${attempt}`,
  pauseMs: 0,
});

async function admit(): Promise<RecordedListener> {
  const listener = new RecordedListener();
  listeners.push(listener);
  return listener;
}

it('holds a call of the offline carrier from the first webhook to the last callback', async () => {
  const api = new TwilioApi({ accountSid, authToken, apiUrl: twin.url }, clock);
  const here = { publicUrl: publicUrl!, instance: 'a-1', fallbackUrl: null };
  const control = new TwilioControl(api, () => here);
  const number = new TwilioNumber(api, ourNumber);
  expect((await number.pointHere(here)).voice.url).toBe('https://before.example/');
  expect(pointsTo(await number.readRouting(), here.publicUrl)).toBe(true);

  desk.answer = async () => connect(call.sid, 1);
  desk.next = async () => connect(call.sid, 2);
  desk.admit = admit;
  const call = twin.placeCall({ to: ourNumber, from: '+15550001' });

  // The first stream carries audio both ways.
  await vi.waitFor(() => expect(listeners[0]?.timestamps.length).toBeGreaterThan(3));
  expect(desk.answered).toEqual([{ carrierCallId: call.sid, from: '+15550001', to: ourNumber }]);
  expect(desk.starts[0]).toMatchObject({ carrierCallId: call.sid, token: 'token 1' });
  const { line } = desk.starts[0]!;
  line.sendAudio(Buffer.alloc(160));
  line.sendMark('played');
  await vi.waitFor(() => expect(listeners[0]?.handed).toContainEqual({ what: 'mark', name: 'played' }));
  call.press('5');
  await vi.waitFor(() => expect(listeners[0]?.order).toContain('digit.pressed'));

  // We close it; the carrier asks what to do next and opens another one.
  line.close();
  await vi.waitFor(() => expect(listeners[0]?.order.at(-1)).toBe('stream.closed'));
  await vi.waitFor(() => expect(desk.starts[1]).toMatchObject({ token: 'token 2' }));
  expect(desk.continued).toEqual([call.sid]);
  expect(await control.fetchStatus(call.sid)).toBe('in-progress');

  // We end the call; its stream stops, and its end is reported.
  await control.endCall(call.sid);
  await vi.waitFor(() => expect(listeners[1]?.order.at(-1)).toBe('stream.closed'));
  expect(listeners[1]?.order).toContain('stream.stopped');
  await vi.waitFor(() =>
    expect(desk.reports.map(({ signal }) => signal.entry)).toContainEqual({
      type: 'carrier.reported',
      status: 'completed',
      source: 'callback',
    }),
  );
  expect(await control.fetchStatus(call.sid)).toBe('completed');
  await control.endCall(call.sid);
  const counted = edgeEvents.filter((event) => tally.countOf(event) > 0);
  expect(counted).toEqual(['callback.streamStarted', 'callback.streamStopped']);
});

it('redirects a call of the offline carrier while it streams, and has it dial until somebody answers', async () => {
  const api = new TwilioApi({ accountSid, authToken, apiUrl: twin.url }, clock);
  const here = { publicUrl: publicUrl!, instance: 'a-1', fallbackUrl: null };
  const control = new TwilioControl(api, () => here);
  await new TwilioNumber(api, ourNumber).pointHere(here);
  const transfer: Answer = { do: 'transfer', number: '+15550177', ringMs: 5_000, apology: null };
  desk.answer = async () => connect(call.sid, 1);
  desk.next = async () => connect(call.sid, 3);
  desk.admit = admit;
  const call = twin.placeCall({
    to: ourNumber,
    from: '+15550001',
    dials: [
      { outcome: 'busy', ringMs: 10 },
      { outcome: 'answered', ringMs: 10, talkMs: 10 },
    ],
  });
  const outcomes = () => desk.reports.map(({ signal }) => signal.entry);
  await vi.waitFor(() => expect(desk.starts).toHaveLength(1));

  // A new stream takes the place of the running one.
  await control.redirectCall(call.sid, connect(call.sid, 2));
  await vi.waitFor(() => expect(desk.starts[1]).toMatchObject({ token: 'token 2' }));
  expect(listeners[0]?.order).toContain('stream.stopped');

  // The far end is busy: that is reported, and the call is asked for again, and comes back.
  await control.redirectCall(call.sid, transfer);
  await vi.waitFor(() => expect(outcomes()).toContainEqual({ type: 'transfer.finished', outcome: 'busy' }));
  await vi.waitFor(() => expect(desk.starts[2]).toMatchObject({ token: 'token 3' }), 5_000);

  // The far end answers: once the two have talked, the call is over.
  await control.redirectCall(call.sid, transfer);
  const completed = { type: 'transfer.finished', outcome: 'completed' };
  await vi.waitFor(() => expect(outcomes()).toContainEqual(completed));
  await vi.waitFor(async () => expect(await control.fetchStatus(call.sid)).toBe('completed'));
  await expect(control.redirectCall(call.sid, transfer)).rejects.toMatchObject({ code: 'carrier.refused' });
});
