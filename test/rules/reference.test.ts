/** The reference is what the program writes from the tables, and nothing in it is without words. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entryDocs } from '../../scripts/reference/entry-docs.ts';
import { referenceFiles } from '../../scripts/reference/files.ts';
import { sharedFields } from '../../scripts/reference/shared-fields.ts';
import { typeText } from '../../scripts/reference/type-text.ts';
import { entrySchemas } from '../../src/machines/entries.ts';
import type { MetricDescription } from '../../src/telemetry/metrics/kinds.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { metrics } from '../../src/telemetry/metrics/names.ts';
import { familyOf } from '../../src/telemetry/metrics/reading.ts';
import { readText } from './support/sources.ts';

const pages = Object.fromEntries((await referenceFiles()).map(({ path, text }) => [path, text]));
const entries = entryDocs();

/** What the client library tells of the process is not the same on every system. */
const ofEverySystem = (text: string): string => text.replace(/## The process itself[\s\S]*/, '');

describe('the reference', () => {
  it('is as it is generated', () => {
    for (const [path, text] of Object.entries(pages)) {
      const written = readText(`docs/reference/${path}`);
      expect(ofEverySystem(written), 'run npm run reference').toBe(ofEverySystem(text));
    }
  });

  it.skipIf(process.platform !== 'linux')('has what is told of the process itself', () => {
    expect(readText('docs/reference/metrics.md'), 'run npm run reference').toBe(pages['metrics.md']);
  });

  it('is all that there is', () => {
    const folder = new URL('../../docs/reference', import.meta.url);
    expect(readdirSync(folder).sort()).toEqual(Object.keys(pages).sort());
  });
});

describe('each entry', () => {
  it('is in it, in a section', () => {
    expect(entries.map(({ type }) => type).sort()).toEqual(Object.keys(entrySchemas).sort());
    expect(entries.filter(({ section }) => section === '')).toEqual([]);
  });

  it('has words, and so has each of its fields', () => {
    const silent = entries.flatMap(({ type, words, fields }) => [
      ...(words === '' ? [type] : []),
      ...fields.filter((field) => field.words === '').map(({ name }) => `${type} ${name}`),
    ]);
    expect(silent).toEqual([]);
  });

  it('has the words that stand above it, and those of shared fields that it says nothing of', () => {
    const closed = entries.find(({ type }) => type === 'stream.closed');
    expect(closed).toEqual({
      type: 'stream.closed',
      section: 'The carrier: stream, media, status',
      words: 'The stream\u0027s socket is closed.',
      fields: [
        { name: 'streamId', type: 'text', words: sharedFields.streamId },
        { name: 'code', type: 'whole number', words: sharedFields.code },
      ],
    });
    const erased = entries.find(({ type }) => type === 'payloads.erased');
    expect(erased?.fields[2]).toEqual({
      name: 'payloads',
      type: 'whole number',
      words: 'How many there were.',
    });
  });

  it('uses every shared text', () => {
    const names = new Set(entries.flatMap(({ fields }) => fields.map(({ name }) => name)));
    expect(Object.keys(sharedFields).filter((name) => !names.has(name))).toEqual([]);
  });

  it('has fields whose types are named', () => {
    expect(typeText({ type: ['number', 'null'] })).toBe('number or null');
    expect(typeText({ type: 'object', properties: { bytes: {} } })).toBe('payload');
    expect(typeText({ anyOf: [{ enum: ['a', 'b'] }, { type: 'null' }] })).toBe('`a`, `b` or null');
    expect(typeText({ items: { type: 'object', properties: { a: {} } } })).toBe('list of object of `a`');
    expect(typeText({})).toBe('JSON');
  });
});

describe('each metric', () => {
  it('is in it, with words', async () => {
    const scraped = new Metrics();
    const missing = (await scraped.read()).filter(
      (reading) => !pages['metrics.md']?.includes(`\`${reading.name}\``),
    );
    expect(missing.map(familyOf)).toEqual([]);
    const table = Object.values<MetricDescription>(metrics);
    expect(table.filter(({ help }) => !/^[A-Z].*\.$/.test(help)).map(({ name }) => name)).toEqual([]);
  });

  it('leads to runbooks that there are', () => {
    const runbooks = new Set(readdirSync(new URL('../../docs/runbooks', import.meta.url)));
    const named = [...(pages['metrics.md'] ?? '').matchAll(/\(\.\.\/runbooks\/([^)]+)\)/g)];
    expect(named.length).toBeGreaterThan(20);
    expect(named.map(([, file = '']) => file).filter((file) => !runbooks.has(file))).toEqual([]);
  });
});
