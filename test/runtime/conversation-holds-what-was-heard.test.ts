/** H1 and H2: the transcript, and the history that a new session is seeded with. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Draft, Entry } from '../../src/machines/entries.ts';
import { Conversation, conversationOf, lineLimit } from '../../src/runtime/conversation.ts';
import { heardLine, heardText } from '../../src/runtime/heard-text.ts';
import type { Payload } from '../../src/runtime/ports/journal.ts';
import { referTo } from '../../src/runtime/ports/signal.ts';
import {
  callerStops,
  claimed,
  modelClosed,
  modelOpened,
  replyFinished,
  replyPlayed,
  toolFinished,
  toolRequested,
} from '../machines/support/facts.ts';

type Said = Draft | [draft: Draft, payloads: Record<string, string>];

/** A log of these facts with their payloads, as a live call applies them. */
function conversationAbout(...said: Said[]): Conversation {
  const conversation = new Conversation();
  said.forEach((each, index) => {
    const [draft, contents] = Array.isArray(each) ? each : [each, {}];
    conversation.apply(entryOf(draft, index + 1), payloadsOf(contents, index + 1));
  });
  return conversation;
}

const entryOf = (draft: Draft, seq: number): Entry => ({ ...draft, seq, at: 1_000 + seq }) as Entry;
const payloadsOf = (contents: Record<string, string>, seq: number): Payload[] =>
  Object.entries(contents).map(([name, content]) => ({ seq, name, content }));

const startsSpeaking = (itemId: string): Draft => ({ type: 'caller.startedSpeaking', itemId });
const callerSays = (itemId: string, transcript: string): Said => [
  { type: 'caller.transcribed', itemId, transcript: referTo(transcript) },
  { transcript },
];
const voiced = (itemId: string, replyId = 'reply1'): Draft => ({ type: 'reply.voiced', replyId, itemId });
const agentSays = (itemId: string, transcript: string): Said => [
  { type: 'reply.transcribed', itemId, transcript: referTo(transcript) },
  { transcript },
];
const progressed = (itemId: string, receivedMs: number, playedMs: number): Draft => ({
  type: 'reply.progressed',
  itemId,
  receivedMs,
  playedMs,
});
const interrupted = (itemId: string, receivedMs: number, playedMs: number): Draft => ({
  type: 'reply.interrupted',
  items: [{ itemId, receivedMs, playedMs }],
});
const requests = (toolCallId: string): Said => [toolRequested(toolCallId), { arguments: '{"order":7}' }];
const finishes = (toolCallId: string): Said => [toolFinished(toolCallId), { result: 'on its way' }];

