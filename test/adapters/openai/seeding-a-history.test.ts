import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryItem } from '../../../src/runtime/ports/model.ts';
import { openSession, startSession } from './started-session.ts';

const history: HistoryItem[] = [
  { kind: 'speech', role: 'agent', text: 'Hello, how can I help?' },
  { kind: 'speech', role: 'caller', text: 'What is the weather in London?' },
  { kind: 'toolCall', toolCallId: 'call_abc', name: 'get_weather', arguments: '{"city":"London"}' },
  { kind: 'toolResult', toolCallId: 'call_abc', output: 'foggy' },
];

const startSeeded = (items: readonly HistoryItem[]) => {
  const started = startSession({ history: items });
  started.service.accept();
  started.service.sayCreated();
  return started;
};

const answeringOf = ({ session }: Record<string, never> | { session?: unknown }) =>
  (
    session as {
      audio: { input: { turn_detection: { create_response: boolean; interrupt_response: boolean } } };
    }
  ).audio.input.turn_detection;

describe('a session with a history', () => {
  it('is seeded between two settings: answering is off while the history is taken, and on after it', () => {
    const { service } = startSeeded(history);
    expect(service.sentTypes).toEqual([
      'session.update',
      'conversation.item.create',
      'conversation.item.create',
      'conversation.item.create',
      'conversation.item.create',
      'session.update',
    ]);
    const [first, last] = service.sentOfType('session.update');
    expect(answeringOf(first ?? {})).toMatchObject({ create_response: false, interrupt_response: false });
    expect(last?.session).toEqual({
      type: 'realtime',
      audio: {
        input: {
          turn_detection: {
            type: 'server_vad',
            threshold: 0.6,
            prefix_padding_ms: 250,
            silence_duration_ms: 420,
            idle_timeout_ms: null,
            create_response: true,
            interrupt_response: true,
          },
        },
      },
    });
  });

  it('gives the caller as input text, the agent as output text, and each call before its result', () => {
    const { service } = startSeeded(history);
    expect(service.sentOfType('conversation.item.create').map(({ item }) => item)).toEqual([
      {
        id: 'seed_0',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Hello, how can I help?' }],
      },
      {
        id: 'seed_1',
        type: 'message',
        role: 'user',
        content: [{ type: 'input_text', text: 'What is the weather in London?' }],
      },
      {
        id: 'seed_2',
        type: 'function_call',
        call_id: 'call_abc',
        name: 'get_weather',
        arguments: '{"city":"London"}',
      },
      { id: 'seed_3', type: 'function_call_output', call_id: 'call_abc', output: 'foggy' },
    ]);
  });

  it('tells what nobody said as the system', () => {
    const { service } = startSeeded([{ kind: 'note', text: 'The line was interrupted.' }]);
    expect(service.sentOfType('conversation.item.create').map(({ item }) => item)).toEqual([
      {
        id: 'seed_0',
        type: 'message',
        role: 'system',
        content: [{ type: 'input_text', text: 'The line was interrupted.' }],
      },
    ]);
  });

  it('is open only when every item was named and the last settings confirmed, in whatever order (L2)', () => {
    type Acknowledgement = 'settings' | number;
    const all: Acknowledgement[] = ['settings', 0, 1, 2, 3];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.constantFrom('conversation.item.added', 'conversation.item.done'),
        (order, type) => {
          const { service, ear } = startSeeded(history);
          for (const acknowledgement of order) {
            expect(ear.entries).toEqual([]);
            if (acknowledgement === 'settings') service.confirmSettings();
            else service.say({ type, item: { id: `seed_${acknowledgement}`, type: 'message' } });
          }
          expect(ear.order).toEqual(['model.opened']);
        },
      ),
    );
  });

  it('does not take the first settings for the last ones', async () => {
    const { clock, service, ear } = startSeeded(history);
    service.acknowledgeItems();
    const first = service.sentOfType('session.update')[0];
    service.say({ type: 'session.updated', session: first?.session });
    await clock.advance(5_000);
    expect(ear.entriesOf('model.closed')[0]?.cause).toBe(
      'settings.unconfirmed: turn_detection.create_response',
    );
  });

  it('ends where an item is never named', async () => {
    const { clock, service, ear } = startSeeded(history);
    service.confirmSettings();
    await clock.advance(5_000);
    expect(ear.entries).toEqual([
      expect.objectContaining({ type: 'model.closed', cause: 'history.unconfirmed', reaction: 'retry' }),
    ]);
  });
});

