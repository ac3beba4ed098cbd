/** What a person sees of several workers, and what sets them apart. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type PhaseOutcome, phases } from '../../../src/machines/service.ts';
import { mergeDetails } from '../../../src/service/workers/merged-details.ts';
import { workerEnvironment } from '../../../src/service/workers/worker-environment.ts';
import { WorkersTerminal } from '../../../src/service/workers/workers-terminal.ts';

let printed: string[];
let terminal: WorkersTerminal;
beforeEach(() => {
  printed = [];
  terminal = new WorkersTerminal(2, (text) => printed.push(text));
});

const passed = (detail: string, tookMs = 1): PhaseOutcome => ({
  outcome: 'passed',
  detail,
  advice: null,
  tookMs,
});
const failed = (detail: string): PhaseOutcome => ({
  outcome: 'failed',
  detail,
  advice: 'Mend it.',
  tookMs: 2,
});

function startWell(): void {
  for (const phase of phases) for (const number of [1, 2]) terminal.notePhase(number, phase, passed('well'));
  for (const number of [1, 2]) terminal.noteStarted(number, true);
}

describe('the start of all workers', () => {
  it('is shown as that of one: each phase once all have told it, with the longest time', () => {
    terminal.notePhase(2, 'configuration', passed('agent a, instance x-2', 12));
    terminal.notePhase(1, 'journal', passed('x.db'));
    expect(printed).toEqual(['Holdfast, 2 workers']);
    terminal.notePhase(1, 'configuration', passed('agent a, instance x-1', 10));
    expect(printed.slice(1)).toEqual(['  configuration    ok         12 ms  agent a, instance x-1 and x-2']);
    startWell();
    expect(printed.filter((line) => line.includes('configuration'))).toHaveLength(1);
    expect(printed.at(-1)).toBe('Ready for calls.');
    expect(printed).toHaveLength(2 + 5 + 1);
  });

  it('says which worker it is that is not well', () => {
    terminal.notePhase(1, 'configuration', passed('a'));
    terminal.notePhase(2, 'configuration', passed('a'));
    terminal.notePhase(1, 'model', failed('nobody answers'));
    terminal.notePhase(1, 'journal', passed('a'));
    terminal.notePhase(2, 'journal', passed('a'));
    terminal.notePhase(2, 'model', passed('answers'));
    terminal.noteStarted(1, false);
    terminal.noteStarted(2, true);
    const text = printed.join('\n');
    expect(text).toContain('model reachable  ok          1 ms  worker 2: answers');
    expect(text).toContain('model reachable  FAILED      2 ms  worker 1: nobody answers\n    Mend it.');
    expect(printed.at(-1)).toBe('Running. What is not well yet is tried again in the background.');
  });

  it('goes on without a worker that was killed in it', () => {
    terminal.notePhase(1, 'configuration', passed('a'));
    terminal.noteEnd(2, { code: null, signal: 'SIGKILL' }, 0);
    terminal.noteStarted(1, true);
    expect(printed.slice(1)).toEqual([
      'worker 2: ended (SIGKILL). It is started anew at once.',
      '  configuration    ok          1 ms  a',
      'Ready for calls.',
    ]);
  });

  it('that failed tells the reason once', () => {
    terminal.notePhase(1, 'configuration', failed('KEY is missing'));
    terminal.notePhase(2, 'configuration', failed('KEY is missing'));
    terminal.noteFailure();
    expect(printed.slice(1)).toEqual([
      '  configuration    FAILED      2 ms  KEY is missing\n    Mend it.',
      'Not started.',
    ]);
  });

  it('that failed in one worker before the other had come as far tells it all the same', () => {
    terminal.notePhase(2, 'configuration', failed('KEY is missing'));
    terminal.noteFailure();
    expect(printed.join('\n')).toContain('KEY is missing');
  });
});

describe('later', () => {
  beforeEach(() => {
    startWell();
    printed = [];
  });

  it('a phase is told with its worker’s number, and once for each reason', () => {
    terminal.notePhase(2, 'model', failed('nobody answers'));
    terminal.notePhase(2, 'model', failed('nobody answers'));
    terminal.notePhase(2, 'model', passed('answers'));
    expect(printed).toEqual([
      'worker 2:  model reachable  FAILED      2 ms  nobody answers\n    Mend it.',
      'worker 2:  model reachable  ok          1 ms  answers',
    ]);
  });

  it('the end of a worker and its new start are two lines', () => {
    terminal.noteEnd(1, { code: 1, signal: null }, 2_000);
    for (const phase of phases) terminal.notePhase(1, phase, passed('well'));
    terminal.noteStarted(1, true);
    expect(printed).toEqual([
      'worker 1: ended (exit code 1). It is started anew in 2 s.',
      'worker 1: Ready for calls.',
    ]);
  });

  it('a signal and what follows is told once', () => {
    terminal.noteDrain('SIGTERM', 20_000);
    terminal.noteStop('SIGTERM');
    terminal.noteStopped();
    expect(printed).toEqual([
      'SIGTERM: no new calls are taken. Live ones move to another process, or go on here for 20 s at most. Once more stops at once.',
      'SIGTERM: stopping at once.',
      'Stopped.',
    ]);
  });
});

describe('the details of several workers', () => {
  it.each([
    [['a', 'a', 'a'], 'a'],
    [['x, port 1', 'x, port 2'], 'x, port 1 and 2'],
    [['x, port 1', 'x, port 2', 'x, port 3'], 'x, port 1, 2 and 3'],
    [['http://a', 'http://b'], 'http://a and http://b'],
    [['one', 'one, two'], 'one\none, two'],
    [['n 1', 'n 2', 'n 3', 'n 4', 'n 5', 'n 6'], 'n 1, 2, 3, 4 and 2 more'],
  ])('%j are told as %j', (details, merged) => {
    expect(mergeDetails(details)).toBe(merged);
  });
});

describe('a worker', () => {
  it('has a name and an admin port of its own', () => {
    expect(workerEnvironment({ INSTANCE_ID: 'shop', ADMIN_PORT: '9000', X: 'y' }, 3)).toEqual({
      INSTANCE_ID: 'shop-3',
      ADMIN_PORT: '9002',
      X: 'y',
    });
    expect(workerEnvironment({}, 2)).toMatchObject({
      INSTANCE_ID: expect.stringMatching(/^[0-9a-f]{8}-\d+-[0-9a-f]{8}-2$/),
      ADMIN_PORT: '8082',
    });
  });

  it.each([
    ['0', '0'],
    ['65535', '65535'],
    ['99999', '99999'],
    ['none', 'none'],
  ])(
    'leaves ADMIN_PORT=%s as %s: the system chooses, there is no higher one, or it is wrong',
    (given, port) => {
      expect(workerEnvironment({ ADMIN_PORT: given }, 2).ADMIN_PORT).toBe(port);
    },
  );
});