describe('the heard part of a text', () => {
  const word = fc.oneof(
    fc.constantFrom('Your', "don't", '3.14', 'half-past', 'eight,', '“Yes”', 'e\u0301te\u0301'),
    fc.constantFrom(
      '今日はいい天気ですね。',
      '我们明天早上八点见',
      'สวัสดีครับวันนี้',
      '👨\u200d👩\u200d👧',
      '👍🏽',
      '🇩🇪🇫🇷',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  );
  const text = fc
    .array(fc.tuple(word, fc.constantFrom('', ' ', ' ', '  ', '\r\n')), { maxLength: 12 })
    .map((words) => words.flat().join(''));
  const share = fc.double({ min: -0.5, max: 1.5, noNaN: true });

  /** Every place at which a piece of the text begins, and its end. */
  const edgesOf = (whole: string, granularity: 'word' | 'grapheme'): Set<number> => {
    const pieces = [...new Intl.Segmenter('en', { granularity }).segment(whole)];
    return new Set([...pieces.map(({ index }) => index), whole.length]);
  };

  it('is its longest beginning that ends with a word, within its share, whatever the language', () => {
    fc.assert(
      fc.property(text, share, (whole, heardShare) => {
        const heard = heardText(whole, heardShare);
        const graphemes = edgesOf(whole, 'grapheme');
        const ends = [...edgesOf(whole, 'word')]
          .filter((edge) => edge <= Math.max(0, heardShare) * whole.length && graphemes.has(edge))
          .filter((edge) => /\S$/u.test(whole.slice(0, edge)));
        expect(heard).toBe(heardShare >= 1 ? whole : whole.slice(0, Math.max(0, ...ends)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('never shrinks while more is heard', () => {
    fc.assert(
      fc.property(text, share, share, (whole, one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        expect(heardText(whole, more).startsWith(heardText(whole, less))).toBe(true);
      }),
    );
  });

  it.each([
    ['Japanese', '今日はいい天気ですね', 0.75, '今日はいい天気'],
    ['Chinese', '我们明天早上八点在车站见面', 0.5, '我们明天早上'],
    ['Thai', 'สวัสดีครับวันนี้อากาศดี', 0.5, 'สวัสดีครับ'],
    ['a sign that joins what follows', 'a \u0600 b', 0.6, 'a'],
    ['a family of one sign', 'Yes 👨\u200d👩\u200d👧\u200d👦 all', 0.7, 'Yes'],
  ])('ends with a word of %s', (_language, whole, heardShare, heard) => {
    expect(heardText(whole, heardShare)).toBe(heard);
  });

  it('is rounded down to the last whole word', () => {
    expect(heardText('Your table is booked for eight', 0.5)).toBe('Your table is');
    expect(heardText('Your table is booked for eight', 0.05)).toBe('');
    expect(heardText('Your table is booked for eight', 0.99)).toBe('Your table is booked for');
    expect(heardText('Your table is booked for eight', 4 / 30)).toBe('Your');
    expect(heardText('Your table is booked for eight', 3 / 30)).toBe('');
    expect(heardText('', 0.5)).toBe('');
    expect(heardText('', 1)).toBe('');
  });
});

describe('a conversation', () => {
  it('has the lines in the order in which they began', () => {
    const { lines } = conversationAbout(
      voiced('hello'),
      startsSpeaking('question'),
      agentSays('hello', 'Hello there'),
      voiced('reply', 'reply2'),
      callerSays('question', 'Where is my order?'),
    );
    expect(lines).toMatchObject([
      { kind: 'agent', itemId: 'hello', text: 'Hello there', at: 1_001, heard: 'playing' },
      { kind: 'caller', itemId: 'question', text: 'Where is my order?', at: 1_002 },
      { kind: 'agent', itemId: 'reply', text: null },
    ]);
  });

  it('has a line also where the words come without a beginning', () => {
    expect(conversationAbout(callerSays('question', 'Hello?')).lines).toMatchObject([
      { kind: 'caller', itemId: 'question', text: 'Hello?' },
    ]);
  });

  it('has one line for an item, however often it is voiced', () => {
    expect(conversationAbout(voiced('item'), voiced('item')).lines).toHaveLength(1);
  });

  it('knows nothing of items that never began', () => {
    const { lines } = conversationAbout(
      agentSays('ghost', 'Boo'),
      progressed('ghost', 10, 5),
      interrupted('ghost', 10, 5),
    );
    expect(lines).toEqual([]);
  });

  it('keeps the newest lines only (H2)', () => {
    const { lines } = conversationAbout(
      ...Array.from({ length: lineLimit + 25 }, (_, index) => startsSpeaking(`turn${index}`)),
    );
    expect(lines).toHaveLength(lineLimit);
    expect(lines[0]).toMatchObject({ itemId: 'turn25' });
  });

  it('is the same folded from a log as it was live', () => {
    const said: Said[] = [
      voiced('hello'),
      agentSays('hello', 'Hello there'),
      replyFinished(),
      replyPlayed(),
      startsSpeaking('question'),
      callerSays('question', 'Where is my order?'),
      requests('tool1'),
      finishes('tool1'),
    ];
    const entries = said.map((each, index) => entryOf(Array.isArray(each) ? each[0] : each, index + 1));
    const payloads = said.flatMap((each, index) =>
      Array.isArray(each) ? payloadsOf(each[1], index + 1) : [],
    );
    expect(conversationOf(entries, payloads).lines).toEqual(conversationAbout(...said).lines);
  });
});

describe('what the agent said', () => {
  const saying = (...more: Said[]): Conversation =>
    conversationAbout(voiced('item'), agentSays('item', 'One two three four five six seven eight'), ...more);
  const heard = (conversation: Conversation): string[] =>
    conversation.lines.flatMap((line) => (line.kind === 'agent' ? [heardLine(line)] : []));

  it('was heard as far as it was played', () => {
    expect(heard(saying(progressed('item', 4_000, 2_000)))).toEqual(['One two three four']);
    expect(heard(saying(progressed('item', 4_000, 0)))).toEqual(['']);
    expect(heard(saying())).toEqual(['']);
  });

  it('was heard up to the word in which it was interrupted', () => {
    const conversation = saying(progressed('item', 4_000, 3_000), interrupted('item', 4_000, 1_500));
    expect(heard(conversation)).toEqual(['One two three']);
    expect(conversation.lines[0]).toMatchObject({ heard: 'cut', playedMs: 1_500 });
  });

  it('was heard as a whole once all of it had come and was played, in either order', () => {
    const whole = ['One two three four five six seven eight'];
    const halfway = progressed('item', 4_000, 2_000);
    expect(heard(saying(halfway, replyFinished(), replyPlayed()))).toEqual(whole);
    expect(heard(saying(halfway, replyPlayed(), replyFinished()))).toEqual(whole);
    expect(heard(saying(replyFinished(), replyPlayed('another')))).toEqual(['']);
  });

  it('was heard as far as it came where the session stalled, failed or was cut short in the middle of it', () => {
    const half = ['One two'];
    const asFarAsItCame = progressed('item', 500, 500);
    const failed = replyFinished('reply1', { status: 'failed' });
    expect(heard(saying(asFarAsItCame, replyPlayed()))).toEqual(half);
    expect(heard(saying(asFarAsItCame, replyPlayed(), failed))).toEqual(half);
    expect(heard(saying(failed, asFarAsItCame, replyPlayed()))).toEqual(half);
    const cutShort = replyFinished('reply1', { status: 'incomplete', cause: 'max_output_tokens' });
    expect(heard(saying(cutShort, asFarAsItCame, replyPlayed()))).toEqual(half);
  });

  it('was heard as far as there was room for it, though all of it had come and what was kept was played', () => {
    const kept = progressed('item', 4_000, 2_000);
    const half = ['One two three four'];
    expect(heard(saying(replyFinished(), kept, replyPlayed()))).toEqual(half);
    expect(saying(replyFinished(), kept, replyPlayed()).history()).toMatchObject([{ text: half[0] }]);
  });

  it('was not heard where its words are not known', () => {
    expect(heard(conversationAbout(voiced('item'), replyFinished(), replyPlayed()))).toEqual(['']);
  });
});

describe('an item of a reply', () => {
  const begun = (replyId: string): Draft => ({ type: 'reply.started', replyId });
  const first = agentSays('first', 'Let me check that for you.');
  const second = agentSays('second', 'Your table is booked for eight.');
  const texts = (...said: Said[]): string[] =>
    conversationAbout(begun('reply1'), ...said)
      .history()
      .map((item) => (item.kind === 'speech' ? item.text : ''));

  it('has a line of its own, though only the first of them is told to be voiced (H3)', () => {
    const said = [voiced('first'), first, second, replyFinished(), progressed('first', 1_000, 1_000)];
    const ends = [progressed('second', 1_500, 1_500), replyPlayed()];
    expect(texts(...said, ...ends)).toEqual([
      'Let me check that for you.',
      'Your table is booked for eight.',
    ]);
  });

  it('that was not played when the caller interrupted another one was not heard', () => {
    const said = [voiced('first'), first, second, replyFinished()];
    const cut: Draft = {
      type: 'reply.interrupted',
      items: [
        { itemId: 'first', receivedMs: 1_000, playedMs: 500 },
        { itemId: 'second', receivedMs: 1_500, playedMs: 0 },
      ],
    };
    expect(texts(...said, cut)).toEqual(['Let me check']);
    expect(conversationAbout(begun('reply1'), ...said, cut).lines).toMatchObject([
      { itemId: 'first', heard: 'cut' },
      { itemId: 'second', heard: 'cut' },
    ]);
  });

  it('that is cut after another one was heard is known up to its cut', () => {
    const said = [voiced('first'), first, second, replyFinished(), progressed('first', 1_000, 1_000)];
    expect(texts(...said, interrupted('second', 1_500, 750))).toEqual([
      'Let me check that for you.',
      'Your table is',
    ]);
  });

  it('whose words come before its first sound was heard once it is played, and not before (H3)', () => {
    const said = [second, replyFinished()];
    expect(texts(...said)).toEqual([]);
    const sounds = [voiced('second'), progressed('second', 1_500, 1_500), replyPlayed()];
    expect(texts(...said, ...sounds)).toEqual(['Your table is booked for eight.']);
  });

  it('whose progress is told first has its words when they come', () => {
    const said = [progressed('second', 1_000, 900), second, replyFinished(), replyPlayed()];
    expect(texts(...said)).toEqual(['Your table is booked for eight.']);
  });

  it('without a sound was not heard, whatever is told of its reply', () => {
    expect(texts(second, replyFinished(), replyPlayed())).toEqual([]);
    expect(texts(voiced('first'), first, second, replyFinished(), replyPlayed())).toEqual([
      'Let me check that for you.',
    ]);
  });

  it('belongs to the reply that is voiced with it, also where the next one has begun', () => {
    const { lines } = conversationAbout(begun('reply1'), begun('reply2'), voiced('first', 'reply1'), first);
    expect(lines).toMatchObject([{ itemId: 'first', replyId: 'reply1' }]);
    const known = conversationAbout(begun('reply2'), first, voiced('first', 'reply1'));
    expect(known.playingItemsUpTo('reply1')).toEqual(['first']);
    expect(known.playingItemsUpTo('reply2')).toEqual([]);
  });
});

describe('a turn whose words nobody has told', () => {
  const opened = (generation = 1): Draft => modelOpened(generation);
  const lost = (generation = 1): Draft => modelClosed(generation);
  const asked: Said[] = [opened(), startsSpeaking('turn'), callerStops];
  const answer: Said[] = [voiced('item'), agentSays('item', 'one two three four five six seven eight')];
  const answered: Said[] = [...asked, ...answer, replyFinished()];
  const notes = (...said: Said[]): string[] =>
    conversationAbout(...said)
      .history()
      .flatMap((item) => (item.kind === 'note' ? [item.text] : []));
  const known = [expect.stringContaining('words are not known any more')];

  it('has a note in its place once its session is lost and it was answered (H5)', () => {
    const conversation = conversationAbout(...answered, replyPlayed(), lost());
    expect(conversation.history()).toMatchObject([{ kind: 'note' }, { kind: 'speech', role: 'agent' }]);
    expect(notes(...answered, lost())).toEqual(known);
    expect(notes(...asked, requests('tool1'), lost())).toEqual(known);
    expect(notes(...asked, ...answer, progressed('item', 4_000, 1_201), lost())).toEqual(known);
  });

  it('has none where the next session hears it again', () => {
    expect(notes(...asked, lost())).toEqual([]);
    expect(notes(...asked, ...answer, progressed('item', 4_000, 1_200), lost())).toEqual([]);
    const heardAgain: Said[] = [opened(2), startsSpeaking('again'), callerSays('again', 'What is it?')];
    expect(notes(...asked, lost(), ...heardAgain, ...answer, replyFinished())).toEqual([]);
  });

  it('has none while a session is open that may tell them, nor once they are told', () => {
    expect(notes(...answered)).toEqual([]);
    expect(notes(...answered, lost(2))).toEqual([]);
    expect(notes(...answered, opened(2), lost(1))).toEqual([]);
    expect(notes(...answered, callerSays('turn', 'What is it?'), lost())).toEqual([]);
    expect(notes(...answered, lost(), callerSays('turn', 'What is it?'))).toEqual([]);
    expect(notes(...answered, opened(2), lost(1), lost(2))).toEqual(known);
  });

  it('has none where it was told that there are none, as of a cough', () => {
    const wordless: Draft = { type: 'caller.transcribed', itemId: 'turn', transcript: null };
    expect(notes(...answered, wordless, lost())).toEqual([]);
  });

  it('has one where its process is lost', () => {
    expect(notes(claimed('one'), ...answered, claimed('two', { why: 'stream' }))).toEqual(known);
  });
});

describe('the history for a new session', () => {
  it('tells what was said and heard, oldest first', () => {
    const conversation = conversationAbout(
      voiced('hello'),
      agentSays('hello', 'Hello there'),
      replyFinished(),
      replyPlayed(),
      startsSpeaking('question'),
      callerSays('question', 'Where is my order?'),
      requests('tool1'),
      finishes('tool1'),
      voiced('reply', 'reply2'),
      agentSays('reply', 'It will arrive tomorrow before noon'),
      interrupted('reply', 3_000, 1_500),
    );
    expect(conversation.history()).toEqual([
      { kind: 'speech', role: 'agent', text: 'Hello there' },
      { kind: 'speech', role: 'caller', text: 'Where is my order?' },
      { kind: 'toolCall', toolCallId: 'tool1', name: 'find_order', arguments: '{"order":7}' },
      { kind: 'toolResult', toolCallId: 'tool1', output: 'on its way' },
      { kind: 'speech', role: 'agent', text: 'It will arrive' },
    ]);
  });

  it('leaves out what nobody heard or nobody knows', () => {
    const conversation = conversationAbout(
      startsSpeaking('unknown'),
      [{ type: 'caller.transcribed', itemId: 'silent', transcript: null }, {}],
      voiced('unheard'),
      agentSays('unheard', 'Nobody heard this'),
    );
    expect(conversation.history()).toEqual([]);
  });

  it('has every tool call, so that none is asked for again, and no result without its call', () => {
    expect(conversationAbout(requests('tool1'), requests('tool2'), finishes('tool2')).history()).toEqual([
      { kind: 'toolCall', toolCallId: 'tool1', name: 'find_order', arguments: '{"order":7}' },
      { kind: 'toolCall', toolCallId: 'tool2', name: 'find_order', arguments: '{"order":7}' },
      { kind: 'toolResult', toolCallId: 'tool2', output: 'on its way' },
    ]);
    expect(conversationAbout(finishes('tool1')).history()).toEqual([]);
  });

  it('has no result whose call was too long ago to be kept', () => {
    const turns = Array.from({ length: lineLimit - 1 }, (_, index) => startsSpeaking(`turn${index}`));
    expect(conversationAbout(requests('tool1'), ...turns, finishes('tool1')).history()).toEqual([]);
  });

  it('leaves out the request to hang up, whose outcome is the end of the call', () => {
    expect(conversationAbout(toolRequested('bye', 'hang_up')).history()).toEqual([]);
  });

  it('never has a result without its call, whatever comes when', () => {
    const ids = fc.constantFrom('a', 'b', 'c');
    const events = fc.array(
      fc.oneof(
        ids.map(requests),
        ids.map(finishes),
        ids.map((id): Said => startsSpeaking(id)),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(events, (said) => {
        const history = conversationAbout(...said).history();
        const idsOf = (kind: 'toolCall' | 'toolResult'): Set<string> =>
          new Set(history.flatMap((item) => (item.kind === kind ? [item.toolCallId] : [])));
        for (const toolCallId of idsOf('toolResult')) expect(idsOf('toolCall')).toContain(toolCallId);
      }),
    );
  });

  describe('of a reply that was still coming', () => {
    const text = 'one two three four five six seven eight nine ten';
    const itemId = 'item';
    const transcribed: Said = [
      { type: 'reply.transcribed', itemId, transcript: { bytes: text.length } },
      { transcript: text },
    ];
    const progressed = (receivedMs: number, playedMs: number): Said => ({
      type: 'reply.progressed',
      itemId,
      receivedMs,
      playedMs,
    });
    const voiced: Said = { type: 'reply.voiced', replyId: 'reply', itemId };
    const finished: Said = {
      type: 'reply.finished',
      replyId: 'reply',
      status: 'completed',
      cause: null,
      voiced: true,
      toolCalls: 0,
      usage: null,
    };
    const heard = (...said: Said[]): string =>
      conversationAbout(voiced, transcribed, ...said)
        .history()
        .map((item) => (item.kind === 'speech' ? item.text : ''))
        .join('');

    it('holds no more than can have been spoken, since the text runs ahead of the audio', () => {
      expect(heard(progressed(1_000, 1_000))).toBe('one two three');
    });

    it('holds the share of the audio once all of it had come', () => {
      expect(heard(finished, progressed(2_000, 1_000))).toBe('one two three four five');
    });

    it('does not take a measure from before the end for one of the whole', () => {
      expect(heard(progressed(1_000, 1_000), finished)).toBe('one two three');
    });
  });

  it('keeps its shape where payloads were erased', () => {
    const conversation = conversationAbout(
      toolRequested('tool1'),
      toolFinished('tool1', { outcome: 'timedOut' }),
      [{ type: 'caller.transcribed', itemId: 'item', transcript: { bytes: 5 } }, {}],
    );
    expect(conversation.history()).toEqual([
      { kind: 'toolCall', toolCallId: 'tool1', name: 'find_order', arguments: '{}' },
      { kind: 'toolResult', toolCallId: 'tool1', output: 'timedOut' },
    ]);
  });
});

describe('a reference', () => {
  it('tells the bytes of what it stands for', () => {
    expect(referTo('')).toEqual({ bytes: 0 });
    expect(referTo('Grüße')).toEqual({ bytes: 7 });
  });
});

describe("a caller's turn", () => {
  const claims = (name: string): Draft => claimed(name, { why: 'stream', attempt: 1 });
  const historyAfter = (...said: Said[]) =>
    conversationAbout(claims('one'), startsSpeaking('turn1'), ...said, claims('two')).history();

  it('that is over is not cut by the loss of its process, however it ended (H4)', () => {
    expect(historyAfter().map(({ kind }) => kind)).toEqual(['note']);
    expect(historyAfter(callerStops)).toEqual([]);
    expect(historyAfter({ type: 'reply.started', replyId: 'reply1' }, voiced('item1'))).toEqual([]);
  });
});

it.each([
  ['the caller says something else', startsSpeaking('turn9')],
  ['the result of a tool is there', finishes('tool1')],
  [
    'an operator wants something said',
    { type: 'announcement.requested', by: 'operator', words: { bytes: 1 } },
  ],
  ['another reply is heard', voiced('item9', 'reply9')],
] as const)('what a content filter broke off is no matter any more once %s', (_, next) => {
  const filtered = replyFinished('reply1', { status: 'incomplete', cause: 'content_filter' });
  expect(conversationAbout(filtered).isFiltered).toBe(true);
  expect(conversationAbout(filtered, next as Said).isFiltered).toBe(false);
});

it('what a content filter broke off after it asked for a tool is followed by an answer to that one', () => {
  const end = { status: 'incomplete', cause: 'content_filter', toolCalls: 1 } as const;
  const about = [requests('tool1'), finishes('tool1'), replyFinished('reply1', end)];
  expect(conversationAbout(...about).isFiltered).toBe(false);
});
