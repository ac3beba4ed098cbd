/** The caller, the model and the sound between them: a drill sees what was said, by whom, and from which memory. */
import { describe, expect, it } from 'vitest';
import { drillBrain } from '../../scripts/drill/brain.ts';
import { DrillCaller } from '../../scripts/drill/caller.ts';
import {
  questionIn,
  questionText,
  renderQuestion,
  replies,
  toolOf,
  wordMs,
  wordsOf,
  wordText,
} from '../../scripts/drill/conversation.ts';
import { StampReader } from '../../scripts/drill/stamps.ts';
import { silentFrame } from '../../src/twin/caller/voice.ts';
import type { BrainItem } from '../../src/twin/openai/brain.ts';
import { renderSegment } from '../../src/twin/openai/segments.ts';

const framesOf = (sound: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.ceil(sound.length / 160) }, (_, index) =>
    sound.subarray(index * 160, index * 160 + 160),
  );

const soundOf = (reply: number, from = 0): Uint8Array =>
  Buffer.concat(
    Array.from({ length: wordsOf(reply) - from }, (_, index) =>
      renderSegment({ reply, segment: from + index, lengthMs: wordMs }, { type: 'audio/pcmu' }),
    ),
  );

describe('stamps', () => {
  it.each([0, 1, 80, 159])('are read once each, %i bytes off the frames of the line', (offset) => {
    const reader = new StampReader();
    const sound = Buffer.concat([Buffer.alloc(offset, 0xff), soundOf(3), Buffer.alloc(160, 0xff)]);
    const read = framesOf(sound).flatMap((frame) => reader.read(frame));
    expect(read.map(({ segment, frame }) => segment * 10 + frame)).toEqual(
      Array.from({ length: 80 }, (_, index) => index),
    );
  });

  it('are read again when the same words are said again after a silence', () => {
    const reader = new StampReader();
    const [first] = framesOf(soundOf(3));
    expect(reader.read(first ?? null)).toHaveLength(1);
    expect(reader.read(null)).toEqual([]);
    expect(reader.read(first ?? null)).toHaveLength(1);
  });
});

/** Plays a caller against a model that answers from a script: which replies it hears, one after the other. */
function play(heard: readonly (number | Uint8Array)[], untilMs: number, plan: { patienceMs?: number } = {}) {
  const caller = new DrillCaller({ caller: 7, ...plan });
  const controls = { press: () => undefined, hangUp: () => undefined };
  const waiting = heard.map((reply) => framesOf(typeof reply === 'number' ? soundOf(reply) : reply));
  let playing: Uint8Array[] = waiting.shift() ?? [];
  caller.join(0, controls);
  for (let at = 20; at <= untilMs; at += 20) {
    const wasSpeaking = caller.saidFrames.length;
    caller.speak(at);
    const isSpeaking = caller.saidFrames.length > wasSpeaking;
    if (playing.length === 0 && isSpeaking && caller.saidFrames.length % 50 === 0)
      playing = waiting.shift() ?? [];
    caller.hear(at, playing.shift() ?? null);
  }
  return caller;
}

describe('the caller', () => {
  it('asks one question after the other, each after the whole answer to the one before', () => {
    const caller = play([replies.greeting, 1, replies.unknownOutcome, 3, replies.goodbye], 40_000);
    expect(caller.said.map(({ question, why }) => [question, why])).toEqual([
      [1, 'turn'],
      [2, 'turn'],
      [3, 'turn'],
      [4, 'turn'],
    ]);
    expect(caller.isDone).toBe(true);
    expect(caller.hungUp).toBeNull();
  });

  it('says it again when asked to, and when nobody answers; then it loses patience', () => {
    const asked = play([replies.greeting, replies.repeat, 1], 12_000);
    expect(asked.said.map(({ question, repetition, why }) => [question, repetition, why])).toEqual([
      [1, 0, 'turn'],
      [1, 1, 'asked'],
      [2, 0, 'turn'],
    ]);
    const unheard = play([replies.greeting], 60_000);
    expect(unheard.said.map(({ why }) => why)).toEqual(['turn', 'unasked', 'unasked', 'unasked']);
    expect(unheard.hungUp).toBe('patience');
  });

  it('waits as long as its plan says', () => {
    expect(play([replies.greeting], 60_000, { patienceMs: 70_000 }).hungUp).toBeNull();
  });

  it('does not wait for ever for the end of a greeting', () => {
    expect(play([], 20_000).said.map(({ question, why }) => [question, why])).toEqual([[1, 'turn']]);
  });

  it('waits for the last word of an answer', () => {
    const caller = play([replies.greeting, 2], 10_000);
    expect(
      caller.said.map(({ question }) => question),
      'the answer to another question',
    ).toEqual([1]);
    const half = play([replies.greeting, soundOf(1).subarray(0, 12_000)], 10_000);
    expect(
      half.said.map(({ question }) => question),
      'half of the answer',
    ).toEqual([1]);
  });
});

