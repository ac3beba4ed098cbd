/** Each kind of entry that names the cause of something that went wrong is shown, in words. */
import { describe, expect, it } from 'vitest';
import type { Draft, Entry } from '../../../src/machines/entries.ts';
import { TroubleViews } from '../../../src/service/console/trouble-views.ts';
import { recordingsOf } from '../../journals/recording.ts';
import { commitsIn, projectionOf, take } from './support/recorded-log.ts';

function troublesOf(...drafts: Draft[]): string[] {
  const views = new TroubleViews();
  drafts.forEach((draft, index) => {
    views.apply({ ...draft, seq: index + 1, at: 1_000 * (index + 1) } as Entry, []);
  });
  return views.troublesAfter(0).map(({ title, cause }) => `${title}: ${cause}`);
}

const closed = { type: 'model.closed', generation: 1, retryAfterMs: null, jitter: 0 } as const;
const usage = null;
const finished = {
  type: 'reply.finished',
  replyId: 'r',
  cause: null,
  voiced: true,
  toolCalls: 0,
  usage,
} as const;
const tool = {
  type: 'tool.requested',
  toolCallId: 't',
  replyId: 'r',
  name: 'find_repair',
  effect: 'none',
  arguments: { bytes: 2 },
} as const;
const result = { type: 'tool.finished', toolCallId: 't', result: { bytes: 2 } } as const;
const claim = { type: 'owner.claimed', instance: 'one', why: 'created' } as const;

const told: [string, Draft[]][] = [
  [
    'The model session was lost: 1006: the connection broke without a goodbye',
    [{ ...closed, code: 1006, cause: 'close.1006', reaction: 'retry' }],
  ],
  ['The model session was lost: no_pong', [{ ...closed, code: null, cause: 'no_pong', reaction: 'retry' }]],
  [
    'The model session was lost: session_expired (1000: ended by the far side)',
    [{ ...closed, code: 1000, cause: 'session_expired', reaction: 'retry' }],
  ],
  [
    'The model refused the call for good: 401: the key is not valid',
    [{ ...closed, code: 401, cause: 'http.401', reaction: 'giveUp' }],
  ],
  [
    'The model refused the call for good: insufficient_quota (4099)',
    [{ ...closed, code: 4099, cause: 'insufficient_quota', reaction: 'giveUp' }],
  ],
  [
    'The media stream failed: Connection Broken Pipe',
    [{ type: 'stream.failed', streamId: 's', error: 'Connection Broken Pipe' }],
  ],
  [
    'The media stream broke off: 1006: the connection broke without a goodbye',
    [{ type: 'stream.closed', streamId: 's', code: 1006 }],
  ],
  [
    'A stream came to a process that could not keep the call: stream 2 was sent away',
    [{ type: 'stream.misdirected', attempt: 2 }],
  ],
  [
    'No audio came from the caller’s line: nothing for 1.5 s',
    [{ type: 'media.starved', streamId: 's', silentMs: 1_500 }],
  ],
  [
    'The journal took nothing any more: 7 entries waited for 60.0 s',
    [{ type: 'journal.lost', queuedEntries: 7, stalledMs: 60_000 }],
  ],
  ['The carrier could not be asked: 20404', [{ type: 'carrier.unreachable', cause: '20404' }]],
  [
    'The carrier could not carry the call: failed',
    [{ type: 'carrier.reported', status: 'failed', source: 'callback' }],
  ],
  [
    'The carrier was not told to connect: the carrier refused it',
    [{ type: 'redirect.finished', outcome: 'refused', told: 'connect' }],
  ],
  [
    'The carrier was not told to go on: the carrier could not be reached',
    [{ type: 'redirect.finished', outcome: 'unreachable' }],
  ],
  [
    'The call was not hung up: the carrier could not be reached',
    [{ type: 'hangUp.finished', outcome: 'unreachable' }],
  ],
  [
    'A message of the carrier was refused: message.malformed',
    [{ type: 'input.refused', peer: 'carrier', kind: 'message.malformed' }],
  ],
  [
    'Words of the caller were lost: no model session took the audio in time',
    [{ type: 'input.refused', peer: 'model', kind: 'overflow' }],
  ],
  [
    'A reply was cut: the line took less audio than the model sent',
    [{ type: 'input.refused', peer: 'carrier', kind: 'overflow' }],
  ],
  ['The model failed in a reply: server_error', [{ ...finished, status: 'failed', cause: 'server_error' }]],
  [
    'The model broke a reply off: max_output_tokens',
    [{ ...finished, status: 'incomplete', cause: 'max_output_tokens' }],
  ],
  [
    'The model gave an empty reply: no sound and no tool call',
    [{ ...finished, status: 'completed', voiced: false }],
  ],
  [
    'The tool find_repair did not answer in time: timed out after 1.0 s',
    [tool, { ...result, outcome: 'timedOut' }],
  ],
  ['The tool find_repair failed: failed', [tool, { ...result, outcome: 'failed' }]],
  [
    'The tool find_repair was cut off: whether it was done is not known: the process that ran it was gone',
    [tool, { ...result, outcome: 'unknown' }],
  ],
  ['The caller could not be put through: no-answer', [{ type: 'transfer.finished', outcome: 'no-answer' }]],
  [
    'The caller was not served to the end: stream.lost: the caller’s audio was lost and did not come back',
    [{ type: 'call.ended', reason: 'stream.lost' }],
  ],
  ['The caller was not served to the end: agent.fainted', [{ type: 'call.ended', reason: 'agent.fainted' }]],
  [
    'The process one that had the call was gone: found by two',
    [claim, { ...claim, instance: 'two', why: 'orphan' }],
  ],
  ['The process one that had the call was gone: restarted as one', [claim, { ...claim, why: 'restarted' }]],
  [
    'The call left the process one: its new stream came to two',
    [claim, { ...claim, instance: 'two', why: 'stream' }],
  ],
  [
    'No model session was opened in time: the wait modelConnect was over',
    [{ type: 'timer.elapsed', timer: 'xstate.after.modelConnect.call.live.model.connecting' }],
  ],
  [
    'The model began no reply in time: the wait replyStart was over',
    [{ type: 'timer.elapsed', timer: 'xstate.after.replyStart.call.live.turn.thinking' }],
  ],
];

