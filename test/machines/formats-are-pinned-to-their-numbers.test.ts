/**
 * A log is folded by the chart and read by the schemas of a later version. A change of either takes a new number, so
 * that what an old log meant is not changed in silence.
 */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { callMachine } from '../../src/machines/call/machine.ts';
import { chartNumber } from '../../src/machines/call/setup.ts';
import { entryFormat, entrySchemas } from '../../src/machines/entries.ts';
import { configurationOf, digestOf } from './support/configuration.ts';

const chartDigests: Record<number, string> = {
  1: '?',
};

const formatDigests: Record<number, string> = {
  1: '?',
};

const schemas = JSON.stringify(
  Object.entries(entrySchemas).map(([type, schema]) => [type, z.toJSONSchema(schema)]),
);

it('the call chart is the one that its number stands for', () => {
  const digest = digestOf(configurationOf(callMachine));
  expect(
    digest,
    `The call chart has changed. Raise chartNumber in src/machines/call/setup.ts above ${chartNumber} (a log of the old chart must not be folded by the new one unnoticed), drain or migrate live calls, and add the new number with the digest ${digest} to chartDigests in this test. Only a chart that was never released may be pinned again under its old number.`,
  ).toBe(chartDigests[chartNumber]);
});

it('the entry format is the one that its number stands for', () => {
  const digest = digestOf(schemas);
  expect(
    digest,
    `The entry schemas have changed. Where old logs do not satisfy the new ones, raise entryFormat in src/machines/entries.ts above ${entryFormat}; then add the number with the digest ${digest} to formatDigests in this test. A new entry type or a new optional field keeps the number: replace its digest.`,
  ).toBe(formatDigests[entryFormat]);
});

it('the chart names its number', () => {
  expect(callMachine.version).toBe(String(chartNumber));
});
