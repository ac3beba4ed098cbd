/**
 * Owns: what a response costs in tokens.
 * Does not own: prices.
 *
 * The rates for audio are the service's: one token for 100 ms of the caller, one for 50 ms of the model. Text is
 * counted at four characters a token, which is near enough. Every response reads the whole conversation again;
 * what the response before it read is cached, in steps of 64 tokens, as long as instructions and tools stay.
 *
 * Source: OpenAI Realtime, managing costs; recorded usage of the live service.
 */
import type { Entry } from './conversation.ts';
import type { SessionSettings } from './session-settings.ts';

const charactersPerToken = 4;
const callerMsPerToken = 100;
const modelMsPerToken = 50;
const cacheStepTokens = 64;

export interface Tokens {
  text: number;
  audio: number;
}

export const textTokens = (text: string): number => Math.ceil(text.length / charactersPerToken);
const callerAudioTokens = (audioMs: number): number => Math.floor(audioMs / callerMsPerToken);
export const modelAudioTokens = (audioMs: number): number => Math.floor(audioMs / modelMsPerToken);

/** `usage` of a `response.done`. */
export interface Usage {
  total_tokens: number;
  input_tokens: number;
  output_tokens: number;
  input_token_details: {
    text_tokens: number;
    audio_tokens: number;
    image_tokens: number;
    cached_tokens: number;
    cached_tokens_details: { text_tokens: number; audio_tokens: number; image_tokens: number };
  };
  output_token_details: { text_tokens: number; audio_tokens: number };
}

export class UsageMeter {
  #cached: Tokens = { text: 0, audio: 0 };
  #cachedPrefix = '';

  /** The usage of a response that read these entries and produced this output. */
  measure(settings: SessionSettings, entries: readonly Entry[], output: Tokens): Usage {
    const prefix = settings.instructions + JSON.stringify(settings.tools);
    const input = inputOf(prefix, entries);
    const kept = prefix === this.#cachedPrefix ? this.#cached : { text: 0, audio: 0 };
    const cached = {
      text: wholeSteps(Math.min(kept.text, input.text)),
      audio: wholeSteps(Math.min(kept.audio, input.audio)),
    };
    this.#cached = input;
    this.#cachedPrefix = prefix;
    return usageOf(input, cached, output);
  }
}

const wholeSteps = (tokens: number): number => tokens - (tokens % cacheStepTokens);

function inputOf(prefix: string, entries: readonly Entry[]): Tokens {
  const input = { text: textTokens(prefix), audio: 0 };
  for (const entry of entries) {
    const { text, audio } = tokensOf(entry);
    input.text += text;
    input.audio += audio;
  }
  return input;
}

function tokensOf({ item, text, audioMs }: Entry): Tokens {
  if (item.type === 'function_call') return { text: textTokens(item.name + item.arguments), audio: 0 };
  if (item.type === 'function_call_output') return { text: textTokens(item.output), audio: 0 };
  if (item.role === 'assistant') return { text: textTokens(text), audio: modelAudioTokens(audioMs) };
  return audioMs > 0 ? { text: 0, audio: callerAudioTokens(audioMs) } : { text: textTokens(text), audio: 0 };
}

function usageOf(input: Tokens, cached: Tokens, output: Tokens): Usage {
  const inputTokens = input.text + input.audio;
  const outputTokens = output.text + output.audio;
  return {
    total_tokens: inputTokens + outputTokens,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    input_token_details: {
      text_tokens: input.text,
      audio_tokens: input.audio,
      image_tokens: 0,
      cached_tokens: cached.text + cached.audio,
      cached_tokens_details: { text_tokens: cached.text, audio_tokens: cached.audio, image_tokens: 0 },
    },
    output_token_details: { text_tokens: output.text, audio_tokens: output.audio },
  };
}
