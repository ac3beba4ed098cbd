/** H1: what a session is told of the time before it, beyond the history that it was seeded with. */
import { describe, expect, it } from 'vitest';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import { Conversation } from '../../src/runtime/conversation.ts';
import { UnseededLines } from '../../src/service/unseeded-lines.ts';
import {
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
  /** As a live call takes an entry. @returns what is told with it */
  const take = (draft: Draft, payloads: Record<string, string> = {}) => {
    seq++;
    const entry = { ...draft, seq, at: seq } as Entry;
    const contents = Object.entries(payloads).map(([name, content]) => ({ seq, name, content }));
    conversation.apply(entry, contents);
    return unseeded.settledBy(entry);
  };
  const callerSays = (itemId: string, transcript: string) =>
    take({ type: 'caller.transcribed', itemId, transcript: { bytes: 1 } }, { transcript });
  const agentSays = (replyId: string, itemId: string, transcript: string) => {
    take({ type: 'reply.started', replyId });
    take({ type: 'reply.voiced', replyId, itemId });
    take({ type: 'reply.transcribed', itemId, transcript: { bytes: 1 } }, { transcript });
    take(replyFinished(replyId));
  };
  return { unseeded, take, callerSays, agentSays };
}

const speech = (generation: number, place: number, role: 'caller' | 'agent', text: string) => ({
  generation,
  place,
  item: { kind: 'speech', role, text },
});

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

  it.each(['before', 'after'])('is told of a reply that ended %s it opened, once that is known', (when) => {
    const { unseeded, take, callerSays, agentSays } = scene();
    callerSays('one', 'Hello?');
    agentSays('reply1', 'item1', 'This is the clerk.');
    expect(unseeded.seed(2, 'reply1')).toHaveLength(1);
    const ways = [replyPlayed('reply1'), modelOpened(2)];
    const told = (when === 'before' ? ways : ways.reverse()).map((draft) => take(draft));
    expect(told).toEqual([[], [speech(2, 1, 'agent', 'This is the clerk.')]]);
  });

  it('is told of a tool call only together with its result, which the chart sends where the call is known', () => {
    const { unseeded, take } = scene();
    take(toolRequested('known'), { arguments: '{}' });
    unseeded.seed(2, null);
    take(toolFinished('known'), { result: 'done' });
    take(toolRequested('whole'), { arguments: '{}' });
    take(toolFinished('whole'), { result: 'done' });
    take(toolRequested('open'), { arguments: '{}' });
    expect(take(modelOpened(2)).map(({ item }) => item)).toEqual([
      { kind: 'toolCall', toolCallId: 'whole', name: 'find_order', arguments: '{}' },
      { kind: 'toolResult', toolCallId: 'whole', output: 'done' },
    ]);
  });
});
