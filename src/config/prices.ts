/**
 * Owns: how the prices of the model's tokens are written in the configuration.
 * Does not own: what follows from them (`src/telemetry/prices.ts`).
 */
import { z } from 'zod';

const names = ['inputText', 'inputAudio', 'cachedText', 'cachedAudio', 'outputText', 'outputAudio'] as const;

/** Dollars for a million tokens of each kind. */
export type ModelPrices = Record<(typeof names)[number], number>;

const rule = `must name ${names.join(', ')}, each with dollars for a million tokens: inputText=4,inputAudio=32`;

const price = /^\d{1,6}(\.\d{1,6})?$/;

/** `name=dollars`, separated by commas; each name once. */
export const modelPrices = z.string().transform((text, context): ModelPrices => {
  const pairs = text.split(',').map((pair) => pair.trim().split('='));
  const values = new Map(pairs.map(([name = '', value = '']) => [name, value]));
  const isWhole = names.every((name) => price.test(values.get(name) ?? ''));
  if (!isWhole || pairs.length !== names.length) context.addIssue({ code: 'custom', message: rule });
  return Object.fromEntries(names.map((name) => [name, Number(values.get(name))])) as ModelPrices;
});