describe('what of a history is given', () => {
  const itemsOf = (items: readonly HistoryItem[], limits = {}) => {
    const { service } = startSession({ history: items }, { limits });
    service.accept();
    service.sayCreated();
    return service.sentOfType('conversation.item.create').map(({ item }) => item);
  };
  const speech = (text: string): HistoryItem => ({ kind: 'speech', role: 'caller', text });

  it('leaves out what has no words, a result without its call, and whatever stands there twice', () => {
    const items = itemsOf([
      { kind: 'toolResult', toolCallId: 'call_x', output: 'lost' },
      speech(''),
      ...history.slice(2),
      ...history.slice(2),
    ]);
    expect(items.map(({ type }) => type)).toEqual(['function_call', 'function_call_output']);
  });

  it('seeds nothing and answers at once where nothing is left', () => {
    const { service } = startSession({ history: [speech('')] });
    service.accept();
    service.sayCreated();
    expect(service.sentTypes).toEqual(['session.update']);
    expect(answeringOf(service.sent[0] ?? {}).create_response).toBe(true);
  });

  it('keeps the newest items up to the bound', () => {
    const items = itemsOf(['one', 'two', 'three'].map(speech), { historyItems: 2 });
    expect(items.map(({ content }) => content[0].text)).toEqual(['two', 'three']);
  });

  it('keeps the newest items up to the bound of characters, and no result whose call did not fit', () => {
    const items = itemsOf([...history.slice(2), speech('abcde')], { historyCharacters: 10 });
    expect(items.map(({ content }) => content?.[0].text)).toEqual(['abcde']);
  });

  it('gives every id at most 32 characters and no two items the same one', () => {
    const anyHistory = fc.array(
      fc.oneof(
        fc.string().map(speech),
        fc
          .tuple(fc.string({ minLength: 1, maxLength: 60 }), fc.boolean())
          .map(
            ([toolCallId, isCall]): HistoryItem =>
              isCall
                ? { kind: 'toolCall', toolCallId, name: 'get_weather', arguments: '{}' }
                : { kind: 'toolResult', toolCallId, output: 'done' },
          ),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(anyHistory, (items) => {
        const wire = itemsOf(items);
        expect(new Set(wire.map(({ id }) => id)).size).toBe(wire.length);
        const called = new Set<string>();
        for (const { id, type, call_id: callId } of wire) {
          expect(id.length).toBeLessThanOrEqual(32);
          if (type === 'message') continue;
          expect(callId.length).toBeLessThanOrEqual(32);
          if (type === 'function_call') called.add(callId);
          else expect(called).toContain(callId);
        }
      }),
    );
  });
});

describe('what is told after the history was taken', () => {
  const caller = (text: string): HistoryItem => ({ kind: 'speech', role: 'caller', text });
  const agent = (text: string): HistoryItem => ({ kind: 'speech', role: 'agent', text });
  const tell = (items: readonly HistoryItem[], told: readonly (readonly [HistoryItem, number])[]) => {
    const { service, session } = openSession({ history: items });
    for (const [item, place] of told) session.remember(item, place);
    return service.sent;
  };

  it('goes to its place among all that was told before (S3)', () => {
    const sent = tell(history, [
      [caller('Good morning.'), 0],
      [caller('In London.'), 3],
      [caller('Please.'), 4],
      [agent('It is foggy.'), 7],
      [caller('Or near it.'), 4],
    ]);
    expect(
      sent.map(({ previous_item_id, item }) => [previous_item_id, item.id, item.content[0].text]),
    ).toEqual([
      ['root', 'added_0', 'Good morning.'],
      ['seed_1', 'added_1', 'In London.'],
      ['added_1', 'added_2', 'Please.'],
      ['seed_3', 'added_3', 'It is foggy.'],
      ['added_1', 'added_4', 'Or near it.'],
    ]);
  });

  it('finds its place also where not all of the history was taken', () => {
    const items = [agent('Hello.'), caller(''), caller('And that?')];
    expect(tell(items, [[caller('And this?'), 2]])).toMatchObject([{ previous_item_id: 'seed_0' }]);
    const { service, session } = openSession({ history: items }, { limits: { historyItems: 1 } });
    session.remember(caller('And this?'), 2);
    expect(service.sent).toMatchObject([{ previous_item_id: 'root' }]);
    session.remember(agent('No.'), 4);
    expect(service.sent[1]).toMatchObject({ previous_item_id: 'seed_0' });
  });

  it('may be a tool call whose result comes by itself, once', () => {
    const { service, session } = openSession({ history });
    const toolCallId = 'call_late';
    session.remember({ kind: 'toolCall', toolCallId, name: 'book_table', arguments: '{}' }, 4);
    session.sendToolResult(toolCallId, 'booked');
    session.remember({ kind: 'toolResult', toolCallId, output: 'booked' }, 5);
    expect(service.sent.map(({ item }) => [item.type, item.call_id])).toEqual([
      ['function_call', toolCallId],
      ['function_call_output', toolCallId],
    ]);
  });

  it('may be a tool call with its result, and is nothing without words', () => {
    const toolCallId = `call_${'x'.repeat(40)}`;
    const sent = tell(history, [
      [agent(''), 4],
      [{ kind: 'toolCall', toolCallId, name: 'book_table', arguments: '{}' }, 5],
      [{ kind: 'toolResult', toolCallId, output: 'booked' }, 6],
    ]);
    expect(sent).toMatchObject([
      { previous_item_id: 'seed_3', item: { type: 'function_call', call_id: 'call_seed_1' } },
      { previous_item_id: 'added_0', item: { type: 'function_call_output', call_id: 'call_seed_1' } },
    ]);
  });
});

describe('a result that comes in another session than its call', () => {
  const longId = `call_${'x'.repeat(40)}`;
  const openCall: HistoryItem = {
    kind: 'toolCall',
    toolCallId: longId,
    name: 'get_weather',
    arguments: '{}',
  };

  it('answers the call that the history left open, by the id that it was given', () => {
    const { service, session } = openSession({ history: [openCall] });
    session.sendToolResult(longId, 'foggy');
    expect(service.sent).toEqual([
      {
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id: 'call_seed_0', output: 'foggy' },
      },
    ]);
  });

  it('is not sent where the history holds it already', () => {
    const { service, session } = openSession({ history });
    session.sendToolResult('call_abc', 'foggy');
    expect(service.sent).toEqual([]);
  });

  it('is told in words where the history does not hold the call', () => {
    const { service, session } = openSession();
    session.sendToolResult('call_old', 'foggy');
    expect(service.sent).toEqual([
      {
        type: 'conversation.item.create',
        item: {
          type: 'message',
          role: 'system',
          content: [{ type: 'input_text', text: 'Result of the earlier tool call call_old: foggy' }],
        },
      },
    ]);
  });
});
