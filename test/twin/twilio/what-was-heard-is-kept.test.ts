import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Party } from '../../../src/twin/caller/party.ts';
import { silentFrame } from '../../../src/twin/caller/voice.ts';
import { AudioTrack } from '../../../src/twin/twilio/call/audio-track.ts';
import { PhoneLine } from '../../../src/twin/twilio/call/phone-line.ts';
import { Ticker } from '../../../src/twin/twilio/call/ticker.ts';
import { makeStereoWav } from '../../../src/twin/twilio/call/wav.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { makeRig, streamTwiml } from './support/rig.ts';

const joined = (track: AudioTrack): Buffer => Buffer.concat(track.stretches().map(({ bytes }) => bytes));

describe('a track', () => {
  it('joins what follows without a gap, and separates what does not', () => {
    const track = new AudioTrack(10_000);
    track.append(1_000, new Uint8Array(160).fill(1));
    track.append(1_020, new Uint8Array(160).fill(2), 80);
    track.append(1_040, new Uint8Array(160).fill(3));
    expect(track.stretches().map(({ at, bytes }) => [at, bytes.length])).toEqual([
      [1_000, 240],
      [1_040, 160],
    ]);
    expect([...joined(track)]).toEqual([...Array(160).fill(1), ...Array(80).fill(2), ...Array(160).fill(3)]);
  });

  it('renders the time between as silence, and cuts what lies outside', () => {
    const track = new AudioTrack(10_000);
    track.append(990, new Uint8Array(8).fill(1));
    track.append(1_001, new Uint8Array(8).fill(2));
    track.append(1_003, new Uint8Array(80).fill(3));
    expect([...track.render(1_000, 4)]).toEqual([
      ...Array(8).fill(0xff),
      ...Array(8).fill(2),
      ...Array(8).fill(0xff),
      ...Array(8).fill(3),
    ]);
  });

  it('keeps no more than it may', () => {
    const track = new AudioTrack(200);
    track.append(0, new Uint8Array(160));
    track.append(20, new Uint8Array(160));
    expect(joined(track)).toHaveLength(160);
  });

  it('gives back what it was given, however it was cut', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(pieces, (audio) => {
        const track = new AudioTrack(1_000_000);
        let at = 0;
        for (const piece of audio) {
          track.append(at, piece);
          at += piece.length / 8;
        }
        expect(joined(track)).toEqual(Buffer.concat(audio));
      }),
    );
  });
});

describe('a recording', () => {
  it('is a WAV file of mu-law with the caller on the left and the agent on the right', () => {
    const wav = makeStereoWav(new Uint8Array([1, 2]), new Uint8Array([3, 4]));
    expect(wav.subarray(0, 4).toString()).toBe('RIFF');
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
    expect(wav.subarray(8, 16).toString()).toBe('WAVEfmt ');
    expect([wav.readUInt16LE(20), wav.readUInt16LE(22), wav.readUInt32LE(24), wav.readUInt32LE(28)]).toEqual([
      7, 2, 8_000, 16_000,
    ]);
    expect([wav.readUInt16LE(32), wav.readUInt16LE(34), wav.readUInt32LE(46)]).toEqual([2, 8, 2]);
    expect(wav.subarray(50, 54).toString()).toBe('data');
    expect(wav.readUInt32LE(54)).toBe(4);
    expect([...wav.subarray(58)]).toEqual([1, 3, 2, 4]);
  });

  it('of a call holds both sides where they sounded', async () => {
    const rig = makeRig();
    rig.application.on('/voice', streamTwiml());
    const said = new Uint8Array(160).fill(0x21);
    const { call, stream } = await rig.placeUntilStreaming({
      script: [{ say: said, after: { delayMs: 1_000 } }],
    });
    await rig.clock.advance(1_500);
    stream.sendAudio(new Uint8Array(160).fill(0x22));
    await rig.clock.advance(100);
    call.hangUp();
    const frames = call.recording().subarray(58);
    const left = frames.filter((_, index) => index % 2 === 0);
    const right = frames.filter((_, index) => index % 2 === 1);
    expect([left.indexOf(0x21), left.lastIndexOf(0x21)]).toEqual([8_000, 8_159]);
    const heardAt = (call.heard()[0]?.at ?? 0) - (call.record.answeredAt ?? 0);
    expect(right.indexOf(0x22)).toBe(heardAt * 8);
    expect(call.said().map(({ at }) => at - (call.record.answeredAt ?? 0))).toEqual([1_000]);
  });

  it('of a call that was never answered is empty', async () => {
    const rig = makeRig();
    rig.application.on('/voice', '<Reject/>');
    const call = rig.place();
    await rig.untilEnded(call);
    expect(call.recording().length).toBe(58);
    expect([call.heard(), call.said()]).toEqual([[], []]);
  });

  it('is as long as the twin was told to keep', async () => {
    const rig = makeRig({ recordingLimitMs: 100 });
    rig.application.on('/voice', streamTwiml());
    const { call, stream } = await rig.placeUntilStreaming();
    stream.sendAudio(new Uint8Array(8_000).fill(1));
    await rig.clock.advance(2_000);
    expect(Buffer.concat(call.heard().map(({ bytes }) => bytes))).toHaveLength(800);
  });
});

