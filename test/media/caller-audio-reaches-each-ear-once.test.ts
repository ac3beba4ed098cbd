import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placedAudio, RecordingEar, Rig } from './support/rig.ts';

/** A frame waits for the next one. */
const pairBytes = 320;

/** A bridge and its ears beside the positions that each ear should have got. */
class Listening {
  readonly rig: Rig;
  readonly #ringBytes: number;
  #spoken = 0;
  #answered = 0;
  /** What the attached ear should get next, and what it should have got. */
  #next = 0;
  #ear: RecordingEar | null = null;
  #expected: Buffer[] = [];
  #lostBytes = 0;

  constructor(ringMs: number) {
    this.rig = new Rig({ ringMs });
    this.#ringBytes = ringMs * 8;
    this.rig.attachLine();
  }

  speak(bytes: number): void {
    this.rig.speak(placedAudio(this.#spoken, bytes));
    this.#spoken += bytes;
    this.#lose();
    if (this.#spoken - this.#next >= pairBytes) this.#deliver();
  }

  /** The line has gathered frames by itself. */
  gather(): void {
    this.rig.bridge.callerAudioGathered();
    this.#deliver();
  }

  /** The stream is gone, and another one comes. */
  changeLine(): void {
    this.rig.attachLine();
    this.#deliver();
  }

  attachEar(): void {
    this.#checkEar();
    this.#ear = new RecordingEar();
    this.#expected = [];
    this.#next = Math.max(this.#answered, this.#spoken - this.#ringBytes);
    this.rig.bridge.attachEar(this.#ear);
    this.#deliver();
  }

  detachEar(): void {
    this.#checkEar();
    this.#ear = null;
    this.rig.bridge.detachEar();
  }

  stallEar(isStalled: boolean): void {
    if (this.#ear !== null) this.#ear.isStalled = isStalled;
  }

  answer(share: number): void {
    const position = Math.floor(this.#spoken * share);
    this.rig.bridge.answeredUpTo(position);
    this.#answered = Math.max(this.#answered, position);
    this.#next = Math.max(this.#next, position);
  }

  check(): void {
    this.#checkEar();
    expect(this.rig.bridge.callerPosition).toBe(this.#spoken);
    expect(this.rig.bridge.quality().lostCallerBytes).toBe(this.#lostBytes);
  }

  get #hears(): boolean {
    return this.#ear !== null && !this.#ear.isStalled;
  }

  #lose(): void {
    const oldest = this.#spoken - this.#ringBytes;
    this.#lostBytes += Math.max(0, oldest - this.#next);
    this.#next = Math.max(this.#next, oldest);
  }

  #deliver(): void {
    if (!this.#hears) return;
    this.#expected.push(placedAudio(this.#next, this.#spoken - this.#next));
    this.#next = this.#spoken;
  }

  #checkEar(): void {
    if (this.#ear !== null) expect(this.#ear.audio.equals(Buffer.concat(this.#expected))).toBe(true);
  }
}

type Step = (listening: Listening) => void;

const frame = fc.oneof(fc.constant(160), fc.integer({ min: 0, max: 6_000 })).map(
  (bytes): Step =>
    (listening) =>
      listening.speak(bytes),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: frame },
  { weight: 2, arbitrary: fc.constant<Step>((listening) => listening.attachEar()) },
  { weight: 1, arbitrary: fc.constant<Step>((listening) => listening.detachEar()) },
  { weight: 1, arbitrary: fc.constant<Step>((listening) => listening.changeLine()) },
  { weight: 2, arbitrary: fc.constant<Step>((listening) => listening.gather()) },
  {
    weight: 1,
    arbitrary: fc.boolean().map(
      (is): Step =>
        (listening) =>
          listening.stallEar(is),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map(
      (share): Step =>
        (l) =>
          l.answer(share),
    ),
  },
);

test('I8: over any sequence of ears, each gets the unanswered audio within the bound once, in order, then live', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 2_500 }), fc.array(step, { maxLength: 60 }), (ringMs, steps) => {
      const listening = new Listening(ringMs);
      for (const take of steps) take(listening);
      listening.check();
    }),
    { numRuns: 500 },
  );
});

function spoken(bytes: number, ringMs = 10_000): Rig {
  const rig = new Rig({ ringMs });
  rig.attachLine();
  for (let place = 0; place < bytes; place += 160) rig.speak(placedAudio(place, 160));
  return rig;
}

test('live frames are passed on in pairs, and a longer one at once', () => {
  const rig = spoken(0);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  const speak = (place: number, bytes: number): void => rig.bridge.callerAudio(placedAudio(place, bytes), 0);
  speak(0, 160);
  expect(ear.pieces).toEqual([]);
  speak(160, 160);
  const pair = placedAudio(0, pairBytes);
  expect(ear.pieces).toEqual([pair]);
  speak(320, 800);
  expect(ear.pieces).toEqual([pair, placedAudio(320, 800)]);
});

test('a frame waits for none where its line has gathered frames already, so that it waits once', () => {
  const rig = spoken(0);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  const hear = (...places: number[]): void => {
    for (const place of places) rig.speak(placedAudio(place, 160));
    rig.bridge.callerAudioGathered();
  };
  hear(0);
  hear(160, 320);
  hear(480, 640, 800);
  expect(ear.pieces.map((piece) => piece.length)).toEqual([160, 320, 320, 160]);
  expect(ear.audio).toEqual(placedAudio(0, 960));
});

test('a pair is one piece wherever it lies', () => {
  const rig = spoken(0);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  const frames = 61;
  rig.speak(placedAudio(0, 160));
  rig.bridge.callerAudioGathered();
  for (let count = 1; count < frames; count++) rig.speak(placedAudio(count * 160, 160));
  expect(ear.pieces.map((piece) => piece.length)).toEqual([160, ...Array(30).fill(pairBytes)]);
  expect(ear.audio).toEqual(placedAudio(0, frames * 160));
});

test('a frame that waits for the next one goes when the line does', () => {
  const rig = spoken(0);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  rig.speak(placedAudio(0, 160));
  expect(ear.audio).toHaveLength(0);
  rig.bridge.detachLine();
  expect(ear.audio).toEqual(placedAudio(0, 160));
});

test('a new ear gets what nobody answered, in pieces of at most a second', () => {
  const rig = spoken(40_000);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  expect(ear.audio).toEqual(placedAudio(0, 40_000));
  expect(Math.max(...ear.pieces.map((piece) => piece.length))).toBeLessThanOrEqual(8_000);
});

test('a new ear after a half-open one gets again what was delivered and never answered', () => {
  const rig = spoken(1_600);
  const swallowing = new RecordingEar();
  rig.bridge.attachEar(swallowing);
  rig.bridge.answeredUpTo(800);
  rig.speak(placedAudio(1_600, 320));
  expect(swallowing.audio).toEqual(placedAudio(0, 1_920));
  const next = new RecordingEar();
  rig.bridge.attachEar(next);
  expect(next.audio).toEqual(placedAudio(800, 1_120));
});

test('a turn may be answered while newer audio has arrived, and the ear that has it gets nothing twice', () => {
  const rig = spoken(1_600);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  rig.bridge.answeredUpTo(rig.bridge.callerPosition + 100_000);
  rig.speak(placedAudio(1_600, 320));
  expect(ear.audio).toEqual(placedAudio(0, 1_920));
});

test('an ear that takes over gets what is not answered, then all that comes; the one before it gets nothing more', () => {
  const rig = spoken(3_200);
  const before = new RecordingEar();
  rig.bridge.attachEar(before);
  rig.bridge.answeredUpTo(rig.bridge.callerPositionAt(200));
  const after = new RecordingEar();
  rig.bridge.attachEar(after);
  expect(rig.bridge.callerPositionAt(100)).toBe(1_600 + 800);
  rig.speak(placedAudio(3_200, 320));
  expect(before.audio).toEqual(placedAudio(0, 3_200));
  expect(after.audio).toEqual(placedAudio(1_600, 1_920));
  expect(rig.bridge.callerPositionAt(240)).toBe(3_520);
});

test('an ear that is attached already is given nothing twice', () => {
  const rig = spoken(1_600);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  rig.bridge.answeredUpTo(800);
  rig.bridge.attachEar(ear);
  rig.speak(placedAudio(1_600, 320));
  expect(ear.audio).toEqual(placedAudio(0, 1_920));
  expect(rig.bridge.callerPositionAt(240)).toBe(1_920);
});

test('no count of an ear reaches beyond what it was given, nor between two bytes', () => {
  const rig = spoken(0);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  rig.speak(placedAudio(0, 1_600));
  ear.isStalled = true;
  rig.speak(placedAudio(1_600, 1_600));
  expect(rig.bridge.callerPositionAt(300)).toBe(1_600);
  expect(rig.bridge.callerPositionAt(Number.MAX_VALUE)).toBe(1_600);
  expect(rig.bridge.callerPositionAt(100.07)).toBe(800);
  for (const senseless of [Number.NaN, -1e9]) rig.bridge.answeredUpTo(rig.bridge.callerPositionAt(senseless));
  ear.isStalled = false;
  rig.speak(placedAudio(3_200, 160));
  expect(ear.audio).toEqual(placedAudio(0, 3_360));
});

test("an ear's own count of milliseconds names the caller's position", () => {
  const rig = spoken(16_000);
  rig.bridge.answeredUpTo(4_000);
  rig.bridge.attachEar(new RecordingEar());
  expect(rig.bridge.callerPositionAt(1_000)).toBe(12_000);
  expect(rig.bridge.callerPositionAt(9_000)).toBe(16_000);
});

test("an ear's count skips what it lost while it took nothing", () => {
  const rig = spoken(0, 1_000);
  const ear = new RecordingEar();
  rig.bridge.attachEar(ear);
  rig.speak(placedAudio(0, 800));
  ear.isStalled = true;
  for (let place = 800; place < 10_400; place += 160) rig.speak(placedAudio(place, 160));
  ear.isStalled = false;
  rig.speak(placedAudio(10_400, 160));
  expect(ear.audio.subarray(800)).toEqual(placedAudio(2_560, 8_000));
  expect(rig.bridge.callerPositionAt(ear.audio.length / 8)).toBe(10_560);
});

test('an overflow is told once until an ear has caught up', () => {
  const rig = spoken(16_000, 1_000);
  expect(rig.toldOf('overflow')).toEqual([{ told: 'overflow', kind: 'caller' }]);
  rig.bridge.attachEar(new RecordingEar());
  rig.bridge.detachEar();
  for (let count = 0; count < 100; count++) rig.speak(Buffer.alloc(160));
  expect(rig.toldOf('overflow')).toHaveLength(2);
  expect(rig.bridge.quality()).toMatchObject({ callerOverflows: 2, lostCallerBytes: 16_000 });
});

test('audio that an ear has taken falls out of the ring without being lost', () => {
  const rig = spoken(0, 1_000);
  rig.bridge.attachEar(new RecordingEar());
  for (let count = 0; count < 500; count++) rig.speak(Buffer.alloc(160));
  expect(rig.told).toEqual([]);
  expect(rig.bridge.quality().lostCallerBytes).toBe(0);
});

test('audio without a line belongs to no one', () => {
  const rig = new Rig();
  rig.bridge.callerAudio(placedAudio(0, 160), 0);
  expect(rig.bridge.callerPosition).toBe(0);
});
