import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import { CallTimeline } from '../../src/telemetry/timeline/call-timeline.ts';
import type { Episode, EpisodeKind } from '../../src/telemetry/timeline/episode.ts';

type Told = [at: number, draft: Partial<Draft> & { type: Draft['type'] }];

const log = (...told: Told[]): Entry[] =>
  told.map(([at, draft], index) => ({ seq: index + 1, at, ...draft }) as Entry);

const episodesOf = (entries: readonly Entry[]): Episode[] => {
  const timeline = new CallTimeline();
  return entries.flatMap((entry) => timeline.apply(entry));
};

const only = <Kind extends EpisodeKind>(kind: Kind, entries: readonly Entry[]) =>
  episodesOf(entries).filter((episode): episode is Extract<Episode, { kind: Kind }> => episode.kind === kind);

const beginning: Told[] = [
  [0, { type: 'call.created', direction: 'incoming', traceId: 'a'.repeat(32) }],
  [1, { type: 'owner.claimed', instance: 'one', why: 'created' }],
  [2, { type: 'model.opened', generation: 1 }],
  [100, { type: 'stream.started', streamId: 'MZ1', attempt: 1 }],
];

const spoken = (at: number, replyId: string): Told[] => [
  [at, { type: 'caller.startedSpeaking', itemId: `${replyId}-caller` }],
  [at + 2_000, { type: 'caller.stoppedSpeaking', itemId: `${replyId}-caller`, silenceMs: 500 }],
  [at + 2_100, { type: 'reply.started', replyId }],
  [at + 2_400, { type: 'reply.voiced', replyId, itemId: `${replyId}-item` }],
];

const finished = (replyId: string): Told[1] => ({
  type: 'reply.finished',
  replyId,
  status: 'completed',
  cause: null,
  voiced: true,
  toolCalls: 0,
  usage: null,
});

describe('a turn of the caller', () => {
  const turn = log(
    ...beginning,
    ...spoken(1_000, 'r1'),
    [3_500, finished('r1')],
    [5_000, { type: 'reply.played', replyId: 'r1' }],
  );

  it('lasts from the first sound of the caller until its answer was played', () => {
    expect(only('turn', turn)).toEqual([
      {
        kind: 'turn',
        seq: 5,
        startedAt: 1_000,
        endedAt: 5_000,
        outcome: 'answered',
        tool: false,
        interrupts: null,
      },
    ]);
  });

  it('is answered from the last word, not from the word of turn detection', () => {
    expect(only('answer', turn)).toEqual([
      { kind: 'answer', seq: 5, startedAt: 2_500, endedAt: 3_400, turn: 5, detectedAt: 3_000, tool: false },
    ]);
  });

  it('holds its reply, with the moment of its first sound', () => {
    expect(only('reply', turn)).toMatchObject([
      { turn: 5, startedAt: 3_100, voicedAt: 3_400, endedAt: 3_500, replyId: 'r1' },
    ]);
  });

  it('says whether a tool ran before its answer', () => {
    const [opened, ...rest] = spoken(1_000, 'r1');
    const tool: Told[] = [
      [3_000, { type: 'tool.requested', toolCallId: 't1', name: 'book', replyId: 'r0' }],
      [3_050, { type: 'tool.finished', toolCallId: 't1', outcome: 'completed' }],
    ];
    const entries = log(...beginning, opened as Told, rest[0] as Told, ...tool, ...rest.slice(1));
    expect(only('answer', entries)).toMatchObject([{ tool: true }]);
    expect(only('tool', entries)).toMatchObject([
      { name: 'book', turn: 5, outcome: 'completed', startedAt: 3_000, endedAt: 3_050 },
    ]);
  });

  it('is interrupted where the caller speaks over its answer, and the next one begins', () => {
    const entries = log(
      ...beginning,
      ...spoken(1_000, 'r1'),
      [4_000, { type: 'caller.startedSpeaking', itemId: 'again' }],
      [4_012, { type: 'reply.interrupted', items: [] }],
      [5_000, { type: 'call.ended', reason: 'caller.hungUp' }],
    );
    expect(only('turn', entries).map(({ seq, outcome, interrupts }) => [seq, outcome, interrupts])).toEqual([
      [5, 'interrupted', null],
      [9, 'unanswered', 5],
    ]);
    expect(only('bargeIn', entries)).toMatchObject([{ startedAt: 4_000, endedAt: 4_012, turn: 9 }]);
  });

  it('goes on through a pause in which nobody answered it', () => {
    const entries = log(
      ...beginning,
      [1_000, { type: 'caller.startedSpeaking', itemId: 'a' }],
      [1_100, { type: 'caller.startedSpeaking', itemId: 'b' }],
      [2_000, { type: 'caller.stoppedSpeaking', itemId: 'b', silenceMs: 500 }],
    );
    expect(only('turn', entries)).toEqual([]);
  });

  it('was no interruption where a lost line cut its answer', () => {
    const entries = log(...beginning, ...spoken(1_000, 'r1'), [
      3_600,
      { type: 'reply.interrupted', items: [] },
    ]);
    expect(only('bargeIn', entries)).toEqual([]);
  });
});

