/** Logs of calls, as entries. */
import type { Draft, Entry } from '../../../src/machines/entries.ts';
import { recordedVersions, recordingsOf } from '../../journals/recording.ts';
import * as facts from '../../machines/support/facts.ts';

export const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

/** The end of the first second of 2026. */
const startAt = Date.UTC(2026, 0, 1) + 1_000;

/** Each entry comes 100 ms after the one before. */
export const stamped = (drafts: readonly Draft[]): Entry[] =>
  drafts.map((draft, index) => ({ ...draft, seq: index + 1, at: startAt + index * 100 }));

const usage = {
  inputTextTokens: 100,
  inputAudioTokens: 20,
  inputCachedTokens: 60,
  outputTextTokens: 10,
  outputAudioTokens: 40,
};

/** All that can happen to a call in a minute: the kinds of episodes that there are, and what they can come to. */
export const eventfulCall: readonly Entry[] = stamped([
  facts.created({}, { traceId }),
  facts.claimed('one'),
  facts.answered,
  facts.modelOpened(1),
  facts.streamStarted(1),
  // The greeting.
  facts.replyStarted('greeting'),
  facts.replyVoiced('greeting'),
  facts.replyFinished('greeting', { usage }),
  facts.replyPlayed('greeting'),
  // A turn whose answer the caller cuts.
  facts.callerStarts,
  facts.callerStops,
  facts.replyStarted('cut'),
  facts.replyVoiced('cut'),
  facts.callerStarts,
  { type: 'reply.interrupted', items: [] },
  facts.replyCancelled('cut'),
  facts.callerStops,
  // The answer to what cut it takes a tool.
  facts.replyStarted('asks'),
  facts.toolRequested('tool1', 'find_order'),
  facts.toolReplyFinished('asks'),
  { type: 'tool.finished', toolCallId: 'tool1', outcome: 'timedOut', result: { bytes: 2 } },
  facts.replyStarted('tells'),
  facts.replyVoiced('tells'),
  facts.replyFinished('tells'),
  facts.replyPlayed('tells'),
  // The model is lost and comes back.
  facts.modelClosed(1),
  facts.modelOpened(2),
  // The process dies in the middle of a turn.
  facts.callerStarts,
  facts.claimed('two', { why: 'orphan' }),
  facts.modelOpened(3),
  facts.streamStarted(2),
  facts.callerStops,
  facts.replyStarted('fails'),
  facts.replyFinished('fails', { status: 'failed', cause: 'server_error', voiced: false }),
  facts.replyStarted('answers'),
  facts.replyVoiced('answers'),
  facts.replyFinished('answers'),
  facts.replyPlayed('answers'),
  { type: 'transfer.requested', by: 'agent', destination: { bytes: 12 }, toolCallId: null },
  { type: 'transfer.finished', outcome: 'busy' },
  facts.streamFailed(2),
  { type: 'call.ended', reason: 'stream.lost' },
]);

/** With the names of their stories. Some end while the call is live. */
export const recordedCalls = (): [name: string, entries: Entry[]][] =>
  recordedVersions()
    .flatMap(recordingsOf)
    .map(({ version, name, commits }) => [
      `${version} ${name}`,
      // What was checked when it was written is not checked again; all were written under one trace id, of zeros.
      commits
        .flatMap(({ entries }) => entries as unknown as Entry[])
        .map((entry) => (entry.type === 'call.created' ? { ...entry, traceId } : entry)),
    ]);
