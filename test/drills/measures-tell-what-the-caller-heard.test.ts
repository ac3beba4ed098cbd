/** What a drill says of a call follows from what the caller said and heard: each measure, where it bites and where not. */
import { describe, expect, it } from 'vitest';
import type { HeardFrame } from '../../scripts/drill/caller.ts';
import { framesPerWord, toolOf, utteranceNumber, wordsOf } from '../../scripts/drill/conversation.ts';
import type { Effect } from '../../scripts/drill/effects.ts';
import {
  disordered,
  flightMs,
  gapOf,
  longestRepetition,
  measure,
  saidTwice,
  silencesInReplies,
  toolsTwice,
  wordsLost,
  wordsSkipped,
} from '../../scripts/drill/measure.ts';
import {
  claimed,
  evidenceOf,
  heardReply,
  modelOpened,
  saidQuestion,
  streamStarted,
} from './support/evidence-of.ts';

const answer = heardReply(1, { from: 1_000 });
const lastFrame = wordsOf(1) * framesPerWord;
const later = (frames: readonly HeardFrame[], ms: number): HeardFrame[] =>
  frames.map((frame) => ({ ...frame, at: frame.at + ms }));

describe('a gap', () => {
  it('is none in a reply that is heard without a pause', () => {
    expect(silencesInReplies(answer)).toEqual([]);
    expect(gapOf(evidenceOf({ heard: answer }))).toBeNull();
  });

  it('is the silence between two frames of one reply', () => {
    const heard = [...answer.slice(0, 50), ...later(answer.slice(50), 730)];
    expect(gapOf(evidenceOf({ heard }))).toBe(730);
    const twice = [...heard.slice(0, 80), ...later(heard.slice(80), 100)];
    expect(gapOf(evidenceOf({ heard: twice })), 'the longest').toBe(730);
  });

  it('is not the pause between two replies, nor one in what is outside the order of turns', () => {
    const aside = heardReply(6, { from: 20_000 });
    const broken = [...aside.slice(0, 10), ...later(aside.slice(10), 500)];
    expect(
      gapOf(evidenceOf({ heard: [...answer, ...heardReply(2, { from: 9_000 }), ...broken] })),
    ).toBeNull();
  });

  it('of a reply goes on through what is said beside it', () => {
    const aside = heardReply(6, { from: 1_000 + 50 * 20 + 300 });
    const heard = [...answer.slice(0, 50), ...aside, ...later(answer.slice(50), 2_500)];
    expect(silencesInReplies(heard).map(({ ms }) => ms)).toEqual([300, 2_500 - 300 - aside.length * 20]);
  });

  it('is not the turn of a caller whom the agent has asked to repeat, nor any less where nobody asked', () => {
    const asks = heardReply(5, { from: 1_000 + 50 * 20 + 800 });
    const heard = [...answer.slice(0, 50), ...asks, ...later(answer, 9_000)];
    const beganAt = (asks.at(-1)?.at ?? 0) + 500;
    const again = { question: 1, repetition: 1, beganAt, endedAt: beganAt + 1_000 };
    expect(gapOf(evidenceOf({ heard, said: [{ ...again, why: 'asked' }] }))).toBe(800);
    expect(gapOf(evidenceOf({ heard, said: [{ ...again, why: 'unasked' }] }))).toBeGreaterThan(2_000);
  });

  it('outside a reply lasts until both sockets are ready', () => {
    const struck = [{ at: 10_000, what: 'process' as const, mutesStream: true }];
    const entries = [
      claimed(1, 0, 'one'),
      streamStarted(2, 900),
      modelOpened(3, 950),
      claimed(4, 10_700, 'two'),
      streamStarted(5, 10_701),
      modelOpened(6, 10_900),
    ];
    expect(gapOf(evidenceOf({ heard: answer, struck, entries }))).toBe(900);
    expect(gapOf(evidenceOf({ heard: answer, struck, entries: entries.slice(0, 5) }))).toBeNull();
  });

  it('of a stream alone does not wait for the session that was never gone', () => {
    const struck = [{ at: 10_000, what: 'stream' as const, mutesStream: true }];
    const entries = [
      claimed(1, 0, 'one'),
      modelOpened(2, 950),
      claimed(3, 10_800, 'one'),
      streamStarted(4, 10_820),
    ];
    expect(gapOf(evidenceOf({ heard: answer, struck, entries }))).toBe(820);
  });

  it('of a fault that nobody noticed is none', () => {
    const struck = [{ at: 2_000, what: 'model' as const, mutesStream: false }];
    expect(gapOf(evidenceOf({ heard: answer, struck, isDone: true }))).toBe(0);
  });
});

const twice = (heard: HeardFrame[]) => saidTwice(evidenceOf({ heard }));