describe('a phone line', () => {
  const quietParty = (heard: number[]): Party => ({
    join: () => undefined,
    speak: () => silentFrame,
    hear: (at) => heard.push(at),
  });

  it('makes up for ticks that came late, each frame with its own time', () => {
    const clock = new VirtualClock(0);
    const heard: number[] = [];
    const ticker = { add: () => undefined, remove: () => undefined } as unknown as Ticker;
    const line = new PhoneLine(
      clock,
      ticker,
      quietParty(heard),
      { press: () => undefined, hangUp: () => undefined },
      0,
    );
    line.tick(10);
    line.tick(95);
    line.tick(100);
    expect(heard).toEqual([20, 40, 60, 80, 100]);
  });

  it('asks the caller nothing after it was closed, even within a tick', () => {
    const clock = new VirtualClock(0);
    const heard: number[] = [];
    const ticker = { add: () => undefined, remove: () => undefined } as unknown as Ticker;
    let spoken = 0;
    const party: Party = {
      ...quietParty(heard),
      speak: () => {
        spoken += 1;
        if (spoken === 2) line.close();
        return silentFrame;
      },
    };
    const line = new PhoneLine(clock, ticker, party, { press: () => undefined, hangUp: () => undefined }, 0);
    line.tick(200);
    expect([spoken, heard]).toEqual([2, [20]]);
  });
});

describe('the ticker', () => {
  it('serves all lines with one timer, and sets none without a line', async () => {
    const clock = new VirtualClock();
    const ticker = new Ticker(clock);
    const ticks = [0, 0, 0];
    const members = ticks.map((_, index) => ({
      tick: () => {
        ticks[index] = (ticks[index] ?? 0) + 1;
      },
    }));
    for (const member of members) ticker.add(member);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1_000);
    expect(ticks).toEqual([50, 50, 50]);
    for (const member of members) ticker.remove(member);
    await clock.advance(20);
    expect(clock.pendingTimers).toBe(0);
    ticker.add(members[0] as { tick: () => void });
    await clock.advance(40);
    expect(ticks).toEqual([52, 50, 50]);
  });

  it('does not drift after a late tick', async () => {
    const clock = new VirtualClock();
    const latenesses = [0, 9, 0, 0];
    const ticks: number[] = [];
    const ticker = new Ticker({
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs + (latenesses.shift() ?? 0)),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    });
    ticker.add({ tick: (now) => ticks.push(now) });
    await clock.advance(80);
    expect(ticks).toEqual([20, 49, 60, 80]);
  });
});
