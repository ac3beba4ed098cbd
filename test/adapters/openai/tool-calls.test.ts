import { describe, expect, it } from 'vitest';
import type { RealtimeMessage } from '../../support/realtime-message.ts';
import { audioOf, openSession } from './started-session.ts';

const callItem = (callId: string, fields: Record<string, unknown> = {}) => ({
  id: `item_${callId}`,
  type: 'function_call',
  status: 'completed',
  name: 'get_weather',
  call_id: callId,
  arguments: '{"city":"London"}',
  ...fields,
});
const outputDone = (item: object, replyId = 'resp_1') => ({
  type: 'response.output_item.done',
  response_id: replyId,
  output_index: 1,
  item,
});

describe('a tool call', () => {
  it('is signalled once, from its completed item, however often it is described (L3)', () => {
    const { service, ear } = openSession();
    const item = callItem('call_1');
    service.startReply();
    service.say({ ...outputDone({ ...item, status: 'in_progress' }), type: 'response.output_item.added' });
    service.say({
      type: 'response.function_call_arguments.done',
      response_id: 'resp_1',
      item_id: item.id,
      call_id: 'call_1',
      name: item.name,
      arguments: item.arguments,
    });
    expect(ear.order).toEqual(['reply.started']);
    service.say(outputDone(item));
    service.say(outputDone(item));
    service.finishReply('resp_1', { output: [item] });
    expect(ear.order).toEqual(['reply.started', 'tool.requested', 'replyEnded', 'reply.finished']);
    expect(ear.signals[1]).toEqual({
      entry: {
        type: 'tool.requested',
        toolCallId: 'call_1',
        replyId: 'resp_1',
        name: 'get_weather',
        effect: 'none',
        arguments: { bytes: 17 },
      },
      payloads: { arguments: '{"city":"London"}' },
    });
    expect(ear.entriesOf('reply.finished')[0]?.toolCalls).toBe(1);
  });

  it('is signalled from the end of the reply where its own item was lost', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.finishReply('resp_1', { output: [callItem('call_1'), 'no item', null] });
    expect(ear.order).toEqual(['reply.started', 'tool.requested', 'replyEnded', 'reply.finished']);
  });

  it('carries the effect that its tool declares', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.say(outputDone(callItem('call_1', { name: 'book_table' })));
    expect(ear.entriesOf('tool.requested')[0]?.effect).toBe('once');
  });

  it('comes beside speech and beside other calls in one reply, each counted', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.sayAudio(audioOf(20));
    service.say(outputDone(callItem('call_1')));
    service.say(outputDone(callItem('call_2', { name: 'book_table' })));
    service.finishReply('resp_1', { output: [callItem('call_1'), callItem('call_2')] });
    expect(ear.entriesOf('tool.requested').map(({ toolCallId }) => toolCallId)).toEqual(['call_1', 'call_2']);
    expect(ear.entriesOf('reply.finished')[0]).toMatchObject({ voiced: true, toolCalls: 2 });
  });

  it.each(['incomplete', 'in_progress'])('is not signalled where its item ended as %s', (status) => {
    const { service, ear } = openSession();
    service.startReply();
    service.say(outputDone(callItem('call_1', { status })));
    service.finishReply('resp_1', { status: 'cancelled', output: [callItem('call_1', { status })] });
    expect(ear.entriesOf('tool.requested')).toEqual([]);
    expect(ear.entriesOf('reply.finished')[0]?.toolCalls).toBe(0);
  });

  it('is not signalled from a reply that is over', () => {
    const { service, ear, oddities } = openSession();
    service.say(outputDone(callItem('call_1'), 'resp_9'));
    expect(ear.heard).toEqual([]);
    expect(oddities).toEqual(['strayEvent']);
  });

  it('is not signalled again in a later reply, nor in a session that was seeded with it', () => {
    const { service, ear } = openSession({
      history: [{ kind: 'toolCall', toolCallId: 'call_0', name: 'get_weather', arguments: '{}' }],
    });
    for (const replyId of ['resp_1', 'resp_2']) {
      service.startReply(replyId);
      service.say(outputDone(callItem('call_0'), replyId));
      service.say(outputDone(callItem('call_1'), replyId));
      service.finishReply(replyId);
    }
    expect(ear.entriesOf('tool.requested').map(({ toolCallId }) => toolCallId)).toEqual(['call_1']);
  });
});