it.each([
  ['hang_up', 'completed'],
  ['book', 'unknown'],
])('a tool that is open when the call ends, %s, came to: %s', (name, outcome) => {
  const entries = log(
    ...beginning,
    [500, { type: 'tool.requested', toolCallId: 't1', name, replyId: 'r0' }],
    [900, { type: 'call.ended', reason: 'agent.hungUp' }],
  );
  expect(only('tool', entries)).toMatchObject([{ name, outcome, endedAt: 900 }]);
});

describe('the greeting', () => {
  const greeted = log(
    ...beginning,
    [460, { type: 'reply.voiced', replyId: 'g', itemId: 'i' }],
    ...spoken(1_000, 'r1'),
  );

  it('is told once, from the start of the first stream', () => {
    expect(only('greeting', greeted)).toEqual([{ kind: 'greeting', seq: 4, startedAt: 100, endedAt: 460 }]);
  });

  it('belongs to no turn', () => {
    expect(only('answer', greeted)).toHaveLength(1);
  });
});

describe('a loss', () => {
  const recoveries = (...told: Told[]) => only('recovery', log(...beginning, ...told));

  it('of the model lasts until the next session', () => {
    const told = recoveries(
      [5_000, { type: 'model.closed', generation: 1, code: 1_006, cause: 'reset' }],
      [5_300, { type: 'model.opened', generation: 2 }],
    );
    expect(told).toMatchObject([
      { rung: 'model', cause: '1006', outcome: 'recovered', startedAt: 5_000, endedAt: 5_300 },
    ]);
  });

  it('of the model is one, however many sessions are tried', () => {
    const told = recoveries(
      [5_000, { type: 'model.closed', generation: 1, code: 1_006, cause: 'reset' }],
      [5_100, { type: 'model.closed', generation: 2, code: 503, cause: 'busy' }],
      [6_000, { type: 'model.opened', generation: 3 }],
    );
    expect(told).toMatchObject([{ startedAt: 5_000, endedAt: 6_000 }]);
  });

  it('is none where a second session was there before the first one closed, however long it stood by', () => {
    const told = recoveries(
      [5_000, { type: 'model.opened', generation: 2 }],
      [105_800, { type: 'model.closed', generation: 1, code: 1_000, cause: 'closed' }],
    );
    expect(told).toMatchObject([
      { rung: 'rollOver', outcome: 'recovered', startedAt: 105_800, endedAt: 105_800 },
    ]);
  });

  it('is none where the session is lost that stood by', () => {
    const told = recoveries(
      [5_000, { type: 'model.opened', generation: 2 }],
      [5_800, { type: 'model.closed', generation: 2, code: 1_006, cause: 'reset' }],
      [9_000, { type: 'model.opened', generation: 3 }],
    );
    expect(told).toEqual([]);
  });

  it('of the stream lasts until the next stream, from the first word of it', () => {
    const told = recoveries(
      [5_000, { type: 'stream.failed', streamId: 'MZ1', error: '31924' }],
      [5_001, { type: 'stream.closed', streamId: 'MZ1', code: 1_006 }],
      [7_000, { type: 'stream.started', streamId: 'MZ2', attempt: 2 }],
    );
    expect(told).toMatchObject([{ rung: 'stream', cause: 'failed', startedAt: 5_000, endedAt: 7_000 }]);
  });

  it('is none where the caller hung up', () => {
    const told = recoveries(
      [5_000, { type: 'stream.stopped', streamId: 'MZ1' }],
      [5_100, { type: 'call.ended', reason: 'caller.hungUp' }],
    );
    expect(told).toEqual([]);
  });

  it('is one for good where the call ended because of it', () => {
    const told = recoveries(
      [5_000, { type: 'stream.closed', streamId: 'MZ1', code: 1_006 }],
      [25_000, { type: 'call.ended', reason: 'stream.lost' }],
    );
    expect(told).toMatchObject([{ rung: 'stream', outcome: 'lost', endedAt: 25_000 }]);
  });

  it('of the process begins with the last word of the one that died', () => {
    const told = recoveries(
      [4_700, { type: 'reply.progressed', itemId: 'i', receivedMs: 1, playedMs: 1 }],
      [6_000, { type: 'owner.claimed', instance: 'two', why: 'stream', attempt: 2 }],
      [6_000, { type: 'stream.started', streamId: 'MZ2', attempt: 2 }],
    );
    expect(told).toMatchObject([{ rung: 'process', startedAt: 4_700, endedAt: 6_000 }]);
  });

  it('of the stream is that, whichever living process the next one comes to', () => {
    const told = recoveries(
      [5_000, { type: 'stream.closed', streamId: 'MZ1', code: 1_006 }],
      [5_800, { type: 'owner.claimed', instance: 'two', why: 'stream', attempt: 2 }],
      [5_800, { type: 'stream.started', streamId: 'MZ2', attempt: 2 }],
    );
    expect(told).toMatchObject([{ rung: 'stream', startedAt: 5_000, endedAt: 5_800 }]);
  });

  it('of the stream is one of the process where its call had to be adopted', () => {
    const told = recoveries(
      [5_000, { type: 'stream.closed', streamId: 'MZ1', code: 1_006 }],
      [7_000, { type: 'owner.claimed', instance: 'two', why: 'orphan' }],
      [9_000, { type: 'stream.started', streamId: 'MZ2', attempt: 2 }],
    );
    expect(told).toMatchObject([{ rung: 'process', startedAt: 5_000, endedAt: 9_000 }]);
  });

  it('is a move where one was asked for', () => {
    const told = recoveries(
      [5_000, { type: 'move.requested', by: 'drain', withinMs: 20_000 }],
      [5_200, { type: 'stream.closed', streamId: 'MZ1', code: 1_000 }],
      [6_000, { type: 'owner.claimed', instance: 'two', why: 'stream', attempt: 2 }],
      [6_000, { type: 'stream.started', streamId: 'MZ2', attempt: 2 }],
    );
    expect(told).toMatchObject([{ rung: 'move', startedAt: 5_200, endedAt: 6_000 }]);
  });
});

