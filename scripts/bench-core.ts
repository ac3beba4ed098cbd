/**
 * Owns: what the core costs: one step, a fold from the start of a log, a fold from its newest checkpoint.
 * Does not own: the journal's own time (`bench-journal.ts`).
 *
 * Run with `node --conditions=holdfast-source scripts/bench-core.ts [entries]`. Prints one line per figure, the median
 * of several rounds. The log is a long conversation of turns, tools and replies.
 */

import { chartNumber } from '../src/machines/call/context.ts';
import { callMachine } from '../src/machines/call/machine.ts';
import { type Draft, type Entry, entryFormat } from '../src/machines/entries.ts';
import { settingsSchema } from '../src/machines/settings.ts';
import { checkpointEvery } from '../src/runtime/call.ts';
import { parseEntry } from '../src/runtime/history.ts';
import type { StoredEntry } from '../src/runtime/ports/journal.ts';
import { type CallState, fold, freeze, step, thaw } from '../src/runtime/step.ts';
import { readNumbers } from './bench/numbers.ts';

const rounds = 15;
const leastEntries = 2 * checkpointEvery;
const usage = `npm run bench:core -- [entries 2000, at least ${leastEntries}]`;
const [size = 0] = readNumbers(usage, [2_000], leastEntries);

const beginning: Draft[] = [
  {
    type: 'call.created',
    format: entryFormat,
    chart: chartNumber,
    agent: 'digest',
    direction: 'incoming',
    carrierCallId: 'CA1',
    from: { bytes: 12 },
    to: { bytes: 12 },
    traceId: '0'.repeat(32),
    settings: settingsSchema.parse({}),
  },
  { type: 'owner.claimed', instance: 'one', why: 'created' },
  { type: 'call.answered', by: 'us' },
  { type: 'model.opened', generation: 1, sessionId: 'session', expiresAt: null },
  { type: 'owner.claimed', instance: 'one', why: 'stream', attempt: 1 },
  { type: 'stream.started', streamId: 'stream', attempt: 1 },
];

/** One turn: the caller speaks, a tool runs, the agent answers. */
function turn(number: number): Draft[] {
  const [itemId, toolCallId] = [`caller${number}`, `tool${number}`];
  const [asking, answering] = [`asking${number}`, `answering${number}`];
  const usage = null;
  return [
    { type: 'caller.startedSpeaking', itemId },
    { type: 'caller.stoppedSpeaking', itemId, silenceMs: 500 },
    { type: 'reply.started', replyId: asking },
    { type: 'caller.transcribed', itemId, transcript: { bytes: 40 } },
    {
      type: 'tool.requested',
      toolCallId,
      replyId: asking,
      name: 'find',
      effect: 'none',
      arguments: { bytes: 9 },
    },
    {
      type: 'reply.finished',
      replyId: asking,
      status: 'completed',
      cause: null,
      voiced: false,
      toolCalls: 1,
      usage,
    },
    { type: 'tool.finished', toolCallId, outcome: 'completed', result: { bytes: 90 } },
    { type: 'reply.started', replyId: answering },
    { type: 'reply.voiced', replyId: answering, itemId: answering },
    { type: 'reply.progressed', itemId: answering, receivedMs: 2_000, playedMs: 1_000 },
    {
      type: 'reply.finished',
      replyId: answering,
      status: 'completed',
      cause: null,
      voiced: true,
      toolCalls: 0,
      usage,
    },
    { type: 'reply.progressed', itemId: answering, receivedMs: 2_000, playedMs: 2_000 },
    { type: 'reply.played', replyId: answering },
  ];
}

function makeLog(): Entry[] {
  const drafts = [...beginning];
  for (let number = 0; drafts.length < size; number++) drafts.push(...turn(number));
  return drafts
    .slice(0, size)
    .map((draft, index) => ({ ...draft, seq: index + 1, at: 1_000 + index * 200 }) as Entry);
}

function medianMs(work: () => void): number {
  const times = Array.from({ length: rounds }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  return times.sort((one, other) => one - other)[Math.floor(rounds / 2)] ?? 0;
}

const log = makeLog();
const stored = JSON.stringify(log);
const tail = log.slice(-checkpointEvery);
const before = fold('call', log.slice(0, -checkpointEvery)) as CallState;
const checkpoint = JSON.stringify(freeze(before));
const storedTail = JSON.stringify(tail);

const readEntries = (text: string): Entry[] =>
  (JSON.parse(text) as StoredEntry[]).map((entry) => parseEntry('call', entry));

function stepAlone(): void {
  let state: CallState | null = before;
  for (const entry of tail) [state] = step('call', state, entry);
}

const show = (what: string, ms: number): void =>
  console.log(`${what.padEnd(66)}${ms.toFixed(2).padStart(8)} ms`);

console.log(`chart ${chartNumber}: ${Object.keys(callMachine.states).join(', ')}; ${log.length} entries\n`);
for (let warmUp = 0; warmUp < 10; warmUp++) fold('call', log);
const stepMs = medianMs(stepAlone) / tail.length;
console.log(`${'one step'.padEnd(66)}${(stepMs * 1_000).toFixed(1).padStart(8)} us`);
show(
  `fold of ${log.length} entries from the start`,
  medianMs(() => fold('call', log)),
);
show(
  'the same with parsing and validation',
  medianMs(() => fold('call', readEntries(stored))),
);
show(
  `from a checkpoint, ${tail.length} entries after it`,
  medianMs(() => fold('call', tail, thaw('call', JSON.parse(checkpoint)))),
);
const fromCheckpointMs = medianMs(() =>
  fold('call', readEntries(storedTail), thaw('call', JSON.parse(checkpoint))),
);
show('the same with parsing and validation (bound: 5 ms)', fromCheckpointMs);
if (fromCheckpointMs >= 5) process.exitCode = 1;