const untold: [string, Draft[]][] = [
  ['a session that we closed', [{ ...closed, code: 1000, cause: 'closed here', reaction: 'retry' }]],
  ['a stream that closed in order', [{ type: 'stream.closed', streamId: 's', code: 1000 }]],
  [
    'a carrier that did what it was told',
    [
      { type: 'redirect.finished', outcome: 'redirected' },
      { type: 'hangUp.finished', outcome: 'completed' },
    ],
  ],
  [
    'replies that came',
    [
      { ...finished, status: 'completed' },
      { ...finished, status: 'cancelled' },
      { ...finished, status: 'completed', voiced: false, toolCalls: 1 },
    ],
  ],
  ['a tool that did its work', [tool, { ...result, outcome: 'completed' }]],
  ['a caller who was put through', [{ type: 'transfer.finished', outcome: 'completed' }]],
  ['a call that ended well', [{ type: 'call.ended', reason: 'caller.hungUp' }]],
  [
    'a call that moved on purpose',
    [
      claim,
      { type: 'move.requested', by: 'drain', withinMs: 0 },
      { ...claim, instance: 'two', why: 'stream' },
    ],
  ],
  ['a call whose next stream came to the same process', [claim, { ...claim, why: 'stream', attempt: 2 }]],
  [
    'a wait that ends as it should',
    [{ type: 'timer.elapsed', timer: 'xstate.after.holdingAfter.call.live.silence.waiting' }],
  ],
];

describe('an operator is told', () => {
  it.each(told)('%s', (text, drafts) => {
    expect(troublesOf(...drafts)).toEqual([text]);
  });

  it.each(untold)('nothing of %s', (_, drafts) => {
    expect(troublesOf(...drafts)).toEqual([]);
  });

  it('what a tool said of its failure, until that is erased', () => {
    const views = new TroubleViews();
    views.apply({ ...tool, seq: 1, at: 0 }, []);
    views.apply({ ...result, outcome: 'failed', seq: 2, at: 0 }, [
      { seq: 2, name: 'result', content: 'No bike of Ann.' },
    ]);
    expect(views.troublesAfter(1)).toMatchObject([{ seq: 2, cause: 'No bike of Ann.' }]);
    views.erase(3);
    expect(views.troublesAfter(2)).toMatchObject([{ seq: 2, cause: 'failed' }]);
  });
});

/** Recorded calls of which each names what was done to it. */
const stories: [string, RegExp][] = [
  ['model-lost', /model session was lost: 1006/],
  ['model-refused', /refused the call for good: 401/],
  ['model-unavailable', /503: the service is not available/],
  ['stream-lost-and-back', /media stream failed: Stream - Websocket - Connection Broken Pipe/],
  ['stream-starved', /No audio came from the caller/],
  ['journal-lost', /journal took nothing any more/],
  ['adopted', /process one that had the call was gone: found by two/],
];

describe('a recorded call', () => {
  it.each(stories)('%s tells its cause', (name, cause) => {
    const recording = recordingsOf('0.1.0').find((each) => each.name === name);
    const projection = projectionOf(recording?.callId ?? '');
    for (const commit of recording ? commitsIn(recording) : []) take(projection, commit);
    const { troubles, steps } = projection.view();
    const found = troubles.find((trouble) => cause.test(`${trouble.title}: ${trouble.cause}`));
    expect(troubles.map((trouble) => `${trouble.title}: ${trouble.cause}`).join('\n')).toMatch(cause);
    expect(steps[(found?.seq ?? 0) - 1]?.entry.at).toBe(found?.at);
  });

  it('in which nothing went wrong tells of nothing', () => {
    for (const name of ['quiet', 'whole-conversation', 'tool', 'barge-in', 'agent-hangs-up']) {
      const recording = recordingsOf('0.1.0').find((each) => each.name === name);
      const projection = projectionOf(recording?.callId ?? '');
      for (const commit of recording ? commitsIn(recording) : []) take(projection, commit);
      const { troubles, recoveries } = projection.view();
      expect([name, troubles, recoveries]).toEqual([name, [], []]);
    }
  });
});