describe('every episode', () => {
  const folder = join(import.meta.dirname, '../journals/0.1.0');
  const logs = readdirSync(folder).filter((name) => name.endsWith('.json'));

  it.each(logs)('of the kept log %s ends, in order of time, and the call is the last', (name) => {
    const { commits } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const entries: Entry[] = commits.flatMap((commit: { entries: Entry[] }) => commit.entries);
    const timeline = new CallTimeline();
    const opened = entries.filter(({ type }) => type === 'stream.started').length;
    const episodes = entries.flatMap((entry) => timeline.apply(entry));
    for (const { startedAt, endedAt } of episodes) expect(endedAt).toBeGreaterThanOrEqual(startedAt);
    if (entries.at(-1)?.type !== 'call.ended') return;
    expect(episodes.at(-1)?.kind).toBe('call');
    expect(episodes.filter(({ kind }) => kind === 'stream')).toHaveLength(opened);
  });

  it('is told the same when another process goes on in the middle', () => {
    const entries = log(...beginning, ...spoken(1_000, 'r1'), [
      5_000,
      { type: 'reply.played', replyId: 'r1' },
    ]);
    for (let split = 1; split < entries.length; split++) {
      const other = new CallTimeline();
      for (const entry of entries.slice(0, split)) other.apply(entry);
      const rest = entries.slice(split).flatMap((entry) => other.apply(entry));
      expect(episodesOf(entries).slice(-rest.length || Number.POSITIVE_INFINITY)).toEqual(rest);
    }
  });
});
