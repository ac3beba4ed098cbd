/** The caller's audio to the session, the replies to the line, and what an interruption makes of them. */
import { describe, expect, it } from 'vitest';
import { bytesPerMs } from '../../src/media/mulaw.ts';
import { callSid, Rig } from './rig.ts';

const bytesOf = (pieces: readonly Buffer[]): number =>
  pieces.reduce((bytes, piece) => bytes + piece.length, 0);

describe('the caller', () => {
  it('is heard by the session once both are there, from the first word on', async () => {
    const rig = new Rig();
    const process = rig.open();
    process.model.next = 'isSilent';
    const line = await process.connect(await process.answer());
    line?.brings(200);
    expect(process.model.session.audioBytes).toBe(0);
    process.model.session.opens();
    line?.brings(120);
    expect(process.model.session.audioBytes).toBe(320 * bytesPerMs);
  });

  it('is greeted with the words of the agent as soon as both are there', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.connect(await process.answer());
    expect(process.model.session.told).toEqual([]);
    await rig.clock.advance(100);
    expect(process.model.session.told).toEqual([expect.stringContaining('"Hello, this is the clerk."')]);
  });

  it('hears every reply in full, and the log says how far it was heard', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    expect(line.sentMs).toBe(1_000);
    const entries = await process.entries();
    expect(entries.findLast(({ type }) => type === 'reply.progressed')).toMatchObject({
      itemId: 'greeting-item',
      receivedMs: 1_000,
      playedMs: 1_000,
    });
    expect(entries.findLast(({ type }) => type === 'reply.played')).toMatchObject({ replyId: 'greeting' });
  });
});

describe('a caller who interrupts', () => {
  it('silences the line, and the model is told how much was heard', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    const { session } = process.model;
    session.startsReply('long');
    session.sends('long', 'long-item', 4_000);
    await rig.clock.advance(1_050);
    const clears = line.clears;
    session.callerStarts('turn1');
    expect(line.clears).toBe(clears + 1);
    expect(session.told.slice(-2)).toEqual(['cancelReply', 'truncate long-item 1000']);
    await rig.written();
    const cut = (await process.entries()).findLast(({ type }) => type === 'reply.interrupted');
    expect(cut).toMatchObject({ items: [{ itemId: 'long-item', receivedMs: 4_000, playedMs: 1_000 }] });
  });

  it('hears nothing more of that reply, however late its audio comes', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    const { session } = process.model;
    session.startsReply('long');
    session.sends('long', 'long-item', 500);
    await rig.clock.advance(300);
    session.callerStarts('turn1');
    const sent = line.sentMs;
    session.sends('long', 'long-item', 500);
    session.sends('long', 'another-item', 500);
    session.endsReply('long', 'long-item', 'All that was said.');
    await rig.clock.advance(1_000);
    expect(line.sentMs).toBe(sent);
    session.callerStops('turn1', 'Stop.');
    session.says('next', 'I have stopped.', 300);
    await rig.clock.advance(400);
    expect(line.sentMs).toBe(sent + 300);
  });

  it('is not talked over by a reply that begins while the caller speaks', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    const { session } = process.model;
    session.callerStarts('turn1');
    const sent = line.sentMs;
    session.startsReply('early');
    session.sends('early', 'early-item', 500);
    await rig.clock.advance(600);
    expect(line.sentMs).toBe(sent);
  });
});

describe('a reply without a line', () => {
  it.each([
    ['its stream was stopped', (line: { stops(): void }) => line.stops()],
    ['its stream was lost', (line: { drops(): void }) => line.drops()],
  ])('waits for the next one, where %s', async (_, end) => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    end(line as never);
    await rig.clock.advance(100);
    process.model.session.callerStops('turn1', 'Are you there?');
    process.model.session.says('answer', 'I am here.', 700);
    await rig.clock.advance(1_000);
    expect(line.sentMs).toBe(1_000);
    const next = await process.connect(await process.askNext());
    await rig.clock.advance(1_000);
    expect(next?.sentMs).toBe(700);
    expect((await process.entries()).findLast(({ type }) => type === 'reply.played')).toMatchObject({
      replyId: 'answer',
    });
  });

  it('waits as well where the carrier reports the stream as failed', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    const failed = { type: 'stream.failed', streamId: line.streamId, error: '31921' } as const;
    await process.desk.report(callSid(), { entry: failed }, 'failed');
    await rig.settle();
    expect(line.isClosed).toBe(true);
    process.model.session.says('answer', 'I am here.', 700);
    await rig.clock.advance(1_000);
    const next = await process.connect(await process.askNext());
    await rig.clock.advance(1_000);
    expect(next?.sentMs).toBe(700);
  });
});

describe('a line that brings nothing', () => {
  it('is noticed, and closed in the end', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    line.brings(20);
    await rig.clock.advance(2_000);
    expect(process.value()).toMatchObject({ live: { media: 'starved' } });
    line.brings(20);
    await rig.settle();
    expect(process.value()).toMatchObject({ live: { media: 'flowing' } });
    await rig.clock.advance(12_000);
    expect(line.isClosed).toBe(true);
  });
});

describe('memory', () => {
  it('is bounded while the model does not take what the caller says, and the loss is told once', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    const parts = process.assembly.live.get(callSid());
    process.model.next = 'isSilent';
    process.model.session.loses();
    line.brings(30_000);
    expect(parts?.bridge.quality().heldBytes ?? Number.NaN).toBeLessThan(200_000);
    await rig.clock.advance(400);
    process.model.session.opens();
    await rig.written();
    const refused = (await process.entries()).filter(({ type }) => type === 'input.refused');
    expect(refused).toMatchObject([{ peer: 'model', kind: 'overflow' }]);
  });

  it('is bounded while a reply waits for a line, and what does not fit is cut', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    line.drops();
    process.model.session.startsReply('flood');
    for (let index = 0; index < 100; index++) process.model.session.sends('flood', 'flood-item', 1_000);
    await rig.written();
    const refused = (await process.entries()).filter(({ type }) => type === 'input.refused');
    expect(refused).toMatchObject([{ peer: 'carrier', kind: 'overflow' }]);
    const next = await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(bytesOf(next?.sent ?? [])).toBeLessThanOrEqual(30_000 * bytesPerMs);
  });

  it('is cut where it waits too long for a line, and the model and the next session know at which word', async () => {
    const rig = new Rig();
    const process = rig.open('one', { settings: { starvedMs: 3_600_000 } });
    const { line } = await process.begin();
    const { session } = process.model;
    line.drops();
    session.startsReply('long');
    session.sends('long', 'long-item', 60_000);
    session.endsReply('long', 'long-item', 'One two three four');
    await process.connect(await process.askNext());
    await rig.clock.advance(29_000);
    expect(session.told.filter((told) => told.startsWith('truncate'))).toEqual([]);
    await rig.clock.advance(2_000);
    expect(session.told.at(-1)).toBe('truncate long-item 30000');
    session.loses();
    await rig.clock.advance(1_000);
    expect(process.model.session.request.history.at(-1)).toMatchObject({ role: 'agent', text: 'One two' });
  });
});
