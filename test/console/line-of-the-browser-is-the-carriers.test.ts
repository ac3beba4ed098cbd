/** The sound of the browser's line, frame by frame, and its messages, are those of the carrier. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage } from '../../src/adapters/twilio/media-message.ts';
import { CarrierStream, newStreamSid } from '../../src/console/page/try/carrier-stream.ts';
import { Framer, frameBytes } from '../../src/console/page/try/framing.ts';
import { decode, encode } from '../../src/console/page/try/mulaw.ts';
import { PlayOut } from '../../src/console/page/try/play-out.ts';
import { decodeMulaw, encodeMulaw } from '../../src/media/mulaw.ts';

const callId = `CA${'b0'.repeat(16)}`;

describe('the sound of the line', () => {
  it('is coded as the server codes it', () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(Math.round(decode(byte) * 0x8000) + 0).toBe(decodeMulaw(byte));
      expect(decodeMulaw(encode(decodeMulaw(byte) / 0x7fff))).toBe(decodeMulaw(byte));
    }
    fc.assert(
      fc.property(fc.integer({ min: -32_767, max: 32_767 }), (sample) => {
        expect(encode(sample / 0x7fff)).toBe(encodeMulaw(sample));
      }),
    );
  });

  it('comes in frames of 20 ms, at whatever rate the browser records', () => {
    for (const rate of [8_000, 16_000, 44_100, 48_000]) {
      const framer = new Framer(rate);
      const second = Float32Array.from(
        { length: rate },
        (_, index) => 0.5 * Math.sin((2 * Math.PI * 300 * index) / rate),
      );
      const frames: Uint8Array[] = [];
      for (let from = 0; from < rate; from += 128)
        frames.push(...framer.take(second.subarray(from, from + 128)));
      expect(frames.length, String(rate)).toBeGreaterThanOrEqual(49);
      expect(frames.length, String(rate)).toBeLessThanOrEqual(50);
      const samples = frames.flatMap((frame) => [...frame].map(decode));
      const crossings = samples.filter(
        (sample, index) => sample >= 0 && (samples[index - 1] ?? 0) < 0,
      ).length;
      expect(crossings, String(rate)).toBeGreaterThanOrEqual(293);
      expect(crossings, String(rate)).toBeLessThanOrEqual(301);
      expect(Math.max(...samples)).toBeCloseTo(0.5, 1);
    }
  });

  it('is played in order; a mark is told once what is before it was played or thrown away, and never before', () => {
    const count = (name: 'add' | 'play', max: number) => fc.nat(max).map((samples) => ({ name, samples }));
    const once = (name: 'mark' | 'clear') => fc.constant({ name, samples: 0 });
    const orders = fc.array(fc.oneof(count('add', 40), once('mark'), once('clear'), count('play', 60)), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(orders, (given) => {
        const line = new ModelLine();
        for (const { name, samples } of given) {
          line[name](samples);
          line.compare();
        }
      }),
    );
  });
});

/** A line that only counts, beside the real one. */
class ModelLine {
  readonly #told: string[] = [];
  readonly #real = new PlayOut((name) => this.#told.push(name));
  readonly #marks: { name: string; at: number }[] = [];
  #added = 0;
  #played = 0;

  add(samples: number): void {
    this.#real.add(new Uint8Array(samples).fill(0x10));
    this.#added += samples;
  }

  mark(): void {
    const name = String(this.#marks.length);
    this.#marks.push({ name, at: this.#added });
    this.#real.mark(name);
  }

  clear(): void {
    this.#real.clear();
    this.#played = this.#added;
  }

  play(samples: number): void {
    for (let sample = 0; sample < samples; sample++) {
      const isLeft = this.#played < this.#added;
      expect(this.#real.next() !== 0).toBe(isLeft);
      if (isLeft) this.#played++;
    }
  }

  compare(): void {
    const due = this.#marks.filter(({ at }) => at <= this.#played);
    expect(this.#told).toEqual(due.map(({ name }) => name));
    expect(this.#real.queuedSamples).toBe(this.#added - this.#played);
  }
}

describe('a stream', () => {
  const open = () => {
    const sent: string[] = [];
    const orders: unknown[] = [];
    const socket = {
      readyState: 1,
      send: (text: string) => void sent.push(text),
      close: (code?: number) => void sent.push(`close ${code}`),
    };
    const streamSid = newStreamSid();
    const stream = new CarrierStream(socket, {
      callSid: callId,
      streamSid,
      token: 't',
      speaker: (order) => void orders.push(order),
    });
    return { stream, socket, sent, orders };
  };

  it('says only what the carrier would', () => {
    const { stream, sent } = open();
    stream.sendFrame(new Uint8Array(frameBytes).fill(0xff));
    stream.sendMark('m');
    stream.sendDigit('#');
    stream.stop();
    expect(sent.pop()).toBe('close 1000');
    expect(sent.map((text) => (readMessage(text) as { event?: string }).event)).toEqual([
      'connected',
      'start',
      'media',
      'mark',
      'dtmf',
      'stop',
    ]);
  });

  it('says nothing more once its socket closes', () => {
    const { stream, socket, sent } = open();
    stream.sendFrame(new Uint8Array(frameBytes).fill(0xff));
    const before = sent.length;
    socket.readyState = 2;
    stream.sendFrame(new Uint8Array(frameBytes).fill(0xff));
    stream.sendMark('m');
    expect(sent).toHaveLength(before);
  });

  it('passes over whatever is no message', () => {
    const { stream, orders } = open();
    fc.assert(fc.property(fc.string(), (text) => stream.take(text)));
    for (const value of [null, 1, [], { event: 'media' }, { event: 'mark', mark: null }])
      stream.take(JSON.stringify(value));
    expect(orders).toEqual([]);
    stream.take('{"event":"media","media":{"payload":"/w=="}}');
    expect(orders).toEqual([{ do: 'play', bytes: Uint8Array.of(0xff) }]);
  });
});
