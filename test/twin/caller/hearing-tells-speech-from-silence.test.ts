import { describe, expect, it } from 'vitest';
import { encodeMulaw } from '../../../src/media/mulaw.ts';
import { Hearing, isAudible } from '../../../src/twin/caller/hearing.ts';
import type { CallerEvent } from '../../../src/twin/caller/party.ts';

const toneOf = (amplitude: number): Uint8Array =>
  Uint8Array.from({ length: 160 }, (_, index) => encodeMulaw(Math.round(amplitude * Math.sin(index / 3))));

function listen(sounds: (Uint8Array | null)[]) {
  const events: CallerEvent[] = [];
  const hearing = new Hearing((event) => events.push(event));
  for (const [index, sound] of sounds.entries()) hearing.hear(index * 20, sound);
  return { events, hearing };
}

describe('an ear', () => {
  it('hears neither digital silence nor the hiss of a line', () => {
    for (const frame of [new Uint8Array(160).fill(0xff), new Uint8Array(160).fill(0x7f), toneOf(50)]) {
      expect(isAudible(frame)).toBe(false);
    }
    expect(isAudible(toneOf(400))).toBe(true);
  });

  it('takes short pauses for part of the speech', () => {
    const loud = Array(10).fill(toneOf(5_000));
    const { events } = listen([...loud, ...Array(15).fill(null), ...loud, ...Array(25).fill(null)]);
    expect(events).toEqual([
      { event: 'agentStarted', at: 0 },
      { event: 'agentStopped', at: 700 },
    ]);
  });

  it('separates speech by longer ones, and dates the end to where the sound ended', () => {
    const loud = Array(10).fill(toneOf(5_000));
    const { events } = listen([...loud, ...Array(20).fill(null), ...loud]);
    expect(events).toEqual([
      { event: 'agentStarted', at: 0 },
      { event: 'agentStopped', at: 200 },
      { event: 'agentStarted', at: 600 },
    ]);
  });

  it('counts the sound since it was told to forget', () => {
    const { hearing } = listen(Array(10).fill(toneOf(5_000)));
    expect([hearing.spokenMs, hearing.silentForMs(500)]).toEqual([200, 300]);
    hearing.forget();
    expect(hearing.spokenMs).toBe(0);
  });
});
