import { describe, expect, test } from 'vitest';
import { FixCallError } from '../../../src/runtime/ports/errors.ts';
import type { Brain, BrainItem, BrainReply, BrainRequest } from '../../../src/twin/openai/brain.ts';
import { echoBrain } from '../../../src/twin/openai/echo-brain.ts';
import { numberScript, type Script } from '../../../src/twin/openai/script.ts';
import { brainFromJson, scriptedBrain } from '../../../src/twin/openai/scripted-brain.ts';

const script = {
  greeting: { say: ['Welcome to the bicycle shop. ', 'How can I help?'] },
  turns: [
    {
      caller: 'Is my bike ready?',
      reply: {
        say: ['Let me check that. '],
        calls: [{ name: 'find_repair', arguments: { name: 'Ann' } }],
        afterResult: { say: ['Yes, it is ready. ', 'You can fetch it today. ', 'We close at six.'] },
      },
    },
    {
      caller: { text: 'How much is it?', delayMs: 3_000 },
      reply: { say: ['It is forty euros. ', 'Cash only.'] },
    },
    { caller: 'Thanks, bye.', reply: { say: ['You are welcome. ', 'Goodbye!'] } },
  ],
  otherwise: { say: ['Anything else?'] },
  instructed: [{ includes: 'apologise', reply: { say: ['I am sorry.'] } }],
} satisfies Script;

const brain = scriptedBrain(script);

const caller = (text = 'something', isSilence = false): BrainItem => ({ kind: 'caller', text, isSilence });
const agent = (text: string): BrainItem => ({ kind: 'agent', text });
const call: BrainItem = { kind: 'call', callId: 'c1', name: 'find_repair', arguments: '{}' };
const result: BrainItem = { kind: 'result', callId: 'c1', output: 'ready' };
const system: BrainItem = { kind: 'system', text: 'Stay polite.' };

const greetingText = 'Welcome to the bicycle shop. How can I help?';
const answer = 'Yes, it is ready. You can fetch it today. We close at six.';

const ask = (items: BrainItem[], request: Partial<BrainRequest> = {}, asked: Brain = brain): BrainReply =>
  asked.reply({ reason: 'request', instructions: null, items, ...request });

const words = (reply: BrainReply): string => reply.segments.map(({ text }) => text).join('');

