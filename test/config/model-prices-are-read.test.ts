import { expect, it } from 'vitest';
import { modelPrices } from '../../src/config/prices.ts';

const whole = 'inputText=4,inputAudio=32,cachedText=0.4, cachedAudio=0.4,outputText=24,outputAudio=64';

it('six prices are read, in any order', () => {
  const parsed = modelPrices.parse(whole.split(',').reverse().join(','));
  expect(parsed).toEqual({
    inputText: 4,
    inputAudio: 32,
    cachedText: 0.4,
    cachedAudio: 0.4,
    outputText: 24,
    outputAudio: 64,
  });
});

it.each([
  ['one is missing', 'inputText=4,inputAudio=32'],
  ['one is negative', whole.replace('=4,', '=-4,')],
  ['one is no number', whole.replace('=64', '=free')],
  ['one is too many', `${whole},images=5`],
  ['one is named twice', whole.replace('cachedText', 'inputText')],
  ['nothing is there', ''],
])('a list is refused where %s', (_what, text) => {
  const parsed = modelPrices.safeParse(text);
  expect(parsed.success).toBe(false);
  expect(parsed.error?.issues[0]?.message).toContain('dollars for a million tokens');
});
