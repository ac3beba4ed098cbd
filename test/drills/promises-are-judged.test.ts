/** Which calls count as completed, ended or dropped, which promises are broken, and how the table shows it. */
import { describe, expect, it } from 'vitest';
import { answersTo, lastQuestion, replies } from '../../scripts/drill/conversation.ts';
import { fleetRestart } from '../../scripts/drill/drills/fleet.ts';
import { restartBound, rollingRestart } from '../../scripts/drill/drills/process.ts';
import { type CallEvidence, wasTurnedAway } from '../../scripts/drill/evidence.ts';
import type { Plan } from '../../scripts/drill/plan.ts';
import { headLine, markdown, merge, percentile, replaceTable, rowLine } from '../../scripts/drill/table.ts';
import { judge, type Row, shortfall, twilioMs } from '../../scripts/drill/verdict.ts';
import type { CallEvent } from '../../src/twin/twilio/call/call-events.ts';
import type { WebhookRecord } from '../../src/twin/twilio/webhooks/webhook-client.ts';
import { evidenceOf, heardReply } from './support/evidence-of.ts';

const turns = [1, 2, 3, 4];

/** Four questions, ten seconds apart, each answered three seconds later. */
const goodCall = (known: Partial<CallEvidence> = {}): CallEvidence =>
  evidenceOf({
    heard: [replies.greeting, ...turns].flatMap((reply) =>
      heardReply(reply, { from: reply * 10_000 + 3_000 }),
    ),
    said: turns.map((question) => ({
      question,
      repetition: 0,
      why: 'turn',
      beganAt: question * 10_000,
      endedAt: question * 10_000 + 1_000,
    })),
    isDone: true,
    endReason: 'agent.hungUp',
    events: [{ event: 'callEnded', at: 60_000, reason: 'api', status: 'completed' }],
    ...known,
  });

const plan: Plan = { name: 'some-drill', underEachPolicy: true, instances: ['one'], staggerMs: 0 };

const struckAt = (at: number) => [{ at, what: 'stream' as const, mutesStream: true }];

describe('a call', () => {
  it('is completed when all questions were answered, the last one after the fault', () => {
    expect(shortfall(goodCall())).toBeNull();
    expect(shortfall(goodCall({ struck: struckAt(35_000) }))).toBeNull();
    expect(shortfall(goodCall({ struck: struckAt(40_500) }))).toMatch('no whole turn after the fault');
    const moved = [{ at: 40_500, what: 'move' as const, mutesStream: true }];
    expect(shortfall(goodCall({ struck: moved })), 'a move is no fault').toBeNull();
  });

  it('is not completed with an answer missing, a wrong end, or a memory that was lost', () => {
    const { heard } = goodCall();
    expect(shortfall(goodCall({ heard: heard.filter(({ reply }) => reply !== 3) }))).toMatch(
      'no answer to 3',
    );
    expect(shortfall(goodCall({ endReason: 'caller.hungUp' }))).toMatch('ended with caller.hungUp');
    expect(shortfall(goodCall({ isDone: false }))).toMatch(`no answer to question ${lastQuestion}`);
    const forgot = heardReply(replies.forgot, { from: 55_000 });
    expect(shortfall(goodCall({ heard: [...heard, ...forgot] }))).toMatch('forgotten');
  });

  it('may be told that the outcome of its tool is unknown', () => {
    expect(answersTo(2)).toContain(replies.unknownOutcome);
    const heard = goodCall().heard.map((frame) =>
      frame.reply === 2 ? { ...frame, reply: replies.unknownOutcome } : frame,
    );
    expect(shortfall(goodCall({ heard }))).toBeNull();
  });

  it('counts once: completed, ended for a reason that it may have, or dropped', () => {
    const lost = goodCall({ callId: 'CA2', isDone: false, endReason: 'stream.lost' });
    const strict = judge(plan, 'action', [goodCall(), lost]);
    expect(strict).toMatchObject({ calls: 2, completed: 1, ended: 0, dropped: 1 });
    expect(strict.broken.join()).toMatch(/no call is dropped: CA2/);
    const lenient = judge({ ...plan, mayEndWith: () => ['stream.lost'] }, 'end', [goodCall(), lost]);
    expect(lenient).toMatchObject({ calls: 2, completed: 1, ended: 1, dropped: 0, broken: [] });
    const stillThere = { ...lost, events: [] };
    expect(judge({ ...plan, mayEndWith: () => ['stream.lost'] }, 'end', [stillThere]).dropped).toBe(1);
  });
});

