import { describe, expect, test } from 'vitest';
import type { Usage } from '../../../src/twin/openai/session/usage.ts';
import { connectPhone, speak, type World } from './client.ts';

async function turns(world: World, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    speak(world.client, 1_280, 640);
    await world.clock.advance(10_000);
  }
}

const usages = ({ client }: World): Usage[] =>
  client.of('response.done').map(({ response }) => response.usage);

/** That of the response with this number, from 0. */
function usageOf(world: World, number: number): Usage {
  const usage = usages(world)[number];
  if (usage === undefined) throw new Error(`there is no response ${number}`);
  return usage;
}

describe('the usage of a response', () => {
  test('counts one token for 100 ms of the caller and one for 50 ms of the model', async () => {
    const world = await connectPhone();
    await turns(world, 1);
    const usage = usageOf(world, 0);
    const { audio_start_ms } = world.client.last('input_audio_buffer.speech_started');
    const { audio_end_ms } = world.client.last('input_audio_buffer.speech_stopped');
    expect(usage.input_token_details.audio_tokens).toBe(Math.floor((audio_end_ms - audio_start_ms) / 100));
    expect(usage.output_token_details.audio_tokens).toBe(80);
    expect(usage.total_tokens).toBe(usage.input_tokens + usage.output_tokens);
    expect(usage.output_tokens).toBe(
      usage.output_token_details.audio_tokens + usage.output_token_details.text_tokens,
    );
  });

  test('grows with the conversation, whose known part is cached in steps of 64', async () => {
    const world = await connectPhone();
    world.client.send({
      type: 'session.update',
      session: { type: 'realtime', instructions: 'Be kind to the caller. '.repeat(40) },
    });
    await turns(world, 4);
    expect(usageOf(world, 0).input_token_details.cached_tokens).toBe(0);
    for (const [index, usage] of usages(world).entries()) {
      if (index > 0) expect(usage.input_tokens).toBeGreaterThan(usageOf(world, index - 1).input_tokens);
      const { cached_tokens, cached_tokens_details, text_tokens, audio_tokens } = usage.input_token_details;
      expect(cached_tokens).toBe(cached_tokens_details.text_tokens + cached_tokens_details.audio_tokens);
      expect(cached_tokens_details.text_tokens % 64).toBe(0);
      expect(cached_tokens_details.audio_tokens % 64).toBe(0);
      expect(cached_tokens_details.text_tokens).toBeLessThanOrEqual(text_tokens);
      expect(cached_tokens_details.audio_tokens).toBeLessThanOrEqual(audio_tokens);
    }
    expect(usageOf(world, 1).input_token_details.cached_tokens_details.text_tokens).toBeGreaterThan(0);
    expect(usageOf(world, 3).input_token_details.cached_tokens_details.audio_tokens).toBeGreaterThan(0);
  });

  test('is cached no more once the instructions change', async () => {
    const world = await connectPhone();
    world.client.send({
      type: 'session.update',
      session: { type: 'realtime', instructions: 'Long. '.repeat(100) },
    });
    await turns(world, 2);
    world.client.send({
      type: 'session.update',
      session: { type: 'realtime', instructions: 'Other. '.repeat(100) },
    });
    await turns(world, 1);
    const cached = usages(world).map(({ input_token_details }) => input_token_details.cached_tokens > 0);
    expect(cached).toEqual([false, true, false]);
  });

  test('counts calls and their results as text', async () => {
    const read = async (output: string): Promise<number> => {
      const world = await connectPhone({}, null);
      const call = { type: 'function_call', call_id: 'c', name: 'look', arguments: '{"a":1}' };
      world.client.send({ type: 'conversation.item.create', item: call });
      const result = { type: 'function_call_output', call_id: 'c', output };
      world.client.send({ type: 'conversation.item.create', item: result });
      world.client.send({ type: 'response.create' });
      await world.clock.advance(5_000);
      return usageOf(world, 0).input_token_details.text_tokens;
    };
    expect((await read('x'.repeat(400))) - (await read(''))).toBe(100);
  });
});
