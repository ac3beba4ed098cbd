import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backlog } from '../../../src/adapters/twilio/backlog.ts';
import { edgeEvents } from '../../../src/adapters/twilio/tally.ts';
import { connected, dtmf, mark, media, start, stop, streamSid } from './stream-messages.ts';
import { StreamStage } from './stream-stage.ts';

/** What a peer does next: sends something, waits, hangs up; what the desk or the call does next. */
type Move =
  | { do: 'send'; data: string | Uint8Array }
  | { do: 'wait'; ms: number }
  | { do: 'pong' }
  | { do: 'hangUp'; code: number }
  | { do: 'admit' }
  | { do: 'refuse' }
  | { do: 'closeLine' }
  | { do: 'speak' };

const chunk = fc.nat({ max: 50 });
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.constantFrom(connected(), start(), start({}), stop(3), stop(9), '{"event":"media"}', '{"event":"mark"}'),
  chunk.map((number) => media(number)),
  chunk.map((number) => media(number, 'not base64!')),
  chunk.map((number) => media(number).slice(0, 40 + number)),
  chunk.map((number) => media(number).replace(streamSid, `MZ${'0'.repeat(32)}`)),
  chunk.map((number) => mark('never sent', number)),
  chunk.map((number) => dtmf('1', number)),
);
const moves = fc.array(
  fc.oneof<fc.WeightedArbitrary<Move>[]>(
    { weight: 8, arbitrary: text.map((data): Move => ({ do: 'send', data })) },
    { weight: 1, arbitrary: fc.uint8Array().map((data): Move => ({ do: 'send', data })) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 12_000 }).map((ms): Move => ({ do: 'wait', ms })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(1_000, 1_005, 1_006, 1_009).map((code): Move => ({ do: 'hangUp', code })),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Move>(
        { do: 'pong' },
        { do: 'admit' },
        { do: 'refuse' },
        { do: 'closeLine' },
        { do: 'speak' },
      ),
    },
  ),
  { maxLength: 40, size: 'max' },
);

/** A stranger, one that says who it is, one that is let in: most of what comes to them by chance alone ends before. */
const beginnings = fc.constantFrom<Move[]>(
  [],
  [{ do: 'send', data: start() }],
  [{ do: 'send', data: start() }, { do: 'admit' }],
);

class HostileStage extends StreamStage {
  readonly #admission = Promise.withResolvers<typeof this.listener | null>();
  isOver = false;

  constructor() {
    super();
    this.desk.admit = () => this.#admission.promise;
    this.socket.onTerminated = () => this.#end(1_006);
  }

  #end(code: number): void {
    if (this.isOver) return;
    this.isOver = true;
    this.stream.onClosed({ code, reason: '' });
  }

  async make(move: Move): Promise<void> {
    if (move.do === 'send') this.stream.receive(move.data);
    if (move.do === 'pong' && !this.isOver) this.stream.onPong();
    if (move.do === 'hangUp') this.#end(move.code);
    if (move.do === 'admit') this.#admission.resolve(this.listener);
    if (move.do === 'refuse') this.#admission.resolve(null);
    if (move.do === 'closeLine') this.desk.starts[0]?.line.close();
    if (move.do === 'speak') this.desk.starts[0]?.line.sendAudio(Buffer.alloc(160));
    await this.clock.advance(move.do === 'wait' ? move.ms : 0);
  }
}

describe('a stream of any peer', () => {
  it('ends in one stream.closed at most, signals nothing after it and leaves nothing behind', async () => {
    let talkative = 0;
    await fc.assert(
      fc.asyncProperty(beginnings, moves, async (beginning, story) => {
        const stage = new HostileStage();
        for (const move of [...beginning, ...story]) await stage.make(move);
        await stage.make({ do: 'hangUp', code: 1_006 });
        await stage.make({ do: 'refuse' });
        const order = stage.listener.order;
        if (order.length > 2) talkative += 1;
        const ends = order.filter((type) => type === 'stream.closed');
        expect(ends).toHaveLength(order.length === 0 ? 0 : 1);
        if (order.length > 0) expect(order.at(-1)).toBe('stream.closed');
        expect(stage.errors).toEqual([]);
        expect(stage.socket.closes.length).toBeLessThanOrEqual(1);
        expect(stage.clock.pendingTimers).toBe(0);
        const refusals = stage.listener.entries.filter(({ type }) => type === 'input.refused');
        expect(new Set(refusals.map((entry) => JSON.stringify(entry))).size).toBe(refusals.length);
      }),
      { numRuns: 1_000 },
    );
    expect(talkative).toBeGreaterThan(200);
  });

  it('is handed on by nobody before the desk has admitted it', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (story) => {
        const stage = new HostileStage();
        for (const move of story) await stage.make(move.do === 'admit' ? { do: 'refuse' } : move);
        expect(stage.listener.handed).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('does not grow what is kept of it, whatever the sizes of its messages', () => {
    const memory = new Uint8Array(500_000);
    const frameOf = (sequence: number, audio: Uint8Array) =>
      ({ event: 'media', sequence, streamId: streamSid, timestampMs: 0, audio }) as const;
    const sizes = fc.array(
      fc.oneof(fc.constant(160), fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 1, max: 500_000 })),
      { maxLength: 600, size: 'max' },
    );
    fc.assert(
      fc.property(sizes, (lengths) => {
        const backlog = new Backlog();
        let dropped = 0;
        for (const [index, length] of lengths.entries()) {
          dropped += backlog.push(frameOf(index, memory.subarray(0, length)));
        }
        const kept = backlog.takeAll();
        const audioBytes = kept.reduce((sum, one) => sum + (one.event === 'media' ? one.audio.length : 0), 0);
        expect(kept.length).toBeLessThanOrEqual(250);
        expect(audioBytes).toBeLessThanOrEqual(384 * 1_024);
        expect(kept.length + dropped).toBe(lengths.length);
        expect(kept.map(({ sequence }) => sequence)).toEqual(
          lengths.map((_, index) => index).slice(lengths.length - kept.length),
        );
        expect(backlog.takeAll()).toEqual([]);
        expect(backlog.push(frameOf(0, memory.subarray(0, 384 * 1_024)))).toBe(0);
      }),
    );
  });

  it('counts under names of the table only', async () => {
    const stage = new StreamStage();
    await stage.play(connected(), start(), 'garbage', media(1), media(9));
    const counted = edgeEvents.filter((event) => stage.tally.countOf(event) > 0);
    expect(counted).toEqual(['message.json', 'message.sequence']);
  });
});
