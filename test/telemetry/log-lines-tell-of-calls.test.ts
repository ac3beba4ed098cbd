/** The lines of a call: one an entry, each in its category and at the level that tells how bad it is. */
import { describe, expect, it } from 'vitest';
import type { Draft } from '../../src/machines/entries.ts';
import { logEntry } from '../../src/telemetry/call-log.ts';
import { categories } from '../../src/telemetry/logger.ts';
import * as facts from '../machines/support/facts.ts';
import { importsOf, sourcesIn } from '../rules/support/sources.ts';
import { eventfulCall, stamped } from './support/call-entries.ts';
import { logged } from './support/logged.ts';

const names = { callId: 'CA1', traceId: 'f'.repeat(32) };

function linesOf(drafts: readonly Draft[], level = 'debug'): Record<string, unknown>[] {
  const { logger, parsed } = logged(level);
  for (const entry of stamped(drafts)) logEntry(logger, names, entry);
  return parsed();
}

const finished = (outcome: 'redirected' | 'refused') => facts.redirectFinished(outcome);
const ended = (reason: string): Draft => ({ type: 'call.ended', reason });

describe('a line of a call', () => {
  it('is its entry, with the call, its trace, a category and a level', () => {
    const [line] = linesOf([facts.mediaStarved]);
    expect(line).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      instance: 'one',
      category: 'media',
      ...names,
      seq: 1,
      entryAt: expect.any(Number),
      entry: { streamId: 'stream1', silentMs: 1_500 },
      msg: 'media.starved',
    });
  });

  it.each([
    ['info', 'call', facts.created()],
    ['debug', 'call', facts.answered],
    ['info', 'connection', facts.claimed('one')],
    ['warn', 'connection', facts.claimedByAnother],
    ['info', 'connection', facts.streamStarted()],
    ['warn', 'connection', facts.streamFailed()],
    ['info', 'connection', facts.moveRequested()],
    ['info', 'connection', finished('redirected')],
    ['warn', 'connection', finished('refused')],
    ['warn', 'connection', facts.carrierUnreachable],
    ['info', 'media', facts.mediaResumed],
    ['info', 'model', facts.modelOpened()],
    ['info', 'model', facts.modelClosed(1, { code: 1_000 })],
    ['warn', 'model', facts.modelClosed()],
    ['error', 'model', facts.modelRefused()],
    ['debug', 'model', facts.callerStarts],
    ['debug', 'model', facts.replyFinished()],
    ['warn', 'model', facts.replyFinished('reply1', { status: 'failed' })],
    ['debug', 'model', facts.toolRequested()],
    ['error', 'call', facts.journalLost],
    ['info', 'call', ended('caller.hungUp')],
    ['error', 'call', ended('stream.lost')],
  ] as const)('is at %s in %s: %o', (level, category, draft) => {
    expect(linesOf([draft])).toMatchObject([{ level, category, msg: draft.type }]);
  });

  it('is written once for each entry, and not where its level is not asked for', () => {
    expect(linesOf(eventfulCall).map(({ msg }) => msg)).toEqual(eventfulCall.map(({ type }) => type));
    expect(new Set(linesOf(eventfulCall, 'warn').map(({ level }) => level))).toEqual(
      new Set(['warn', 'error']),
    );
  });

  it('leaves out what no call has of its own', () => {
    expect(linesOf([facts.created()])[0]?.entry).not.toHaveProperty('settings');
  });
});

describe('every line', () => {
  /** `logger.info({ ... }, 'words')`, as far as the end of its fields. */
  const calls = /\blogger\??\.(fatal|error|warn|info|debug|trace)\(\s*(\{[^}]*\})?/g;
  const sources = sourcesIn('src').filter(
    (source) => !source.path.startsWith('src/twin/') && source.path !== 'src/telemetry/call-log.ts',
  );
  const found = sources.flatMap((source) =>
    [...source.text.matchAll(calls)].map(([, level, fields = '']) => ({ ...source, level, fields })),
  );

  it('is found', () => {
    expect(found.length).toBeGreaterThan(10);
  });

  it('names one of the categories', () => {
    /** Also where the fields are put together a line before. */
    const categoryOf = ({ text, fields }: { text: string; fields: string }): string => {
      const [, spread] = /\.\.\.(\w+)/.exec(fields) ?? [];
      const before = spread ? (new RegExp(`const ${spread} = (\\{[^}]*\\})`).exec(text)?.[1] ?? '') : '';
      return /category: '(\w+)'/.exec(fields + before)?.[1] ?? '';
    };
    const known: readonly string[] = categories;
    const without = found.filter((line) => !known.includes(categoryOf(line)));
    expect(without.map(({ path, fields }) => `${path}: ${fields}`)).toEqual([]);
  });

  it('is written by the one logger', () => {
    const others = sources.filter(
      (source) => importsOf(source).includes('pino') && source.path !== 'src/telemetry/logger.ts',
    );
    expect(others.map(({ path }) => path)).toEqual([]);
  });
});