describe('the drill of a lone restart', () => {
  const killed = [{ at: 20_000, what: 'process' as const, mutesStream: true }];
  const lost = (endedAt: number): CallEvidence =>
    goodCall({
      isDone: false,
      struck: killed,
      endReason: 'stream.lost',
      events: [{ event: 'callEnded', at: endedAt, reason: 'applicationError', status: 'failed' }],
    });

  it('tells after how long calls were given up, and takes that for broken with the fallback alone', () => {
    const results = [goodCall({ struck: killed }), lost(24_400), lost(24_100)];
    const without = judge(restartBound(0, true), 'action', results);
    expect(without.notes).toContain('Twilio gave 2 calls up, 4100 to 4400 ms after the kill');
    expect(without).toMatchObject({ completed: 1, ended: 2, broken: [] });
    const withFallback = judge(restartBound(0, false), 'action', results);
    expect(withFallback.broken.join()).toMatch(/no call is dropped/);
    expect(judge(restartBound(0, true), 'action', results.slice(0, 1)).notes).toContain(
      'Twilio gave no call up',
    );
  });
});

describe('a drill that does not ask for each policy', () => {
  const lone: Plan = { ...plan, underEachPolicy: false };

  it('bears the name of the one that it was told, but for the usual one', () => {
    expect(judge(lone, 'action', [goodCall()]).policy).toBeNull();
    expect(judge(lone, 'end', [goodCall()]).policy).toBe('end');
  });

  it('of a fleet that restarts may end with the stream where the carrier ends it', () => {
    const cut = goodCall({ isDone: false, endReason: 'stream.lost' });
    expect(judge(fleetRestart, 'end', [cut])).toMatchObject({ ended: 1, dropped: 0 });
    expect(judge(fleetRestart, 'action', [cut])).toMatchObject({ ended: 0, dropped: 1 });
  });
});

describe('a promise', () => {
  const sessions = [
    [
      { utterance: 3_000, frame: 1 },
      { utterance: 3_000, frame: 1 },
    ],
  ];
  const brokenCalls: [string, Partial<CallEvidence>, RegExp][] = [
    ['of replay', { replays: false }, /every log replays: CA1/],
    ['of crosstalk', { strangers: 1 }, /nobody hears another call: CA1/],
    ['of doubled words', { sessions }, /no session is given a word twice: CA1/],
    ['of repetition', { heard: [...goodCall().heard, ...goodCall().heard] }, /nothing is said twice: CA1/],
  ];

  it.each(brokenCalls)('%s is broken by the call that it names', (_, known, words) => {
    expect(judge(plan, 'action', [goodCall()]).broken).toEqual([]);
    expect(judge(plan, 'action', [goodCall(known)]).broken.join('\n')).toMatch(words);
  });

  it('no new call is turned away, where a drill promises that one process is always there', () => {
    const away = goodCall({ wasTurnedAway: true });
    expect(judge(plan, 'action', [away]).broken).toEqual([]);
    for (const restart of [rollingRestart, fleetRestart]) {
      expect(judge(restart, 'action', [goodCall()]).broken).toEqual([]);
      expect(judge(restart, 'action', [away]).broken).toEqual(['no new call is turned away: CA1']);
    }
  });

  it('of the gap concerns those who were struck; of an untouched call, the others', () => {
    const { heard } = goodCall();
    const torn = heard.map((frame) =>
      frame.at > 14_000 && frame.reply === 1 ? { ...frame, at: frame.at + 900 } : frame,
    );
    const struck = struckAt(14_000);
    const broken = (limits: Partial<Plan>, known: Partial<CallEvidence>): string[] =>
      judge({ ...plan, ...limits }, 'action', [goodCall({ heard: torn, ...known })]).broken;
    expect(broken({ gapLimitMs: 1_000 }, { struck })).toEqual([]);
    expect(broken({ gapLimitMs: () => 500 }, { struck }).join()).toMatch(/at most 500 ms/);
    expect(broken({ gapLimitMs: 500 }, {})).toEqual([]);
    expect(broken({ untouchedGapMs: 200 }, { struck })).toEqual([]);
    expect(broken({ untouchedGapMs: 200 }, {}).join()).toMatch(/no gap above 200 ms: CA1/);
  });

  it('of the gap is no more exact than the twin that hears it', () => {
    const heard = goodCall().heard.map((frame) =>
      frame.at > 14_000 ? { ...frame, at: frame.at + 900 } : frame,
    );
    const judged = (lateMs: number) =>
      judge({ ...plan, untouchedGapMs: 200 }, 'action', [goodCall({ heard })], lateMs);
    expect(judged(600).broken.join()).toMatch(/no gap above 200 ms/);
    expect(judged(700).broken).toEqual([]);
  });

  it('is not owed to a hostile peer, whose calls must end truly all the same', () => {
    const hostile = { ...plan, isHostile: () => true, untouchedGapMs: 0 };
    const heard = goodCall().heard.map((frame) =>
      frame.at > 14_000 ? { ...frame, at: frame.at + 900 } : frame,
    );
    expect(judge(hostile, 'action', [goodCall({ heard })])).toMatchObject({ gapsMs: [], broken: [] });
    expect(judge(hostile, 'action', [goodCall({ isDone: false })]).dropped).toBe(1);
  });
});