describe('the result of a tool call', () => {
  it('goes to the model at once, and the follow-up waits for the end of the reply that holds the call', () => {
    const { service, session } = openSession();
    service.startReply();
    service.say(outputDone(callItem('call_1')));
    session.sendToolResult('call_1', 'It is foggy.');
    session.createReply(null);
    expect(service.sent).toEqual([
      {
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id: 'call_1', output: 'It is foggy.' },
      },
    ]);
    service.finishReply('resp_1', { output: [callItem('call_1')] });
    expect(service.sentTypes).toEqual(['conversation.item.create', 'response.create']);
  });

  it('is sent once', () => {
    const { service, session } = openSession();
    service.startReply();
    service.say(outputDone(callItem('call_1')));
    session.sendToolResult('call_1', 'It is foggy.');
    session.sendToolResult('call_1', 'It is foggy.');
    expect(service.sent).toHaveLength(1);
  });

  it('may be asked for a reply while the end of the reply is being told', () => {
    const { service, ear, session } = openSession();
    ear.react = (entry) => entry.type === 'reply.finished' && session.createReply(null);
    service.startReply();
    service.finishReply();
    expect(service.sentTypes).toEqual(['response.create']);
  });
});

describe('a tool call that is answered here', () => {
  const outputsOf = (sent: readonly RealtimeMessage[]) =>
    sent.flatMap(({ item }) => (item ? [[item.call_id, JSON.parse(item.output)]] : []));

  it('is one of a tool that was not declared', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.say(outputDone(callItem('call_1', { name: 'launch_rocket' })));
    expect(ear.entriesOf('tool.requested')).toEqual([]);
    expect(outputsOf(service.sent)).toEqual([['call_1', { error: 'There is no such tool.' }]]);
  });

  it('is the 33rd that is open, until a result makes room', () => {
    const { service, ear, session } = openSession();
    service.startReply();
    for (let index = 1; index <= 33; index++) service.say(outputDone(callItem(`call_${index}`)));
    expect(ear.entriesOf('tool.requested')).toHaveLength(32);
    expect(outputsOf(service.sent)).toEqual([['call_33', { error: 'Too many tool calls are open.' }]]);
    session.sendToolResult('call_1', 'done');
    service.say(outputDone(callItem('call_34')));
    expect(ear.entriesOf('tool.requested')).toHaveLength(33);
    session.sendToolResult('call_33', 'a result that nobody owes');
    expect(service.sent).toHaveLength(2);
  });

  it('is one beyond those that a session can remember', () => {
    const { service, ear, session } = openSession({}, { limits: { toolCalls: 2 } });
    service.startReply();
    for (const callId of ['call_1', 'call_2', 'call_3']) {
      service.say(outputDone(callItem(callId)));
      session.sendToolResult(callId, 'done');
    }
    expect(ear.entriesOf('tool.requested')).toHaveLength(2);
    expect(service.sent[2]?.item.output).toContain('Too many');
  });

  it('is followed by a reply that the adapter asks for, because nobody else will', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.sayAudio(audioOf(20));
    service.say(outputDone(callItem('call_1', { name: 'launch_rocket' })));
    expect(service.sentTypes).toEqual(['conversation.item.create']);
    service.finishReply();
    expect(service.sentTypes).toEqual(['conversation.item.create', 'response.create']);
    expect(ear.entriesOf('reply.finished')[0]?.toolCalls).toBe(1);
  });

  it('leaves the follow-up to the others where a call beside it is run', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.say(outputDone(callItem('call_1', { name: 'launch_rocket' })));
    service.say(outputDone(callItem('call_2')));
    service.finishReply();
    expect(service.sentTypes).toEqual(['conversation.item.create']);
    expect(ear.entriesOf('reply.finished')[0]?.toolCalls).toBe(1);
  });

  it('has no follow-up in a cancelled reply: the caller speaks', () => {
    const { service, ear } = openSession();
    service.startReply();
    service.say(outputDone(callItem('call_1', { name: 'launch_rocket' })));
    service.finishReply('resp_1', { status: 'cancelled' });
    expect(service.sentTypes).toEqual(['conversation.item.create']);
    expect(ear.entriesOf('reply.finished')[0]?.toolCalls).toBe(0);
  });

  it('is followed up three times in a row; the reply after that counts as empty, for the chart to see', () => {
    const { service, ear } = openSession();
    for (let index = 1; index <= 4; index++) {
      service.startReply(`resp_${index}`);
      service.say(outputDone(callItem(`call_${index}`, { name: 'launch_rocket' }), `resp_${index}`));
      service.finishReply(`resp_${index}`);
    }
    expect(service.sentOfType('response.create')).toHaveLength(3);
    expect(ear.entriesOf('reply.finished').map(({ toolCalls }) => toolCalls)).toEqual([1, 1, 1, 0]);
  });
});
