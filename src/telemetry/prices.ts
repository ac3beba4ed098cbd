/**
 * Owns: what the tokens of a reply cost.
 * Does not own: the prices: they change, so they are configured (`src/config/variables.ts`, `MODEL_PRICES`).
 *
 * Of cached tokens the service tells how many were of each kind; a log that does not hold it (entry format 1) counts
 * them as text first, which is what a conversation's fixed beginning is made of.
 */
import type { Usage } from '../machines/entry-values.ts';

/** Dollars for a million tokens. */
export interface Prices {
  inputText: number;
  inputAudio: number;
  cachedText: number;
  cachedAudio: number;
  outputText: number;
  outputAudio: number;
}

export interface PricedTokens {
  labels: { direction: 'input' | 'output'; modality: 'text' | 'audio'; cached: 'yes' | 'no' };
  tokens: number;
  /** Null where there are no prices. */
  dollars: number | null;
}

const perMillion = 1_000_000;

export function priced(usage: Usage, prices: Prices | null): PricedTokens[] {
  const { inputTextTokens, inputAudioTokens, inputCachedTokens } = usage;
  const cachedText = Math.min(inputTextTokens, inputCachedTokens);
  const cachedAudio = Math.min(inputAudioTokens, inputCachedTokens - cachedText);
  const kinds = [
    ['input', 'text', 'no', inputTextTokens - cachedText, 'inputText'],
    ['input', 'audio', 'no', inputAudioTokens - cachedAudio, 'inputAudio'],
    ['input', 'text', 'yes', cachedText, 'cachedText'],
    ['input', 'audio', 'yes', cachedAudio, 'cachedAudio'],
    ['output', 'text', 'no', usage.outputTextTokens, 'outputText'],
    ['output', 'audio', 'no', usage.outputAudioTokens, 'outputAudio'],
  ] as const;
  return kinds
    .filter(([, , , tokens]) => tokens > 0)
    .map(([direction, modality, cached, tokens, price]) => ({
      labels: { direction, modality, cached },
      tokens,
      dollars: prices && (tokens * prices[price]) / perMillion,
    }));
}
