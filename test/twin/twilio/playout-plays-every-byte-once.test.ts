import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Playout } from '../../../src/twin/twilio/stream/playout.ts';
import { makeRig, streamTwiml } from './support/rig.ts';

const tenMinutesBytes = 10 * 60 * 8_000;

/** A playout whose frames and echoes are kept, in the order in which they come. */
function makeRecorder() {
  const heard: number[] = [];
  const echoes: { name: string; heardBytes: number }[] = [];
  const playout = new Playout((name) => echoes.push({ name, heardBytes: heard.length }));
  const frame = new Uint8Array(160);
  const play = (): number => {
    const length = playout.play(frame);
    heard.push(...frame.subarray(0, length));
    return length;
  };
  return { playout, heard, echoes, frame, play };
}

interface Action {
  do: 'enqueue' | 'play' | 'mark' | 'clear';
  bytes: number;
}

/** What a playout must have played and echoed, worked out without a buffer. */
class PlayoutModel {
  readonly #recorder = makeRecorder();
  readonly #expected: number[] = [];
  readonly #marks: { name: string; dueBytes: number }[] = [];
  #counter = 0;

  take(action: Action): void {
    const { playout, play } = this.#recorder;
    if (action.do === 'enqueue') this.#enqueue(action.bytes);
    else if (action.do === 'mark') this.#mark();
    else if (action.do === 'clear') {
      playout.clear();
      this.#forgetUnheard();
    } else play();
  }

  check(): void {
    const { heard, echoes, play } = this.#recorder;
    while (play() > 0);
    expect(heard).toEqual(this.#expected);
    expect(echoes.map(({ name }) => name)).toEqual(this.#marks.map(({ name }) => name));
    for (const [index, { heardBytes }] of echoes.entries()) {
      const due = this.#marks[index]?.dueBytes ?? 0;
      expect(heardBytes).toBeGreaterThanOrEqual(due);
      expect(heardBytes).toBeLessThan(due + 160);
    }
  }

  #enqueue(bytes: number): void {
    const audio = Uint8Array.from({ length: bytes }, (_, index) => (this.#counter + index) & 0xff);
    this.#counter += bytes;
    this.#expected.push(...audio);
    this.#recorder.playout.enqueue(audio);
  }

  #mark(): void {
    const name = String(this.#marks.length);
    this.#marks.push({ name, dueBytes: this.#expected.length });
    this.#recorder.playout.mark(name);
  }

  #forgetUnheard(): void {
    const heardBytes = this.#recorder.heard.length;
    this.#expected.length = heardBytes;
    for (const mark of this.#marks) mark.dueBytes = Math.min(mark.dueBytes, heardBytes);
  }
}

describe('the playout buffer', () => {
  it('plays audio of any size in frames of 160 bytes, then silence', () => {
    const { playout, frame, play } = makeRecorder();
    playout.enqueue(new Uint8Array(200).fill(1));
    expect(play()).toBe(160);
    expect(play()).toBe(40);
    expect([...frame]).toEqual([...Array(40).fill(1), ...Array(120).fill(0xff)]);
    expect(play()).toBe(0);
    expect([...frame]).toEqual(Array(160).fill(0xff));
  });

  it('echoes a mark when the audio before it has sounded to its end, not when its last frame begins', () => {
    const { playout, echoes, play } = makeRecorder();
    playout.enqueue(new Uint8Array(160));
    playout.mark('after');
    play();
    expect(echoes).toEqual([]);
    playout.mark('also after');
    play();
    expect(echoes.map(({ name }) => name)).toEqual(['after', 'also after']);
  });

  it('echoes a mark at once when nothing is queued', () => {
    const { playout, echoes } = makeRecorder();
    playout.mark('now');
    expect(echoes).toEqual([{ name: 'now', heardBytes: 0 }]);
  });

  it('echoes pending marks in order on clear, and plays what comes after it', () => {
    const { playout, heard, echoes, play } = makeRecorder();
    playout.enqueue(new Uint8Array(480).fill(1));
    playout.mark('one');
    playout.enqueue(new Uint8Array(160).fill(1));
    playout.mark('two');
    play();
    expect(playout.clear()).toBe(480);
    expect(echoes.map(({ name }) => name)).toEqual(['one', 'two']);
    playout.enqueue(new Uint8Array(100).fill(2));
    play();
    expect(heard).toEqual([...Array(160).fill(1), ...Array(100).fill(2)]);
  });

  it('takes ten minutes and not a byte more', () => {
    const { playout, play } = makeRecorder();
    expect(playout.enqueue(new Uint8Array(tenMinutesBytes))).toBe(true);
    expect(playout.enqueue(new Uint8Array(1))).toBe(false);
    play();
    expect(playout.enqueue(new Uint8Array(160))).toBe(true);
    expect(playout.enqueue(new Uint8Array(1))).toBe(false);
  });

  it('keeps at most 10,000 marks', () => {
    const { playout } = makeRecorder();
    playout.enqueue(new Uint8Array(160));
    const taken = Array.from({ length: 10_001 }, (_, index) => playout.mark(String(index)));
    expect(taken.filter(Boolean)).toHaveLength(10_000);
  });

  it('plays every byte once and in order, marks after their last byte, nothing after a clear', () => {
    const action: fc.Arbitrary<Action> = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('enqueue'), bytes: fc.nat(900) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('play'), bytes: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('mark'), bytes: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('clear'), bytes: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
        const model = new PlayoutModel();
        for (const step of actions) model.take(step);
        model.check();
      }),
      { numRuns: 300 },
    );
  });
});

