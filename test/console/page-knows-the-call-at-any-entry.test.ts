/** What the page knows of a call at an entry is what a fold of the views would give, whichever way it came to know. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallModel } from '../../src/console/page/call/call-model.ts';
import { Cursor } from '../../src/console/page/call/cursor.ts';
import { hearingAt } from '../../src/console/page/call/hearing.ts';
import { lineAt } from '../../src/console/page/call/line-state.ts';
import { addressOf, placeOf } from '../../src/console/page/state/place.ts';
import { clockText, lengthText, offsetText, plural } from '../../src/console/page/state/words.ts';
import type { CallView, LineView, StepView } from '../../src/runtime/ports/operator.ts';
import { everyday, faults, hourLong } from './support/told-calls.ts';

const told = everyday(1_795_700_000_000);
const view = (): CallView => JSON.parse(JSON.stringify(told.projection.view()));

/** Key by key from the beginning, as the views say it. */
function folded({ steps }: CallView, seq: number, of: 'context' | 'timers'): Record<string, unknown> {
  return Object.assign({}, ...steps.slice(0, seq).map((step) => step[of]));
}

describe('the context and the timers at an entry', () => {
  it('are what the steps up to it give', () => {
    const model = new CallModel(view());
    for (let seq = 1; seq <= model.lastSeq; seq++) {
      expect(Object.fromEntries(model.contextAt(seq))).toEqual(folded(model.view, seq, 'context'));
      const running = Object.entries(folded(model.view, seq, 'timers')).filter(([, at]) => at !== null);
      const timers = model.timersAt(seq);
      expect(new Map(timers.map(({ name, at }) => [name, at]))).toEqual(
        new Map(running as [string, number][]),
      );
      expect(timers.map(({ at }) => at)).toEqual(timers.map(({ at }) => at).sort((a, b) => a - b));
    }
  });
});

