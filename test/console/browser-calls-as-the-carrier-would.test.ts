/** A call from a real browser plays the carrier's side: streams, marks, coming back, hanging up. */
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { readMessage } from '../../src/adapters/twilio/media-message.ts';
import { frameBytes } from '../../src/console/page/try/framing.ts';
import { decodeMulaw } from '../../src/media/mulaw.ts';
import { soon, textOf, useStage } from './support/scene.ts';

interface Message {
  event: string;
  sequenceNumber?: string;
  streamSid?: string;
  mark?: { name: string };
  media?: { chunk: string; timestamp: string; payload: string };
  start?: { callSid: string; customParameters: { token: string } };
}

const stage = useStage(() => []);
const callId = `CA${'b0'.repeat(16)}`;

describe('a call from the browser', () => {
  it('starts a stream, sends sound, echoes marks, comes back as it is told, and ends', {
    timeout: 60_000,
  }, async () => {
    const { page, desk, server } = stage;
    desk.instructions = [
      { do: 'connect', callId, attempt: 1, token: 'token-1', afterMs: 0 },
      { do: 'wait', callId, afterMs: 10 },
      { do: 'connect', callId, attempt: 2, token: 'token-2', afterMs: 10 },
      { do: 'end', callId, because: 'The agent said goodbye.' },
    ];
    await stage.goTo('#/try');
    await page.getByLabel('A tone now and then').check();
    await page.getByRole('button', { name: 'Call', exact: true }).click();

    const first = await streamOf(server.streams, 0);
    await soon(() => first.messages.length).toBeGreaterThan(60);
    const [connected, start, ...rest] = first.messages;
    expect(connected).toEqual({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    expect(start?.start?.callSid).toBe(callId);
    expect(start?.start?.customParameters).toEqual({ token: 'token-1' });
    expect(rest.map(({ sequenceNumber }) => Number(sequenceNumber))).toEqual(
      rest.map((_, index) => index + 2),
    );
    const media = rest.filter(({ event }) => event === 'media');
    expect(media.map((message) => Number(message.media?.chunk))).toEqual(media.map((_, index) => index + 1));
    expect(
      media.every((message) => Buffer.from(message.media!.payload, 'base64').length === frameBytes),
    ).toBe(true);
    for (const text of first.texts) expect(readMessage(text), text).toHaveProperty('event');
    // The tone is heard, and there are pauses.
    const loudest = () =>
      Math.max(
        ...first.messages.flatMap(({ media: sound }) =>
          [...Buffer.from(sound?.payload ?? '', 'base64')].map((byte) => Math.abs(decodeMulaw(byte))),
        ),
      );
    await soon(loudest).toBeGreaterThan(3_000);

    const { streamSid } = start!;
    const tell = (message: object): void => first.socket.send(JSON.stringify({ streamSid, ...message }));
    const sound = Buffer.alloc(1_600, 0x20).toString('base64');
    tell({ event: 'mark', mark: { name: 'at-once' } });
    tell({ event: 'media', media: { payload: sound } });
    tell({ event: 'mark', mark: { name: 'played' } });
    const marks = () => first.messages.flatMap(({ mark }) => (mark ? [mark.name] : []));
    await soon(marks).toEqual(['at-once', 'played']);
    tell({ event: 'media', media: { payload: Buffer.alloc(80_000, 0x20).toString('base64') } });
    tell({ event: 'mark', mark: { name: 'thrown-away' } });
    tell({ event: 'clear' });
    await soon(marks).toEqual(['at-once', 'played', 'thrown-away']);
    await page.getByRole('button', { name: '5', exact: true }).click();
    await soon(() => first.messages.some(({ event }) => event === 'dtmf')).toBe(true);

    first.socket.close(1000);
    const second = await streamOf(server.streams, 1);
    await soon(() => second.messages.length).toBeGreaterThan(3);
    expect(second.messages[1]?.start?.customParameters).toEqual({ token: 'token-2' });
    expect(second.messages[1]?.streamSid).not.toBe(streamSid);
    second.socket.terminate();
    await soon(() => textOf(page.locator('.phone .band'))).toMatch(/over[\s\S]*The agent said goodbye/);
    expect(desk.asked).toEqual(['call ada', ...Array(3).fill(`continue ${callId}`)]);
    expect(stage.faults).toEqual([]);
  });

  it('takes the microphone, and tells when the person has hung up', { timeout: 60_000 }, async () => {
    const { page, desk, server } = stage;
    const known = server.streams.length;
    desk.asked.length = 0;
    desk.instructions = [{ do: 'connect', callId, attempt: 1, token: 'token-3', afterMs: 0 }];
    await stage.goTo('#/try');
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    const stream = await streamOf(server.streams, known);
    await soon(() => stream.messages.length).toBeGreaterThan(10);
    await page.getByRole('button', { name: 'Hang up' }).click();
    await soon(() => stream.messages.at(-1)?.event).toBe('stop');
    await soon(() => desk.asked).toEqual(['call ada', `leave ${callId}`]);
  });
});

async function streamOf(
  streams: WebSocket[],
  index: number,
): Promise<{ socket: WebSocket; messages: Message[]; texts: string[] }> {
  await soon(() => streams.length).toBeGreaterThan(index);
  const socket = streams[index]!;
  return { socket, ...recorded.get(socket)! };
}

const recorded = new Map<WebSocket, { messages: Message[]; texts: string[] }>();

/** From the first byte on: a listener that comes later would miss the start. */
stage.onStream = (socket) => {
  const record = { messages: [] as Message[], texts: [] as string[] };
  recorded.set(socket, record);
  socket.on('message', (data) => {
    record.texts.push(String(data));
    record.messages.push(JSON.parse(String(data)));
  });
};