describe('a new call', () => {
  const asked = (url: string, at: number): WebhookRecord => ({
    ...{ url, at, doneAt: at, method: 'POST', parameters: {}, idempotencyToken: '', attempts: 1 },
    outcome: { kind: 'failed', code: 11200, detail: '' },
  });
  const opening: CallEvent = { event: 'streamOpening', at: 1_000, streamSid: 'MZ1', url: 'wss://h/' };
  const voice = asked('https://h/twilio/voice', 0);

  it.each([
    ['https://static.example/fallback', 500, true],
    ['https://h/twilio/fallback', 500, true],
    ['https://h/twilio/voice?waits=1', 500, false],
    // What becomes of a live call is another promise.
    ['https://static.example/fallback', 5_000, false],
  ])('for which the carrier asks %s at %i ms was turned away before its first stream: %s', (url, at, was) => {
    expect(wasTurnedAway({ webhooks: [voice, asked(url, at)], events: [opening] })).toBe(was);
  });

  it('that never got a stream was turned away whenever that was', () => {
    const webhooks = [voice, asked('https://h/twilio/fallback', 9_000)];
    expect(wasTurnedAway({ webhooks, events: [] })).toBe(true);
  });
});

describe("the twin's own share of a gap", () => {
  const started = { event: 'streamStarted', at: 0, streamSid: 'MZ1' } as const;
  const ended = (by: 'twilio' | 'loss'): CallEvent => ({
    event: 'streamEnded',
    at: 1,
    streamSid: 'MZ1',
    end: by === 'loss' ? { by, code: 31903 } : { by },
  });

  it('is that of the way on which the stream came back', () => {
    expect(twilioMs([started], 'action')).toBe(0);
    expect(twilioMs([started, ended('loss'), started], 'action')).toBe(365 + 365 + 90);
    expect(twilioMs([started, ended('loss'), started], 'hold')).toBe(651 + 365 + 90);
    expect(twilioMs([started, ended('twilio'), started, ended('twilio')], 'action')).toBe(651 + 365 + 90);
    expect(twilioMs([started, ended('loss'), started, ended('twilio')], 'action')).toBe(365 + 365 + 90);
  });
});

describe('the table', () => {
  const row: Row = {
    name: 'stream-half-open',
    policy: 'action',
    calls: 100,
    completed: 98,
    ended: 1,
    dropped: 1,
    gapsMs: [900, 1_200, 12_345],
    beyondMs: [80, 380, 11_525],
    wordsLost: 7,
    saidTwice: 0,
    toolsTwice: 0,
    leaks: 0,
    fleet: null,
    broken: ['one'],
    notes: [],
  };

  it('fits into a hundred columns, values under their headings', () => {
    expect(headLine().length).toBeLessThanOrEqual(100);
    expect(rowLine(row)).toHaveLength(headLine().length);
    expect(rowLine(row)).toMatch(
      /^stream-half-open action +100 +98 +1 +1 +1200\/12345\/12345 +380\/11525\/11525 +7 +0 +0 +0$/,
    );
    expect(rowLine({ ...row, policy: null, gapsMs: [] })).toMatch(/^stream-half-open +100 .*–\/–\/–/);
  });

  it('takes a percentile that at least so many values do not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([50, 99, 100].map((percent) => percentile(hundred, percent))).toEqual([50, 99, 100]);
    expect(percentile([], 99)).toBeNull();
  });

  it('adds up the runs of one drill under one policy', () => {
    const [both, other] = merge([row, { ...row, policy: 'hold' }, row]);
    expect(both).toMatchObject({
      calls: 200,
      completed: 196,
      dropped: 2,
      wordsLost: 14,
      broken: ['one', 'one'],
    });
    expect(both?.gapsMs).toHaveLength(6);
    expect(other).toMatchObject({ calls: 100, policy: 'hold' });
  });

  it('has a second one of what a fleet promises, added up over its runs', () => {
    const fleet = {
      takeoversMs: [943, 978],
      takeoversBeyondMs: [123, 158],
      acknowledged: 40,
      lost: 0,
      holes: 0,
      secondWriters: 0,
      feedGaps: 1,
    };
    const killed: Row = { ...row, name: 'instance-kill', fleet };
    const tables = markdown(merge([killed, row, killed])).split('\n\n');
    expect(tables[0]).toMatch(/^\| stream-half-open action \| 100 \|/m);
    expect(tables[1]?.split('\n').slice(2)).toEqual([
      '| instance-kill action | 943/978/978 | 123/158/158 | 80 | 0 | 0 | 0 | 2 |',
    ]);
    expect(markdown([row])).not.toContain('acknowledged');
  });

  it('takes its place in the documentation', () => {
    const text = 'before\n<!-- drills: begin -->\nold\n<!-- drills: end -->\nafter';
    const replaced = replaceTable(text, markdown([row]));
    expect(replaced).toMatch(
      /^before\n<!-- drills: begin -->\n\| drill \|[\s\S]*\| stream-half-open action \| 100 \|/,
    );
    expect(replaced).toMatch(/\n<!-- drills: end -->\nafter$/);
    expect(replaced).not.toMatch('old');
    expect(() => replaceTable('nothing', '')).toThrow('no place');
  });
});
