import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameBytes, silenceByte } from '../../src/media/mulaw.ts';
import { frameMs, type ListenerTiming, ListeningSession } from './support/listening-session.ts';
import { Rig } from './support/rig.ts';

/** A caller who speaks in numbered frames, and the sessions that hear of it, one after the other. */
class Call {
  readonly rig = new Rig({ ringMs: 60_000 });
  readonly spoken: number[] = [];
  /** What became words. A turn counts as answered from then on. */
  readonly understood: number[] = [];
  readonly #timing: ListenerTiming;
  #session: ListeningSession | null = null;

  constructor(timing: ListenerTiming) {
    this.#timing = timing;
    this.rig.attachLine();
    this.openSession();
  }

  speak(ms: number): void {
    for (let passed = 0; passed < ms; passed += frameMs) {
      const frame = 1 + (this.spoken.length % 250);
      this.spoken.push(frame);
      this.#pass(frame);
    }
  }

  pause(ms: number): void {
    for (let passed = 0; passed < ms; passed += frameMs) this.#pass(silenceByte);
  }

  /** The session is gone, and only its listener may not know yet: it is given audio as before. */
  halfOpen(): void {
    this.#session?.die();
  }

  loseSession(): void {
    this.#session?.die();
    this.#session = null;
    this.rig.bridge.detachEar();
  }

  /** Also where one serves: what that one still says is heard no more. */
  openSession(): void {
    const { bridge, clock } = this.rig;
    const ends = new Map<number, number>();
    this.#session?.die();
    this.#session = new ListeningSession(clock, this.#timing, {
      onStopped: (turn, audioEndMs) => ends.set(turn, bridge.callerPositionAt(audioEndMs)),
      onTranscribed: (turn, speech) => {
        this.understood.push(...speech);
        bridge.answeredUpTo(ends.get(turn) ?? 0);
      },
    });
    bridge.attachEar(this.#session);
  }

  /** A good session, and time to understand everything. */
  settle(): void {
    this.openSession();
    this.pause(this.#timing.silenceMs + this.#timing.latencyMs + this.#timing.transcriptMs + 100);
  }

  #pass(byte: number): void {
    this.rig.clock.advance(frameMs);
    this.rig.speak(Buffer.alloc(frameBytes, byte));
  }
}

const timing = { silenceMs: 500, latencyMs: 160, transcriptMs: 400 };

type Step = { name: string; take: (call: Call) => void };
const lasting = (name: string, mostMs: number, act: (call: Call, ms: number) => void) =>
  fc.integer({ min: 1, max: mostMs / frameMs }).map(
    (frames): Step => ({
      name: `${name} ${frames * frameMs}`,
      take: (call) => act(call, frames * frameMs),
    }),
  );
const step = fc.oneof(
  { weight: 4, arbitrary: lasting('speak', 1_500, (call, ms) => call.speak(ms)) },
  { weight: 4, arbitrary: lasting('pause', 1_500, (call, ms) => call.pause(ms)) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Step>(
      { name: 'half open', take: (call) => call.halfOpen() },
      { name: 'lose session', take: (call) => call.loseSession() },
      { name: 'open session', take: (call) => call.openSession() },
    ),
  },
);
const timings = fc.record({
  silenceMs: fc.constantFrom(200, 500),
  latencyMs: fc.constantFrom(0, 60, 160, 700),
  transcriptMs: fc.constantFrom(0, 400, 2_000),
});

describe('I8: across sessions that are lost, half open or replaced', () => {
  it('every word is understood once, in order', () => {
    fc.assert(
      fc.property(timings, fc.array(step, { maxLength: 30 }), (timed, steps) => {
        const call = new Call(timed);
        for (const { take } of steps) take(call);
        call.settle();
        expect(call.understood).toEqual(call.spoken);
      }),
      { numRuns: 300 },
    );
  });

  it('who speaks again before the word of the last turn has come is heard from the beginning', () => {
    const call = new Call(timing);
    call.speak(1_000);
    call.pause(500);
    call.speak(700);
    call.loseSession();
    call.speak(300);
    call.settle();
    expect(call.understood).toEqual(call.spoken);
  });

  it('a session that catches up with an earlier turn forgets nothing of the one that is being spoken', () => {
    const call = new Call(timing);
    call.speak(1_000);
    call.pause(500);
    call.halfOpen();
    call.pause(3_000);
    call.loseSession();
    call.speak(400);
    call.openSession();
    call.speak(700);
    call.loseSession();
    call.speak(300);
    call.settle();
    expect(call.understood).toEqual(call.spoken);
  });

  it.each([
    ['while the caller speaks', 0, 500],
    ['before the end of the turn is told', 520, 0],
    ['before the words are known', 800, 0],
    ['once the words are known', 1_200, 0],
  ])('a turn whose session is lost %s is understood once', (_when, afterMs, restMs) => {
    const call = new Call(timing);
    call.speak(1_000);
    call.pause(afterMs);
    call.loseSession();
    call.speak(restMs);
    call.pause(300);
    call.settle();
    expect(call.understood).toEqual(call.spoken);
  });

  it('a turn that begins and ends while nobody notices that the session is gone is understood once', () => {
    const call = new Call(timing);
    call.halfOpen();
    call.speak(2_000);
    call.pause(2_000);
    expect(call.understood).toEqual([]);
    call.loseSession();
    call.settle();
    expect(call.understood).toEqual(call.spoken);
  });
});
