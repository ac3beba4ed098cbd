/** Which of the caller's turns the next session need not hear, where none of them has a transcript. */
import { expect, it } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { TurnEnds } from '../../src/service/turn-ends.ts';
import {
  callerStarts,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
} from '../machines/support/facts.ts';

const turnEnd = 8_000;

function answeredBy(...facts: object[]): (number | null)[] {
  const ends = new TurnEnds();
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
