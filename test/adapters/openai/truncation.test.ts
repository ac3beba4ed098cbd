import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { truncationOf } from '../../../src/adapters/openai/truncation.ts';
import { audioOf, openSession } from './started-session.ts';

describe('an item that was cut', () => {
  const cutAt = (playedMs: number, ended = false) => {
    const { service, session } = openSession();
    service.startReply();
    service.sayAudio(audioOf(1_000));
    if (ended) service.say({ type: 'response.output_audio.done', response_id: 'resp_1', item_id: 'item_A' });
    session.truncate('item_A', playedMs);
    return service.sent;
  };
  const truncatedAt = (endMs: number) => [
    { type: 'conversation.item.truncate', item_id: 'item_A', content_index: 0, audio_end_ms: endMs },
  ];
  const deleted = [{ type: 'conversation.item.delete', item_id: 'item_A' }];

  it('ends at the whole millisecond that was heard', () => {
    expect(cutAt(420.9)).toEqual(truncatedAt(420));
  });

  it('ends no later than the audio that came', () => {
    expect(cutAt(1_700)).toEqual(truncatedAt(1_000));
  });

  it('is removed where nothing of it was heard', () => {
    expect(cutAt(0)).toEqual(deleted);
    expect(cutAt(0.9)).toEqual(deleted);
    expect(cutAt(-5)).toEqual(deleted);
  });

  it('is left alone where all of it came and was heard', () => {
    expect(cutAt(1_000, true)).toEqual([]);
    expect(cutAt(999, true)).toEqual(truncatedAt(999));
  });

  it('is remembered when its reply is long over', () => {
    const { service, session } = openSession();
    service.startReply();
    service.sayAudio(audioOf(1_000));
    service.finishReply();
    service.startReply('resp_2');
    session.truncate('item_A', 300);
    expect(service.sent).toEqual(truncatedAt(300));
  });

  it('is none that this session never heard', () => {
    const { service, session } = openSession({
      history: [{ kind: 'speech', role: 'agent', text: 'Hello.' }],
    });
    session.truncate('seed_0', 100);
    session.truncate('item_of_another_session', 0);
    expect(service.sent).toEqual([]);
  });

  it('is never cut beyond what came, nor at a fraction (U1)', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.double(), fc.boolean(), (audioBytes, playedMs, ended) => {
        const event = truncationOf({ itemId: 'item_A', audioBytes, ended }, playedMs);
        if (event?.type !== 'conversation.item.truncate') return;
        expect(Number.isInteger(event.audio_end_ms)).toBe(true);
        expect(event.audio_end_ms).toBeGreaterThan(0);
        expect(event.audio_end_ms * 8).toBeLessThanOrEqual(audioBytes);
      }),
    );
  });
});