describe('what the caller hears of a stream', () => {
  it('begins within 20 ms of the message and lasts as long as its bytes', async () => {
    const rig = makeRig();
    rig.application.on('/voice', streamTwiml());
    const { call, stream } = await rig.placeUntilStreaming();
    await rig.clock.advance(1_005);
    const sentAt = rig.clock.now();
    stream.sendAudio(new Uint8Array(1_000).fill(0x10));
    stream.sendMark('played');
    await rig.clock.advance(1_000);
    const heard = call.heard();
    expect(heard).toHaveLength(1);
    expect([...(heard[0]?.bytes ?? [])]).toEqual(Array(1_000).fill(0x10));
    const startedAfterMs = (heard[0]?.at ?? 0) - sentAt;
    expect(startedAfterMs).toBeGreaterThan(0);
    expect(startedAfterMs).toBeLessThanOrEqual(21);
    const echoedAfterMs =
      (stream.times[stream.messages.findIndex(({ event }) => event === 'mark')] ?? 0) - startedAfterMs;
    const startOfCallMs = sentAt - call.record.createdAt;
    expect(echoedAfterMs - startOfCallMs).toBeGreaterThanOrEqual(125);
    expect(echoedAfterMs - startOfCallMs).toBeLessThanOrEqual(125 + 20 + 1);
  });

  it('stops within the frame that sounds when a clear arrives', async () => {
    const rig = makeRig();
    rig.application.on('/voice', streamTwiml());
    const { call, stream } = await rig.placeUntilStreaming();
    stream.sendAudio(new Uint8Array(16_000).fill(0x10));
    stream.sendMark('never played');
    await rig.clock.advance(500);
    stream.clear();
    stream.sendAudio(new Uint8Array(80).fill(0x11));
    await rig.clock.advance(500);
    const bytes = Buffer.concat(call.heard().map((stretch) => stretch.bytes));
    const oldBytes = bytes.indexOf(0x11);
    expect(oldBytes).toBeGreaterThanOrEqual(480 * 8);
    expect(oldBytes).toBeLessThanOrEqual(520 * 8);
    expect(bytes.length).toBe(oldBytes + 80);
    expect(stream.of('mark').map(({ mark }) => mark.name)).toEqual(['never played']);
    expect(call.events.filter(({ event }) => event === 'playoutCleared')).toEqual([
      { event: 'playoutCleared', at: expect.any(Number), discardedBytes: 16_000 - oldBytes },
    ]);
  });

  it('is at most ten minutes ahead: the rest is dropped with one warning', async () => {
    const rig = makeRig();
    rig.application.on('/voice', streamTwiml());
    const { call, stream } = await rig.placeUntilStreaming();
    for (let minute = 0; minute < 13; minute += 1) stream.sendAudio(new Uint8Array(480_000));
    await rig.clock.advance(10);
    expect(call.notices.map(({ code, level }) => [code, level])).toEqual([[31931, 'warning']]);
  });
});
