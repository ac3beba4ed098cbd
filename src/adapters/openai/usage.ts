/**
 * Owns: the tokens of a reply, from the far side's shape into ours.
 * Does not own: what they cost.
 */
import { z } from 'zod';
import type { Usage } from '../../machines/entry-values.ts';

const count = z.int().nonnegative().catch(0);

/** OpenAI Realtime, `response.done`, `response.usage`. The cached tokens are part of the input tokens. */
const wireUsage = z.object({
  input_token_details: z.object({ text_tokens: count, audio_tokens: count, cached_tokens: count }),
  output_token_details: z.object({ text_tokens: count, audio_tokens: count }),
});

/** Null where the far side gave none, as for a reply that failed. */
export function usageOf(wire: unknown): Usage | null {
  const parsed = wireUsage.safeParse(wire);
  if (!parsed.success) return null;
  const { input_token_details: input, output_token_details: output } = parsed.data;
  return {
    inputTextTokens: input.text_tokens,
    inputAudioTokens: input.audio_tokens,
    inputCachedTokens: input.cached_tokens,
    outputTextTokens: output.text_tokens,
    outputAudioTokens: output.audio_tokens,
  };
}