describe('a page that was open from the start', () => {
  it('knows what one knows that is opened now, wherever the patches were cut', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 6 }), (cuts) => {
        const live = hourLong(1_795_700_000_000, 20);
        const model = new CallModel(JSON.parse(JSON.stringify(live.projection.view())));
        const stops = cuts.sort((a, b) => a - b);
        for (const stop of stops) {
          const seen = model.lastSeq;
          if (stop % 2 === 0) live.caller('One more thing.');
          else live.agent('Go on.', 1_500, stop % 3 === 0 ? 0.5 : 1);
          model.take(JSON.parse(JSON.stringify(live.projection.patchAfter(seen))));
        }
        const fresh = new CallModel(JSON.parse(JSON.stringify(live.projection.view())));
        expect(model.view).toEqual(fresh.view);
        for (const seq of [1, 10, model.lastSeq]) {
          expect(model.contextAt(seq)).toEqual(fresh.contextAt(seq));
          expect(model.nodesAt(seq)).toEqual(fresh.nodesAt(seq));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('loses the words of an erased call, and nothing else', () => {
    const call = everyday(1_795_700_000_000);
    const model = new CallModel(JSON.parse(JSON.stringify(call.projection.view())));
    const seen = model.lastSeq;
    call.tell({ type: 'payloads.erased', by: 'operator', operator: 'ada', payloads: 9, bytes: 400 }, 1_000);
    model.take(JSON.parse(JSON.stringify(call.projection.patchAfter(seen))));
    expect(model.view.lines.every(({ text }) => text === null)).toBe(true);
    expect(model.view.call.from).toBeNull();
    expect(model.nodesAt(20)).toEqual(new CallModel(view()).nodesAt(20));
    expect(model.contextAt(20)).toEqual(new CallModel(view()).contextAt(20));
  });
});

describe('a line of the transcript', () => {
  const model = new CallModel(view());
  const cut = model.view.lines.find(({ cutSeq }) => cutSeq !== null) as LineView;

  it('has no words before they were known, and never more heard than said', () => {
    for (const line of model.view.lines) {
      for (let seq = line.seq; seq <= model.lastSeq; seq++) {
        const { heard, unheard } = lineAt(line, seq);
        const isKnown = line.textSeq !== null && line.textSeq <= seq;
        expect(heard + unheard).toBe(isKnown ? line.text : '');
      }
    }
  });

  it('is cut from the entry on at which it was cut', () => {
    const cutSeq = cut.cutSeq ?? 0;
    expect(lineAt(cut, cutSeq - 1).isCut).toBe(false);
    const { isCut, heard, unheard } = lineAt(cut, cutSeq);
    expect(isCut).toBe(true);
    expect(heard).toMatch(/^Your bike is ready/);
    expect(unheard).toMatch(/six today\.$/);
  });

  it('is cut in proportion where the words that were heard are not told', () => {
    const line = {
      ...cut,
      heard: [{ seq: 1, receivedMs: 1_000, playedMs: 500, text: '' }],
      textSeq: 1,
      text: '0123456789',
    };
    expect(lineAt(line, 2).heard).toBe('01234');
    expect(lineAt({ ...line, heard: [] }, 2).heard).toBe('');
    expect(lineAt({ ...line, text: null, erased: true }, 2)).toMatchObject({ isErased: true, heard: '' });
  });
});

describe('what the caller hears', () => {
  it('follows the facts', () => {
    const model = new CallModel(view());
    const texts = new Set(model.view.steps.map(({ entry }) => hearingAt(model.view.steps, entry.seq)?.text));
    expect(texts).toEqual(
      new Set([
        'It rings',
        'Silence: nobody speaks',
        'The agent speaks',
        'Nobody: the caller speaks',
        'Silence, and waits for the agent',
        'Silence: a tool runs',
        'The holding sound',
        'Silence: the line to the caller is gone',
        'The call is over',
      ]),
    );
    expect(hearingAt([], 1)).toBeNull();
  });

  it('goes on where another session is there than the one that is over', () => {
    const stepOf = (entry: object, index: number): StepView =>
      ({ entry: { ...entry, seq: index + 1 }, commands: [] }) as unknown as StepView;
    const opened = (generation: number) => ({ type: 'model.opened', generation });
    const closed = (generation: number) => ({ type: 'model.closed', generation });
    const steps = [opened(1), { type: 'reply.voiced' }, opened(2), closed(1), closed(2), opened(3)].map(
      stepOf,
    );
    const texts = steps.map(({ entry }) => hearingAt(steps, entry.seq)?.text);
    expect(texts.slice(1, 4)).toEqual(Array(3).fill('The agent speaks'));
    expect(texts[4]).toBe('Silence: the agent has no session');
  });

  const stepOf = (entry: object, index: number): StepView =>
    ({ commands: [], ...entry, entry: { ...entry, seq: index + 1 } }) as unknown as StepView;
  const heardOf = (entries: object[]) => {
    const steps = entries.map(stepOf);
    return steps.map(({ entry }) => hearingAt(steps, entry.seq));
  };
  const started = { type: 'stream.started', streamId: 'MZ1' };
  const voiced = (replyId: string) => ({ type: 'reply.voiced', replyId });
  const played = (replyId: string) => ({ type: 'reply.played', replyId });
  const tool = { type: 'tool.requested', toolCallId: 'call_1', commands: ['runTool (toolCallId call_1)'] };

  it('is the caller, and not silence, after an interruption', () => {
    const heard = heardOf([
      started,
      voiced('one'),
      { type: 'caller.startedSpeaking' },
      { type: 'reply.interrupted' },
    ]);
    expect(heard[3]).toMatchObject({ text: 'Nobody: the caller speaks', seq: 3 });
    const late = [started, voiced('one'), { type: 'caller.startedSpeaking' }, { type: 'reply.progressed' }];
    expect(heardOf([...late, { type: 'reply.interrupted' }])[4]?.text).toBe('Nobody: the caller speaks');
    expect(heardOf([started, voiced('one'), { type: 'reply.interrupted' }])[2]?.text).toBe(
      'Silence: nobody speaks',
    );
  });

  it('is the agent, since the beginning of its words, until all that it says was played', () => {
    const heard = heardOf([
      started,
      voiced('one'),
      tool,
      { type: 'reply.progressed' },
      { type: 'tool.finished', toolCallId: 'call_1' },
      voiced('two'),
      played('one'),
      played('two'),
    ]);
    expect(heard.slice(1, 7).map((each) => [each?.text, each?.seq])).toEqual(
      Array(6).fill(['The agent speaks', 2]),
    );
    expect(heard[7]?.text).toBe('Silence: nobody speaks');
  });

  it('is a tool that runs once the words are over, and none that nobody runs', () => {
    expect(heardOf([started, voiced('one'), tool, played('one')])[3]?.text).toBe('Silence: a tool runs');
    const hangUp = { type: 'tool.requested', toolCallId: 'call_2' };
    expect(heardOf([started, voiced('one'), hangUp, played('one')])[3]?.text).toBe('Silence: nobody speaks');
  });

  it('goes on where a line ends that another one has replaced', () => {
    const closed = (streamId: string) => ({ type: 'stream.closed', streamId });
    const heard = heardOf([
      started,
      { ...started, streamId: 'MZ2' },
      voiced('one'),
      closed('MZ1'),
      closed('MZ2'),
    ]);
    expect(heard.slice(3).map((each) => each?.text)).toEqual([
      'The agent speaks',
      'Silence: the line to the caller is gone',
    ]);
  });

  it('is the holding sound where that was asked for', () => {
    const { steps } = faults[3]!.tell(1_795_700_000_000).projection.view();
    expect(steps.some(({ entry }) => hearingAt(steps, entry.seq)?.text === 'The holding sound')).toBe(true);
  });
});

describe('the cursor', () => {
  const quiet = (): void => undefined;

  it('follows the newest entry until somebody goes elsewhere, and again when told', () => {
    const cursor = new Cursor(10, null, () => 0, quiet);
    cursor.grow(12);
    expect(cursor.seq).toBe(12);
    cursor.go(5);
    cursor.grow(13);
    expect(cursor.seq).toBe(5);
    cursor.follow();
    expect(cursor.seq).toBe(13);
    cursor.go(99);
    expect(cursor.seq).toBe(13);
    cursor.go(-3);
    expect(cursor.seq).toBe(1);
  });
});

describe('places and words', () => {
  it('are the same after being written as an address', () => {
    for (const hash of [
      '#/',
      '#/past',
      '#/past?text=a+b',
      '#/calls/CA%2F1',
      '#/calls/CA1?seq=4',
      '#/health',
      '#/instances',
      '#/try',
    ]) {
      expect(addressOf(placeOf(hash))).toBe(hash);
    }
    expect(placeOf('#/nowhere')).toEqual({ name: 'live' });
    expect(placeOf('')).toEqual({ name: 'live' });
  });

  it('are short', () => {
    expect([clockText(7_900), clockText(725_000), clockText(3_725_000), offsetText(725_340)]).toEqual([
      '0:07',
      '12:05',
      '1:02:05',
      '12:05.3',
    ]);
    expect([lengthText(840), lengthText(2_440), lengthText(181_000), lengthText(7_300_000)]).toEqual([
      '840 ms',
      '2.4 s',
      '3 min',
      '2 h',
    ]);
    expect([plural(1, 'call'), plural(2, 'entry', 'entries')]).toEqual(['1 call', '2 entries']);
  });
});
