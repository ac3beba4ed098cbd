import { describe, expect, test } from 'vitest';
import type { Transcript } from '../../../src/twin/openai/brain.ts';
import { scriptedBrain } from '../../../src/twin/openai/scripted-brain.ts';
import { connectPhone, phoneSettings, speak, type World } from './client.ts';
import { orderBreaches } from './order.ts';
import { shapeBreaches } from './shapes.ts';

const prefix = 'conversation.item.input_audio_transcription';
const reply = { say: [{ text: 'I see.', lengthMs: 2_000 }] };

async function speakWith(caller: Transcript | string): Promise<World> {
  const world = await connectPhone({ brain: scriptedBrain({ turns: [{ caller, reply }] }) });
  speak(world.client);
  await world.clock.advance(0);
  return world;
}

describe('the transcription of a turn', () => {
  test('comes in pieces and is complete in the middle of the response', async () => {
    const { clock, client } = await speakWith('Hello, my name is Marcelo.');
    await clock.advance(10_000);
    const deltas = client.of(`${prefix}.delta`).map(({ delta }) => delta);
    expect(deltas).toEqual(['Hello', ',', ' my', ' name', ' is', ' Marcelo', '.']);
    const types = client.types();
    expect(types.indexOf(`${prefix}.completed`)).toBeGreaterThan(types.indexOf('response.output_item.added'));
    expect(types.indexOf(`${prefix}.completed`)).toBeLessThan(types.indexOf('response.done'));
    expect(client.last(`${prefix}.completed`)).toMatchObject({
      item_id: client.last('input_audio_buffer.committed').item_id,
      transcript: 'Hello, my name is Marcelo.',
      usage: { type: 'duration', seconds: 2 },
    });
    expect(orderBreaches(client.events)).toEqual([]);
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('can be late, long after the response', async () => {
    const { clock, client } = await speakWith({ text: 'Late', delayMs: 8_000 });
    await clock.advance(7_990);
    expect(client.of(`${prefix}.completed`)).toEqual([]);
    expect(client.of('response.done')).toHaveLength(1);
    await clock.advance(20);
    expect(client.of(`${prefix}.completed`)).toHaveLength(1);
  });

  test('can be empty', async () => {
    const { clock, client } = await speakWith('');
    await clock.advance(1_000);
    expect(client.of(`${prefix}.delta`)).toEqual([]);
    expect(client.last(`${prefix}.completed`).transcript).toBe('');
  });

  test('can fail, which the model does not mind', async () => {
    const { clock, client } = await speakWith({ text: 'Hello', fails: true });
    await clock.advance(10_000);
    expect(client.last(`${prefix}.failed`).error.type).toBe('server_error');
    expect(client.of(`${prefix}.completed`)).toEqual([]);
    expect(client.last('response.done').response.status).toBe('completed');
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('is kept with the item', async () => {
    const { clock, client } = await speakWith('Hello');
    const retrieve = {
      type: 'conversation.item.retrieve',
      item_id: client.last('input_audio_buffer.committed').item_id,
    };
    client.send(retrieve);
    await clock.advance(0);
    expect(client.last('conversation.item.retrieved').item.content[0].transcript).toBeNull();
    await clock.advance(5_000);
    client.send(retrieve);
    await clock.advance(0);
    const [part] = client.last('conversation.item.retrieved').item.content;
    expect(part.transcript).toBe('Hello');
    expect(Buffer.from(part.audio, 'base64').byteLength).toBeGreaterThan(8_000);
  });

  test('is completed also when its item was deleted meanwhile', async () => {
    const { clock, client } = await speakWith('Hello');
    client.send({
      type: 'conversation.item.delete',
      item_id: client.last('input_audio_buffer.committed').item_id,
    });
    await clock.advance(5_000);
    expect(client.of(`${prefix}.completed`)).toHaveLength(1);
    expect(client.errors).toEqual([]);
  });

  test('is not made where the session asks for none', async () => {
    const { clock, client } = await connectPhone();
    client.send({
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { transcription: null } } },
    });
    speak(client);
    await clock.advance(10_000);
    expect(client.types().filter((type) => type.startsWith(prefix))).toEqual([]);
    expect(client.last('response.done').response.output[0].content[0].transcript).toContain('foggy');
  });

  test('is not given up for others that are long complete', async () => {
    const quick = { caller: { text: 'quick', delayMs: 10 }, reply };
    const slow = { caller: { text: 'slow', delayMs: 60_000 }, reply };
    const brain = scriptedBrain({ turns: [slow, ...new Array(70).fill(quick)] });
    const { clock, client } = await connectPhone({ brain }, null);
    for (let turn = 0; turn < 71; turn += 1) {
      client.append(new Uint8Array(800));
      client.send({ type: 'input_audio_buffer.commit' });
      await clock.advance(100);
    }
    await clock.advance(60_000);
    expect(client.last(`${prefix}.completed`).transcript).toBe('slow');
  });

  test('is one of at most 64 under way', async () => {
    const brain = scriptedBrain({
      turns: new Array(70).fill({ caller: { text: 'x', delayMs: 60_000 }, reply }),
    });
    const { clock, client } = await connectPhone({ brain }, null);
    client.send(phoneSettings(null));
    for (let turn = 0; turn < 70; turn += 1) {
      client.append(new Uint8Array(800));
      client.send({ type: 'input_audio_buffer.commit' });
    }
    await clock.advance(61_000);
    expect(client.of('input_audio_buffer.committed')).toHaveLength(70);
    expect(client.of(`${prefix}.completed`)).toHaveLength(64);
  });
});