describe('a scripted brain', () => {
  test('greets where nothing was said', () => {
    expect(words(ask([]))).toBe(greetingText);
    expect(words(ask([system]))).toBe(greetingText);
  });

  test('answers the turns of the caller in order', () => {
    expect(words(ask([agent(greetingText), caller()]))).toBe('Let me check that. ');
    expect(words(ask([caller(), agent(answer), caller()]))).toBe('It is forty euros. Cash only.');
    expect(words(ask([caller(), caller(), caller()]))).toBe('You are welcome. Goodbye!');
    expect(words(ask([caller(), caller(), caller(), caller()]))).toBe('Anything else?');
  });

  test('calls its tools where the script says, and goes on after the result', () => {
    const withCall = ask([caller()]);
    expect(withCall.calls).toEqual([{ name: 'find_repair', arguments: '{"name":"Ann"}' }]);
    const after = ask([caller(), agent('Let me check that.'), call, result]);
    expect(words(after)).toBe(answer);
    expect(after.calls).toEqual([]);
  });

  test('makes a call whose commentary was heard but which was not made', () => {
    const rest = ask([caller(), agent('Let me check that.')]);
    expect(rest.segments).toEqual([]);
    expect(rest.calls).toHaveLength(1);
  });

  test('answers a result though the caller spoke meanwhile', () => {
    const items = [
      caller(),
      agent('Let me check that.'),
      call,
      caller(),
      agent('It is forty euros.'),
      result,
    ];
    expect(words(ask(items))).toBe(answer);
  });

  test('has nothing to say to a call that waits or that no script makes', () => {
    expect(words(ask([caller(), call]))).toBe('Anything else?');
    const unknown: BrainItem[] = [{ ...call, name: 'unheard_of' } as BrainItem, result];
    expect(words(ask(unknown))).toBe('Anything else?');
  });

  test('numbers replies in the order of the script', () => {
    const { replies } = numberScript(script);
    expect(replies.map(({ reply }) => reply)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(replies.map(({ turn }) => turn)).toEqual([0, 1, 1, 2, 3, null, null, null, null]);
    expect(ask([caller()]).reply).toBe(1);
    expect(ask([caller(), call, result]).reply).toBe(2);
    expect(ask([]).segments.map(({ segment }) => segment)).toEqual([0, 1]);
  });

  test('gives each segment the time that its text takes, or the one it is told', () => {
    const { replies } = numberScript({
      greeting: { say: ['Hi', 'A text of twenty chars', { text: 'x', lengthMs: 77 }] },
    });
    expect(replies[0]?.segments.map(({ lengthMs }) => lengthMs)).toEqual([400, 22 * 60, 77]);
  });

  test('follows instructions that it knows, once', () => {
    expect(words(ask([caller()], { instructions: 'Please apologise to the caller.' }))).toBe('I am sorry.');
    expect(words(ask([caller()], { instructions: 'Go on.' }))).toBe('Let me check that. ');
  });

  test('has words for silence and for what runs beside the conversation', () => {
    expect(words(ask([caller('', true)], { reason: 'silence' }))).toBe('Are you still there?');
    expect(words(ask([caller()], { reason: 'outOfBand' }))).toBe('Nothing else was said.');
  });

  test('does not count silence as a turn', () => {
    expect(words(ask([caller('', true), agent('Are you still there?'), caller()]))).toBe(
      'Let me check that. ',
    );
  });

  test('has something to say without a greeting', () => {
    expect(words(ask([], {}, scriptedBrain({})))).toBe('I have nothing to add.');
  });
});

describe('a history that was cut at what the caller heard', () => {
  test.each([
    ['within the first segment', 'Yes, it', 0],
    ['after the first', 'Yes, it is ready.', 1],
    ['within the second', 'Yes, it is ready. You can fetch', 1],
    ['after the second', 'Yes, it is ready. You can fetch it today.', 2],
    ['before its last word', 'Yes, it is ready. You can fetch it today. We close at', 2],
    ['without its marks', 'yes it is ready you can fetch it today', 2],
    ['with a mark of the cut', 'Yes, it is ready. You can …', 1],
  ])('is gone on with at the first segment that was not heard whole: %s', (_where, heard, next) => {
    const rest = ask([caller(), call, result, agent(heard)]);
    expect(rest.reply).toBe(2);
    expect(rest.segments.map(({ segment }) => segment)).toEqual([0, 1, 2].slice(next));
  });

  test('is gone on with where it was cut for a second time', () => {
    const items = [
      caller(),
      call,
      result,
      agent('Yes, it is ready. You can'),
      agent('You can fetch it today. We'),
    ];
    expect(ask(items).segments.map(({ segment }) => segment)).toEqual([2]);
  });

  test('is gone on with at its own place where a reply repeats itself', () => {
    const refrain = scriptedBrain({ greeting: { say: ['One. ', 'Two. ', 'One. ', 'Two. ', 'Three.'] } });
    expect(words(ask([agent('One. Two. One.'), agent('Two.')], {}, refrain))).toBe('Three.');
  });

  test('is not gone on with when the caller speaks', () => {
    expect(words(ask([caller(), call, result, agent('Yes, it is'), caller()]))).toBe(
      'It is forty euros. Cash only.',
    );
  });

  test('leaves nothing to say when all was heard', () => {
    expect(words(ask([caller(), call, result, agent(answer)]))).toBe('Anything else?');
  });

  test('goes on with a greeting', () => {
    expect(words(ask([agent('Welcome to the bicycle')]))).toBe(greetingText);
    expect(words(ask([agent('Welcome to the bicycle shop. How')]))).toBe('How can I help?');
  });

  test('says nothing of what an agent said who had another script', () => {
    expect(words(ask([caller(), agent('Completely different words.')]))).toBe('Anything else?');
    expect(words(ask([caller(), agent('...')]))).toBe('Let me check that. ');
  });

  test('whose beginning was left out is found again by what was said last', () => {
    const items = [agent('It is forty euros. Cash only.'), caller()];
    expect(words(ask(items))).toBe('You are welcome. Goodbye!');
    expect(words(ask([call, result]))).toBe(answer);
    expect(words(ask([caller(), caller(), caller(), agent('Welcome to the bicycle shop.'), caller()]))).toBe(
      'Let me check that. ',
    );
  });

  test('knows both calls of one reply', () => {
    const look = { name: 'look', arguments: '{}' };
    const both = scriptedBrain({
      turns: [
        { reply: { calls: [look, look], afterResult: { say: ['Saw both.'] } } },
        { reply: { calls: [look], afterResult: { say: ['Saw another.'] } } },
      ],
    });
    const calls: BrainItem[] = ['a', 'b'].map((callId) => ({ kind: 'call', callId, ...look }));
    const results: BrainItem[] = ['a', 'b'].map((callId) => ({ kind: 'result', callId, output: '' }));
    expect(ask([caller()], {}, both).calls).toHaveLength(2);
    expect(words(ask([caller(), ...calls, ...results], {}, both))).toBe('Saw both.');
    expect(ask([caller(), ...calls, ...results, agent('Saw both.'), caller()], {}, both).calls).toHaveLength(
      1,
    );
  });

  test('tells two calls of the same tool apart by their order', () => {
    const again = scriptedBrain({
      turns: ['one', 'two'].map((name) => ({
        caller: name,
        reply: { calls: [{ name: 'look', arguments: '{}' }], afterResult: { say: [`result ${name}`] } },
      })),
    });
    const look = (callId: string): BrainItem[] => [
      { kind: 'call', callId, name: 'look', arguments: '{}' },
      { kind: 'result', callId, output: '' },
    ];
    expect(words(ask(look('a'), {}, again))).toBe('result one');
    expect(words(ask([...look('a'), ...look('b')], {}, again))).toBe('result two');
    expect(words(ask([caller(), ...look('a'), caller(), ...look('b')], {}, again))).toBe('result two');
    expect(words(ask([...look('a'), ...look('b'), ...look('c')], {}, again))).toMatch(/^result/);
  });
});

describe('what the caller said', () => {
  const turn = { durationMs: 1_000, isSilence: false, audio: () => new Uint8Array(0) };

  test('comes from the script, turn by turn', () => {
    expect(brain.transcribe({ ...turn, items: [] })).toEqual({ text: 'Is my bike ready?' });
    expect(brain.transcribe({ ...turn, items: [caller()] })).toEqual({
      text: 'How much is it?',
      delayMs: 3_000,
    });
    expect(brain.transcribe({ ...turn, items: [caller(), caller(), caller()] })).toEqual({ text: '' });
  });

  test('is nothing where it was silence', () => {
    expect(brain.transcribe({ ...turn, isSilence: true, items: [] })).toEqual({ text: '' });
  });
});

describe('a brain from a file', () => {
  test('follows the script in it', () => {
    expect(words(ask([], {}, brainFromJson(JSON.stringify(script))))).toBe(greetingText);
  });

  test('makes small talk without end', () => {
    const talker = brainFromJson('{"smallTalk":true}');
    const replies = Array.from({ length: 7 }, (_, turns) => ask(new Array(turns).fill(caller()), {}, talker));
    expect(replies.map(({ reply }) => reply)).toEqual([0, 1, 2, 3, 4, 5, 0]);
    const { text } = talker.transcribe({
      items: [],
      isSilence: false,
      durationMs: 1,
      audio: () => new Uint8Array(0),
    });
    expect(text).not.toBe('');
    expect(
      echoBrain().transcribe({ items: [], isSilence: true, durationMs: 1, audio: () => new Uint8Array(0) }),
    ).toEqual({ text: '' });
  });

  test.each(['', '{"turns":5}', '{"smallTalk":false}', '{"greetings":{}}'])('is refused from %j', (json) => {
    expect(() => brainFromJson(json)).toThrow(FixCallError);
  });
});
