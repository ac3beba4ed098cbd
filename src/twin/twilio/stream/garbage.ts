/**
 * Owns: messages that no Twilio sends, one for each kind.
 * Does not own: when they are sent (`saboteur.ts`).
 */
import type { GarbageKind } from '../faults.ts';
import { makeSid } from '../identifiers.ts';

const hugeBytes = 2 * 1_024 * 1_024;

type WrittenGarbage = Exclude<GarbageKind, 'binary' | 'jumpingSequence'>;

/** Kinds that are one text message each. `jumpingSequence` and `binary` are made by the stream itself. */
export const isWrittenGarbage = (kind: GarbageKind): kind is WrittenGarbage =>
  kind !== 'binary' && kind !== 'jumpingSequence';

const makers: Readonly<Record<WrittenGarbage, (streamSid: string) => string>> = {
  malformedJson: () => '{"event":"media","media":{',
  notAnObject: () => '[null,42]',
  unknownEvent: (streamSid) => JSON.stringify({ event: 'telepathy', streamSid }),
  mediaWithoutPayload: (streamSid) =>
    JSON.stringify({ event: 'media', streamSid, media: { track: 'inbound', chunk: '1', timestamp: '20' } }),
  hugeMessage: (streamSid) =>
    JSON.stringify({
      event: 'media',
      streamSid,
      media: { track: 'inbound', payload: '/'.repeat(hugeBytes) },
    }),
  unknownMark: (streamSid) => JSON.stringify({ event: 'mark', streamSid, mark: { name: 'never-sent' } }),
  foreignStream: () =>
    JSON.stringify({
      event: 'media',
      streamSid: makeSid(() => 0, 'MZ'),
      media: { track: 'inbound', chunk: '1', timestamp: '20', payload: '////' },
    }),
};

export const makeGarbage = (kind: WrittenGarbage, streamSid: string): string => makers[kind](streamSid);
