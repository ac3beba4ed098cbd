import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/config/environment.ts';
import { settingVariables } from '../../src/config/settings.ts';
import { serviceVariables } from '../../src/config/variables.ts';
import { settingsSchema } from '../../src/machines/settings.ts';
import { leastEnvironment } from './example.ts';

const defaults = settingsSchema.parse({});
const { fallback: _, ...bounds } = defaults;

describe('the bounds of a call', () => {
  it('each have a variable that follows from their name', () => {
    expect(Object.keys(settingVariables)).toHaveLength(Object.keys(bounds).length);
    expect(Object.keys(settingVariables)).toContain('LONGEST_CALL_MS');
    expect(Object.keys(settingVariables)).toContain('MODEL_BACKOFF_LONGEST_MS');
    expect(Object.keys(settingVariables)).toContain('ASK_CARRIER_TRIES');
    expect(Object.keys(settingVariables)).not.toContain('FALLBACK');
  });

  it('clash with no other variable', () => {
    for (const name of Object.keys(settingVariables)) expect(serviceVariables).not.toHaveProperty(name);
  });

  it('are moved one by one', () => {
    const numbers = Object.keys(settingVariables).map((name, index) => [name, String(index + 1)]);
    const { settings } = readConfiguration({ ...leastEnvironment, ...Object.fromEntries(numbers) });
    const values = numbers.map(([, value]) => Number(value));
    const asNamed = Object.fromEntries(Object.keys(bounds).map((name, index) => [name, values[index]]));
    expect(settings).toEqual({ ...asNamed, fallback: 'hangUp' });
    expect(readConfiguration({ ...leastEnvironment, STREAM_TRIES: '7' }).settings).toEqual({
      ...defaults,
      streamTries: 7,
    });
  });
});
