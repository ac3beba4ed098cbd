/** Which of the caller's turns the next session need not hear, where none of them has a transcript. */
import { expect, it } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { mostSaidTwiceMs } from '../../src/runtime/remembered.ts';
import { TurnEnds } from '../../src/service/turn-ends.ts';
import {
  callerStarts,
  modelClosed,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
} from '../machines/support/facts.ts';

const turnEnd = 8_000;

const interrupted = { type: 'reply.interrupted', items: [] };

const answeredBy = (...facts: object[]): (number | null)[] => answeredAfter(0, ...facts);

/** @param heardMs what the caller heard of the reply, in words that are known */
function answeredAfter(heardMs: number, ...facts: object[]): (number | null)[] {
  const ends = new TurnEnds(() => heardMs);
  ends.note('turn1', turnEnd);
  return facts.map((fact, seq) => ends.answeredBy({ ...fact, seq, at: seq } as Entry));
}

it('an answer that has come to its end is one: the line plays it whatever becomes of the session', () => {
  for (const status of ['completed', 'incomplete'] as const) {
    const facts = [replyStarted(), replyVoiced(), replyFinished('reply1', { status })];
    expect(answeredBy(...facts)).toEqual([null, null, turnEnd]);
  }
});

it('an answer that failed or was cancelled, or had no sound, is none before the caller goes on', () => {
  for (const status of ['failed', 'cancelled'] as const) {
    const facts = [replyStarted(), replyVoiced(), replyFinished('reply1', { status })];
    expect(answeredBy(...facts, callerStarts)).toEqual([null, null, null, turnEnd]);
  }
  expect(answeredBy(replyStarted(), replyFinished(), replyPlayed(), callerStarts)).toEqual([
    null,
    null,
    null,
    null,
  ]);
});

it('an answer that was cut is one where more of it was heard than may be said twice', () => {
  for (const cut of [modelClosed(), interrupted]) {
    const facts = [replyStarted(), replyVoiced(), cut];
    expect(answeredAfter(mostSaidTwiceMs + 1, ...facts)).toEqual([null, null, turnEnd]);
    expect(answeredAfter(mostSaidTwiceMs, ...facts)).toEqual([null, null, null]);
  }
  expect(answeredAfter(mostSaidTwiceMs + 1, interrupted)).toEqual([null]);
});
