import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type Draft,
  type EntryType,
  entryFault,
  entrySchemas,
  referencesOf,
} from '../../src/machines/entries.ts';
import {
  answered,
  callEnded,
  callerStarts,
  callerStops,
  carrierReported,
  carrierUnreachable,
  claimed,
  created,
  declined,
  hangUpFinished,
  hangUpRequested,
  journalLost,
  mediaResumed,
  mediaStarved,
  modelClosed,
  modelOpened,
  moveRequested,
  redirectFinished,
  replyExtended,
  replyFinished,
  replyPlayed,
  replyProgressed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamFailed,
  streamRequested,
  streamStarted,
  streamStopped,
  toolFinished,
  toolRequested,
  transcribed,
  transferByAgent,
  transferFinished,
} from './support/facts.ts';

const usage = {
  inputTextTokens: 1,
  inputAudioTokens: 2,
  inputCachedTokens: 0,
  outputTextTokens: 3,
  outputAudioTokens: 4,
};

const samples: Draft[] = [
  created(),
  claimed('one', { why: 'stream', attempt: 1 }),
  answered,
  callEnded,
  { type: 'chart.changed', from: 1, to: 2, format: 2, carried: { value: 'ringing', context: {} } },
  declined,
  journalLost,
  streamRequested(),
  { type: 'stream.misdirected', attempt: 2 },
  { type: 'move.confirmed', streamId: 'MZ1' },
  streamStarted(),
  streamStopped(),
  streamClosed(),
  streamFailed(),
  mediaStarved,
  mediaResumed,
  carrierReported('completed'),
  carrierUnreachable,
  redirectFinished('refused'),
  moveRequested(),
  { type: 'digit.pressed', digit: { bytes: 1 } },
  { type: 'input.refused', peer: 'carrier', kind: 'malformed' },
  modelOpened(),
  modelClosed(),
  callerStarts,
  callerStops,
  transcribed,
  replyStarted(),
  replyExtended(),
  replyVoiced(),
  replyProgressed(),
  { type: 'reply.transcribed', itemId: 'item', transcript: { bytes: 10 } },
  replyFinished('reply1', { usage }),
  replyPlayed(),
  { type: 'reply.interrupted', items: [{ itemId: 'item', receivedMs: 900, playedMs: 300 }] },
  { type: 'announcement.requested', by: 'operator', operator: 'night desk', words: { bytes: 20 } },
  toolRequested(),
  toolFinished(),
  transferByAgent,
  transferFinished('busy'),
  hangUpRequested,
  hangUpFinished('completed'),
  { type: 'payloads.erased', by: 'retention', payloads: 12, bytes: 900 },
  { type: 'timer.elapsed', timer: 'xstate.after.reattach.call.live.carrier.lost' },
];

const stamp = { seq: 1, at: 1 };
const faultOf = (entry: object): string | null => entryFault(entry as { type: string });
const types = Object.keys(entrySchemas) as EntryType[];

describe('entries', () => {
  it('all have a sample here', () => {
    expect(samples.map(({ type }) => type).sort()).toEqual([...types].sort());
  });

  it.each(samples.map((sample) => [sample.type, sample] as const))('take a good %s', (_, sample) => {
    expect(faultOf({ ...sample, ...stamp })).toBeNull();
  });

  it.each(samples.map((sample) => [sample.type, sample] as const))(
    'refuse a %s with more in it',
    (_, sample) => {
      expect(faultOf({ ...sample, ...stamp, transcriptText: 'hello' })).toMatch(/transcriptText/);
    },
  );

  it.each(samples.map((sample) => [sample.type, sample] as const))(
    'refuse a %s without its stamp',
    (_, sample) => {
      expect(faultOf({ ...sample, at: 1 })).toMatch(/seq/);
      expect(faultOf({ ...sample, seq: 1 })).toMatch(/at/);
      expect(faultOf({ ...sample, seq: 0, at: 1 })).not.toBeNull();
      expect(faultOf({ ...sample, seq: 1, at: -1 })).not.toBeNull();
    },
  );

  it('refuse what lacks a field', () => {
    for (const sample of samples) {
      for (const field of Object.keys(sample).filter((name) => name !== 'type')) {
        const { [field]: _, ...rest } = sample as Record<string, unknown>;
        const schema = entrySchemas[sample.type] as z.ZodObject;
        const isOptional = schema.shape[field]?.safeParse(undefined).success;
        const fault = faultOf({ ...rest, ...stamp });
        expect(fault === null, `${sample.type} without ${field}`).toBe(isOptional);
      }
    }
  });

  it('refuse a type that there is not', () => {
    expect(faultOf({ type: 'call.dreamt', ...stamp })).toBe('unknown entry type call.dreamt');
    expect(faultOf({ type: 'constructor', ...stamp })).toMatch('unknown entry type');
  });

  it('never throw, whatever they are given', () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.dictionary(fc.string(), fc.jsonValue()), (type, fields) => {
        const fault = faultOf({ ...fields, type });
        expect(fault === null || fault.length > 0).toBe(true);
      }),
    );
  });
});

describe('personal data', () => {
  /** Texts of the far sides about errors, at most 200 characters; ours about why a call ended. */
  const shortTexts = new Set(['cause', 'error', 'reason']);
  /** What a far side or we ourselves call something. */
  const names = /(Id|^id|^instance|^agent|^kind|^name|^timer|^operator)$/;

  /** Every place in a schema where any text may stand. */
  function freeTexts(schema: unknown, field = ''): string[] {
    if (typeof schema !== 'object' || schema === null) return [];
    const { type, enum: choices, pattern, properties, ...rest } = schema as Record<string, unknown>;
    if (type === 'string' && !choices && !pattern && !('const' in rest)) return [field];
    const own = Object.entries((properties ?? {}) as object).flatMap(([name, inner]) =>
      freeTexts(inner, name),
    );
    const others = Object.values(rest).flatMap((inner) =>
      (Array.isArray(inner) ? inner : [inner]).flatMap((each: unknown) => freeTexts(each, field)),
    );
    return [...own, ...others];
  }

  it('has no place in an entry', () => {
    // A state is made of entries alone.
    const schemas = {
      ...entrySchemas,
      'chart.changed': entrySchemas['chart.changed'].omit({ carried: true }),
    };
    const texts = types.flatMap((type) => freeTexts(z.toJSONSchema(schemas[type])));
    expect(texts).toContain('cause');
    expect(texts).toContain('replyId');
    expect(texts.filter((field) => !shortTexts.has(field) && !names.test(field))).toEqual([]);
  });

  it('cannot be smuggled in as a long text', () => {
    const long = 'x'.repeat(201);
    expect(faultOf({ ...streamFailed(), error: long, ...stamp })).not.toBeNull();
    expect(faultOf({ ...modelClosed(1, { cause: long }), ...stamp })).not.toBeNull();
    expect(faultOf({ ...replyStarted(long), ...stamp })).not.toBeNull();
  });

  it('is stood for by references, which are found by their shape', () => {
    expect(referencesOf({ ...created(), ...stamp })).toEqual(['from', 'to']);
    expect(referencesOf(toolRequested())).toEqual(['arguments']);
    expect(referencesOf(toolFinished())).toEqual(['result']);
    expect(referencesOf(transcribed)).toEqual(['transcript']);
    expect(referencesOf({ type: 'caller.transcribed', itemId: 'x', transcript: null })).toEqual([]);
    expect(referencesOf(replyFinished('reply1', { usage }))).toEqual([]);
  });
});