describe('something said twice', () => {
  it('is a whole sentence', () => {
    expect(twice(answer)).toBe(0);
    expect(twice([...answer, ...answer])).toBe(2);
    expect(twice([...answer, ...answer.slice(lastFrame / 2)])).toBe(1);
  });

  it('is none where the caller had asked again between', () => {
    const heard = [...answer, ...heardReply(1, { from: 30_000 })];
    const asked = (beganAt: number, question = 1) =>
      ({ question, repetition: 1, why: 'unasked', beganAt, endedAt: beganAt + 1_000 }) as const;
    expect(saidTwice(evidenceOf({ heard, said: [asked(0), asked(20_000)] }))).toBe(0);
    expect(saidTwice(evidenceOf({ heard, said: [asked(0), asked(20_000, 2)] }))).toBe(2);
    expect(saidTwice(evidenceOf({ heard, said: [asked(0), asked(90_000)] }))).toBe(2);
  });

  it('is not a part of one, which is measured as a repetition', () => {
    const again = [...answer.slice(0, 120), ...answer.slice(61)];
    expect(twice(again)).toBe(0);
    expect(longestRepetition(evidenceOf({ heard: again }))).toBe((120 - 61) * 20);
    expect(longestRepetition(evidenceOf({ heard: answer }))).toBe(0);
  });

  it('is not a request to repeat, which may be needed twice', () => {
    expect(twice([...heardReply(5, { from: 0 }), ...heardReply(5, { from: 5_000 })])).toBe(0);
  });
});

it('words of the agent are skipped where a caller who came to the end never heard them', () => {
  const whole = [0, 1, 8, 3, 4].flatMap((reply) => heardReply(reply, { from: reply * 5_000 }));
  const skipped = (heard: HeardFrame[], isDone = true) => wordsSkipped(evidenceOf({ heard, isDone }));
  expect(skipped(whole)).toBe(0);
  expect(skipped(whole.filter(({ reply, segment }) => reply !== 1 || segment < 3 || segment > 5))).toBe(3);
  expect(skipped(whole.filter(({ reply, segment }) => reply !== 0 || segment < 6))).toBe(2);
  expect(skipped(answer, false), 'of a call that was cut').toBe(0);
});

describe('a word of the caller', () => {
  const saidFrames = saidQuestion(1, { from: 2_000 });
  const frames = saidFrames.map(({ utterance, frame }) => ({ utterance, frame }));
  const stream = [
    { event: 'streamStarted', at: 500, streamSid: 'MZ1' },
    { event: 'streamEnded', at: 2_600, streamSid: 'MZ1', end: { by: 'loss', code: 31903 } },
  ] as const;

  it('is lost when no session was given it while a stream was open', () => {
    const events = [stream[0]];
    expect(wordsLost(evidenceOf({ events, saidFrames, sessions: [frames] }))).toEqual([]);
    expect(
      wordsLost(evidenceOf({ events, saidFrames, sessions: [frames.slice(0, 10), frames.slice(12)] })),
    ).toEqual(saidFrames.slice(10, 12));
  });

  it('is not lost where no stream was open, or where it was on its way', () => {
    const sessions = [frames.slice(0, (600 - flightMs) / 20)];
    expect(wordsLost(evidenceOf({ events: stream, saidFrames, sessions }))).toEqual([]);
    expect(wordsLost(evidenceOf({ events: stream, saidFrames, sessions: [] }))).toHaveLength(25);
  });

  it('is not lost in a stream that only seems open', () => {
    const struck = [{ at: 2_000, what: 'stream' as const, mutesStream: true }];
    expect(wordsLost(evidenceOf({ events: [stream[0]], struck, saidFrames, sessions: [] }))).toEqual([]);
  });

  it('is not owed to a model that refused the call for good', () => {
    const struck = [{ at: 2_200, what: 'model' as const, mutesStream: false }];
    for (const endReason of ['model.refused', 'call.transferred']) {
      const refused = { events: [stream[0]], struck, saidFrames, sessions: [], endReason };
      expect(wordsLost(evidenceOf(refused))).toEqual(saidFrames.slice(0, 5));
    }
  });

  it('comes to a session once and in order', () => {
    expect(disordered(frames)).toBe(0);
    expect(disordered([...frames.slice(0, 9), ...frames.slice(7)])).toBe(2);
    const again = { utterance: utteranceNumber({ question: 1, repetition: 1 }), frame: 0 };
    expect(disordered([...frames, again])).toBe(0);
  });

  it('makes a lost turn where the line was open long before it was said again', () => {
    const said = [
      { question: 1, repetition: 0, why: 'turn', beganAt: 2_000, endedAt: 3_000 },
      { question: 1, repetition: 1, why: 'unasked', beganAt: 15_000, endedAt: 16_000 },
    ] as const;
    const back = { event: 'streamStarted', at: 9_000, streamSid: 'MZ2' } as const;
    expect(measure(evidenceOf({ events: [stream[0]], said })).turnsLost).toBe(1);
    expect(measure(evidenceOf({ events: [...stream, back], said })).turnsLost).toBe(0);
  });
});

describe('a tool', () => {
  const attempt = (caller: number, key: string, done: boolean): Effect => ({
    at: 0,
    tool: toolOf(caller),
    key,
    caller,
    question: 2,
    pid: 1,
    done,
  });

  it('that only reads may run twice', () => {
    expect(toolsTwice([attempt(0, 'a', true), attempt(0, 'b', true)])).toBe(0);
  });

  it('that is idempotent may run twice with one key', () => {
    expect(toolsTwice([attempt(1, 'a', true), attempt(1, 'a', true)])).toBe(0);
    expect(toolsTwice([attempt(1, 'a', true), attempt(1, 'b', true)])).toBe(1);
  });

  it.each([2, 3])('that may run once has run twice when it was done twice (caller %i)', (caller) => {
    expect(toolsTwice([attempt(caller, 'a', true), attempt(caller, 'a', false)])).toBe(0);
    expect(toolsTwice([attempt(caller, 'a', true), attempt(caller, 'a', true)])).toBe(1);
    expect(toolsTwice([attempt(caller, 'a', true), attempt(caller + 4, 'a', true)])).toBe(0);
  });
});
