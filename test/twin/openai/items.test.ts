import { describe, expect, test } from 'vitest';
import { connectPhone, type TestClient, type World } from './client.ts';
import { orderBreaches } from './order.ts';
import { shapeBreaches } from './shapes.ts';

const create = (item: object, rest: object = {}): object => ({
  type: 'conversation.item.create',
  item,
  ...rest,
});

const text = (id: string, role = 'user'): object => ({
  id,
  type: 'message',
  role,
  content: [{ type: role === 'assistant' ? 'output_text' : 'input_text', text: `text of ${id}` }],
});

async function withItems(...events: object[]): Promise<World> {
  const world = await connectPhone({}, null);
  for (const event of events) world.client.send(event);
  await world.clock.advance(0);
  return world;
}

const order = (world: World): string[] => world.session.items.map(({ id }) => id);

const places = (client: TestClient): unknown[] =>
  client.of('conversation.item.added').map(({ item, previous_item_id }) => [item.id, previous_item_id]);

describe('an item that the client creates', () => {
  test('is added and done, after the last one', async () => {
    const world = await withItems(
      create(text('a')),
      create(text('b', 'assistant')),
      create(text('c', 'system')),
    );
    expect(places(world.client)).toEqual([
      ['a', null],
      ['b', 'a'],
      ['c', 'b'],
    ]);
    expect(world.client.of('conversation.item.done')).toHaveLength(3);
    expect(orderBreaches(world.client.events)).toEqual([]);
    expect(shapeBreaches(world.client.events)).toEqual([]);
  });

  test('gets an id from the service where it brings none', async () => {
    const { client } = await withItems(create({ ...text(''), id: undefined }));
    expect(client.last('conversation.item.added').item.id).toMatch(/^item_[0-9A-Za-z]{21}$/);
  });

  test('goes first, or after the item that it names', async () => {
    const world = await withItems(
      create(text('a')),
      create(text('b'), { previous_item_id: 'root' }),
      create(text('c'), { previous_item_id: 'b' }),
    );
    expect(order(world)).toEqual(['b', 'c', 'a']);
    expect(places(world.client)).toEqual([
      ['a', null],
      ['b', null],
      ['c', 'b'],
    ]);
  });

  test('is not added after an item that nobody knows', async () => {
    const world = await withItems(create(text('a'), { previous_item_id: 'nobody', event_id: 'e1' }));
    expect(world.client.errors).toMatchObject([
      { code: 'item_not_found', param: 'previous_item_id', event_id: 'e1' },
    ]);
    expect(order(world)).toEqual([]);
  });

  test('is not added twice', async () => {
    const world = await withItems(create(text('a')), create(text('a')));
    expect(world.client.errors).toMatchObject([{ code: 'invalid_value', param: 'item.id' }]);
    expect(order(world)).toEqual(['a']);
  });

  test('may be a call and its result, in that order only', async () => {
    const call = { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' };
    const result = { type: 'function_call_output', call_id: 'call_1', output: 'seen' };
    const world = await withItems(create(result), create(call), create(result));
    expect(world.client.errors).toMatchObject([
      { message: "Tool call ID 'call_1' not found in conversation." },
    ]);
    expect(world.session.items.map(({ type }) => type)).toEqual(['function_call', 'function_call_output']);
    expect(shapeBreaches(world.client.events)).toEqual([]);
  });

  test('may hold audio and images of the user, which are not repeated', async () => {
    const { client } = await withItems(
      create({
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_audio', audio: Buffer.alloc(800).toString('base64'), transcript: 'Hello' },
          { type: 'input_audio', audio: '' },
          { type: 'input_image', image_url: 'data:,', detail: 'low' },
        ],
      }),
    );
    expect(client.last('conversation.item.added').item.content).toEqual([
      { type: 'input_audio', transcript: 'Hello' },
      { type: 'input_audio', transcript: null },
      { type: 'input_image', image_url: 'data:,', detail: 'low' },
    ]);
  });

  test('keeps the phase that it is seeded with', async () => {
    const { client } = await withItems(create({ ...text('a', 'assistant'), phase: 'commentary' }));
    expect(client.last('conversation.item.done').item.phase).toBe('commentary');
  });

  test.each([
    [
      'audio of the assistant',
      { content: [{ type: 'output_audio', audio: '' }], role: 'assistant' },
      'item.content[0].type',
    ],
    [
      'text of the wrong kind',
      { content: [{ type: 'output_text', text: '' }], role: 'user' },
      'item.content[0].type',
    ],
    ['an unknown role', { content: [], role: 'tool' }, 'item.role'],
    ['an id that is too long', { content: [], role: 'user', id: 'x'.repeat(33) }, 'item.id'],
    [
      'broken audio',
      { content: [{ type: 'input_audio', audio: '???' }], role: 'user' },
      'item.content[0].audio',
    ],
  ])('may not hold %s', async (_what, fields, param) => {
    const world = await withItems(create({ type: 'message', ...fields }));
    expect(world.client.errors).toMatchObject([{ code: 'invalid_value', param }]);
    expect(order(world)).toEqual([]);
  });

  test('may be of no kind that only the service makes', async () => {
    const { client } = await withItems(create({ type: 'mcp_call', name: 'x' }));
    expect(client.errors).toMatchObject([{ code: 'invalid_value', param: 'item.type' }]);
  });
});

describe('items that are there', () => {
  test('are retrieved and deleted', async () => {
    const world = await withItems(
      create(text('a')),
      { type: 'conversation.item.retrieve', item_id: 'a' },
      { type: 'conversation.item.delete', item_id: 'a' },
    );
    expect(world.client.last('conversation.item.retrieved').item).toMatchObject({ id: 'a', role: 'user' });
    expect(world.client.last('conversation.item.deleted').item_id).toBe('a');
    expect(order(world)).toEqual([]);
    expect(shapeBreaches(world.client.events)).toEqual([]);
  });

  test.each(['retrieve', 'delete'])('are the only ones to %s', async (verb) => {
    const { client } = await withItems({
      type: `conversation.item.${verb}`,
      item_id: 'gone',
      event_id: 'e',
    });
    expect(client.errors).toMatchObject([{ code: 'item_not_found', param: 'item_id', event_id: 'e' }]);
  });

  test('carry the audio of the model when retrieved', async () => {
    const { clock, client } = await connectPhone();
    client.send({ type: 'response.create' });
    await clock.advance(5_000);
    client.send({
      type: 'conversation.item.retrieve',
      item_id: client.last('conversation.item.done').item.id,
    });
    await clock.advance(0);
    const [part] = client.last('conversation.item.retrieved').item.content;
    expect(part).toMatchObject({ type: 'output_audio', transcript: 'Welcome. How can I help?' });
    expect(Buffer.from(part.audio, 'base64').equals(client.heard)).toBe(true);
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('are at most a thousand: the oldest are forgotten', async () => {
    const many = Array.from({ length: 1_002 }, (_, index) => create(text(`i${index}`)));
    const world = await withItems(...many, create(text('late'), { previous_item_id: 'i1000' }));
    expect(world.session.items).toHaveLength(1_000);
    expect(order(world)[0]).toBe('i3');
  });
});