describe('the model', () => {
  const caller = (question: number): BrainItem => ({
    kind: 'caller',
    text: questionText(7, question),
    isSilence: false,
  });
  const said = (reply: number, words = wordsOf(reply)): BrainItem => ({
    kind: 'agent',
    text: Array.from({ length: words }, (_, word) => wordText(reply, word)).join(''),
  });
  const ask = (items: BrainItem[], instructions: string | null = null) =>
    drillBrain.reply({ reason: 'request', items, instructions });
  const goOn = 'Go on from exactly there.';
  const tool: BrainItem = { kind: 'call', callId: 'c', name: toolOf(7), arguments: '{}' };
  const result = (output: string): BrainItem => ({ kind: 'result', callId: 'c', output });
  const done = `Done for ${questionText(7, 2)}.`;

  it('understands a turn by its sound, of which a part is enough', () => {
    const sound = renderQuestion(7, { question: 3, repetition: 1 });
    const transcribe = (audio: Uint8Array) =>
      drillBrain.transcribe({ items: [], isSilence: false, durationMs: 0, audio: () => audio }).text;
    expect(questionIn(transcribe(sound))).toEqual({ caller: 7, question: 3 });
    expect(questionIn(transcribe(sound.subarray(4_000, 5_000)))).toEqual({ caller: 7, question: 3 });
    expect(transcribe(new Uint8Array(800))).toBe('unclear');
  });

  it('answers a question only with the memory of what came before it', () => {
    expect(ask([said(0), caller(1)]).reply).toBe(1);
    const before = [said(0), caller(1), said(1), caller(2), tool, result(done), said(2)];
    expect(ask([...before, caller(3)]).reply).toBe(3);
    expect(ask([...before.filter((item) => item !== before[2]), caller(3)]).reply).toBe(replies.forgot);
    const withoutTool = before.filter(({ kind }) => kind !== 'call' && kind !== 'result');
    expect(ask([...withoutTool, caller(3)]).reply).toBe(replies.forgot);
  });

  it('uses the tool once, and tells what became of it', () => {
    const asked = [said(0), caller(1), said(1), caller(2)];
    expect(ask(asked)).toMatchObject({ segments: [], calls: [{ name: toolOf(7) }] });
    expect(ask([...asked, tool, result(done)])).toMatchObject({ reply: 2, calls: [] });
    expect(ask([...asked, tool, result('The outcome is unknown.')]).reply).toBe(replies.unknownOutcome);
    expect(ask([...asked, tool, result(done), caller(2)]), 'asked again').toMatchObject({
      reply: 2,
      calls: [],
    });
  });

  it('goes on with the first word that was not heard', () => {
    const rest = ask([said(0), caller(1), said(1, 5)], goOn);
    expect(rest.reply).toBe(1);
    expect(rest.segments.map(({ segment }) => segment)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(ask([said(0), caller(1)], goOn), 'nothing of the answer was heard').toMatchObject({ reply: 1 });
    expect(ask([said(0), caller(1), said(1)], goOn).reply).toBe(replies.aside);
  });

  it('hangs up with the answer to the last question', () => {
    const whole = [
      said(0),
      caller(1),
      said(1),
      caller(2),
      tool,
      result(done),
      said(2),
      caller(3),
      said(3),
      caller(4),
    ];
    expect(ask(whole)).toMatchObject({ reply: replies.goodbye, calls: [{ name: 'hang_up' }] });
  });

  it('says what it is asked to say', () => {
    expect(ask([], 'Greet the caller with exactly these words').reply).toBe(replies.greeting);
    expect(ask([said(0), caller(1)], 'ask the caller to say it again.').reply).toBe(replies.repeat);
    expect(ask([said(0), caller(1)], 'Say goodbye in one sentence.').reply).toBe(replies.goodbye);
    expect(ask([said(0), caller(1)], 'Say that you are still working on it.').reply).toBe(replies.aside);
  });
});

it('silence carries no stamp', () => {
  expect(new StampReader().read(silentFrame.bytes)).toEqual([]);
});
