/** H1: what a session is told of the time before it, beyond the history that it was seeded with. */
import { describe, expect, it } from 'vitest';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import { Conversation } from '../../src/runtime/conversation.ts';
import { type Present, UnseededLines } from '../../src/service/unseeded-lines.ts';
import {
  callerStarts,
  modelOpened,
  replyFinished,
  replyPlayed,
  toolFinished,
  toolRequested,
} from '../machines/support/facts.ts';

function scene() {
  const conversation = new Conversation();
  const unseeded = new UnseededLines(conversation);
  let seq = 0;
  const present: Present = { generation: 1, playedReplyId: null };
  /** As a live call takes an entry. @returns what is told with it */
  const take = (draft: Draft, payloads: Record<string, string> = {}) => {
    seq++;
    const entry = { ...draft, seq, at: seq } as Entry;
    const contents = Object.entries(payloads).map(([name, content]) => ({ seq, name, content }));
    conversation.apply(entry, contents);
    if (draft.type === 'model.opened') present.generation = draft.generation;
    if (draft.type === 'reply.played') present.playedReplyId = null;
    return unseeded.settledBy(entry, present);
  };
  const callerSays = (itemId: string, transcript: string) =>
    take({ type: 'caller.transcribed', itemId, transcript: { bytes: 1 } }, { transcript });
  const agentSays = (replyId: string, itemId: string, transcript: string) => {
    take({ type: 'reply.started', replyId });
    take({ type: 'reply.voiced', replyId, itemId });
    take({ type: 'reply.transcribed', itemId, transcript: { bytes: 1 } }, { transcript });
    take(replyFinished(replyId));
  };
  return { unseeded, take, callerSays, agentSays, present };
}

const speech = (generation: number, place: number, role: 'caller' | 'agent', text: string) => ({
  generation,
  place,
  item: { kind: 'speech', role, text },
});

const progressed = (itemId: string, playedMs: number) =>
  ({ type: 'reply.progressed', itemId, receivedMs: 2 * playedMs, playedMs }) as const;

describe('a session', () => {
  it('is told once, when it opens, what came since its history was taken', () => {
    const { unseeded, take, callerSays } = scene();
    callerSays('one', 'Hello?');
    unseeded.seed(2, null);
    expect(callerSays('two', 'Is anybody there?')).toEqual([]);
    expect(take(modelOpened(2))).toEqual([speech(2, 1, 'caller', 'Is anybody there?')]);
    expect(take(modelOpened(2))).toEqual([]);
  });

  it('is told nothing of what comes once it is open: it hears that by itself', () => {
    const { unseeded, take, callerSays, agentSays } = scene();
    unseeded.seed(2, null);
    take(modelOpened(2));
    expect(callerSays('one', 'Hello?')).toEqual([]);
    agentSays('reply1', 'item1', 'Hello.');
    expect(take(replyPlayed('reply1'))).toEqual([]);
  });

  it('is told nothing when another one opens', () => {
    const { unseeded, take, callerSays } = scene();
    unseeded.seed(2, null);
    unseeded.seed(3, null);
    callerSays('one', 'Hello?');
    expect(take(modelOpened(2))).toEqual([]);
    expect(take(modelOpened(3))).toHaveLength(1);
  });

  it('is told nothing while the one before it serves, and all with the entry that makes it serve', () => {
    const { unseeded, take, callerSays, present } = scene();
    unseeded.seed(2, null);
    callerSays('one', 'Hello?');
    expect(take({ type: 'reply.started', replyId: 'reply1' })).toEqual([]);
    present.generation = 2;
    expect(take(replyFinished('reply1'))).toEqual([speech(2, 0, 'caller', 'Hello?')]);
  });

  it.each(['before', 'after'])('is told of a reply that ended %s it opened, once that is known', (when) => {
    const { unseeded, take, callerSays, agentSays, present } = scene();
    callerSays('one', 'Hello?');
    agentSays('reply1', 'item1', 'This is the clerk.');
    present.playedReplyId = 'reply1';
    expect(unseeded.seed(2, 'reply1')).toHaveLength(1);
    const ways = [replyPlayed('reply1'), modelOpened(2)];
    const told = (when === 'before' ? ways : ways.reverse()).map((draft) => take(draft));
    expect(told).toEqual([[], [speech(2, 1, 'agent', 'This is the clerk.')]]);
  });

  it('is not told of a reply as far as it had come when its history was taken, but as far as it was heard', () => {
    const { unseeded, take, agentSays, present } = scene();
    take({ type: 'reply.started', replyId: 'reply1' });
    take({ type: 'reply.voiced', replyId: 'reply1', itemId: 'item1' });
    take(progressed('item1', 1_000));
    expect(unseeded.seed(2, 'reply1')).toEqual([]);
    agentSays('reply1', 'item1', 'This is the clerk.');
    present.generation = 2;
    expect(take(replyPlayed('reply1'))).toEqual([speech(2, 0, 'agent', 'This is the clerk.')]);
  });

  it('is told of a reply as far as it was heard where the line stops telling of it', () => {
    const { unseeded, take, agentSays, present } = scene();
    agentSays('reply1', 'item1', 'This is the clerk of the shop.');
    take(progressed('item1', 1_000));
    unseeded.seed(2, 'reply1');
    present.playedReplyId = 'reply1';
    expect(take(modelOpened(2))).toEqual([]);
    expect(take({ type: 'timer.elapsed', timer: 'other' })).toEqual([]);
    present.playedReplyId = null;
    const stalled = { type: 'timer.elapsed', timer: 'playbackStall' } as const;
    expect(take(stalled)).toEqual([speech(2, 0, 'agent', 'This is the')]);
    expect(take(replyPlayed('reply1'))).toEqual([]);
  });

  it('is told the words of a turn that come from the session before it, at their place among what it was told', () => {
    const { unseeded, take, callerSays, agentSays } = scene();
    unseeded.seed(2, null);
    take(callerStarts);
    agentSays('reply1', 'item1', 'This is the clerk.');
    take(replyPlayed('reply1'));
    expect(take(modelOpened(2))).toEqual([speech(2, 0, 'agent', 'This is the clerk.')]);
    take({ type: 'caller.startedSpeaking', itemId: 'own' });
    expect(callerSays('own', 'And this?')).toEqual([]);
    expect(callerSays('caller', 'Who is there?')).toEqual([speech(2, 0, 'caller', 'Who is there?')]);
    expect(callerSays('caller', 'Who is there?')).toEqual([]);
  });

  it('is told of tool calls and results, also where one of the two was known', () => {
    const { unseeded, take } = scene();
    take(toolRequested('known'), { arguments: '{}' });
    unseeded.seed(2, null);
    take(toolFinished('known'), { result: 'done' });
    take(toolRequested('open'), { arguments: '{}' });
    expect(take(modelOpened(2)).map(({ item, place }) => [item, place])).toEqual([
      [{ kind: 'toolResult', toolCallId: 'known', output: 'done' }, 1],
      [{ kind: 'toolCall', toolCallId: 'open', name: 'find_order', arguments: '{}' }, 2],
    ]);
  });
});
