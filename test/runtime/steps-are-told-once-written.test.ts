/** A step is told once it is on its way into the journal, in the order of the log, whatever its observer does then. */
import { expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import type { Commit } from '../../src/runtime/ports/journal.ts';
import { lingerMs, queueLimit } from '../../src/runtime/writer.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { callEnded, callerStarts, carrierReported, streamStarted } from '../machines/support/facts.ts';
import { Diary, firstSignals, newCall } from './support/process.ts';

function watchedCall() {
  const clock = new VirtualClock();
  const journal = openMemoryJournal(createMemoryStore(), { clock });
  const commits: Commit[] = [];
  const log = {
    append: (commit: Commit) => {
      commits.push(commit);
      return journal.append(commit);
    },
    readAfter: journal.readAfter.bind(journal),
  };
  const diary = new Diary();
  const call = newCall(log, clock, diary);
  call.signalAll(firstSignals);
  return { clock, journal, commits, log, diary, call };
}

it('an observer may ask for durability while earlier entries wait: no commit names a state beyond its entries', async () => {
  const { clock, commits, diary, call } = watchedCall();
  await clock.advance(lingerMs);
  const outcomes: string[] = [];
  diary.onObserve = (step) => {
    if (step.entry.type !== 'call.ended') return;
    step.call.durable().then(
      () => outcomes.push('durable'),
      (error: unknown) => outcomes.push(String(error)),
    );
  };
  call.signal({ entry: carrierReported('completed') });
  await clock.advance(lingerMs);
  call.signal({ entry: { type: 'stream.closed', streamId: 'stream1', code: 1000 } });
  call.signal({ entry: callEnded });
  await clock.advance(lingerMs);
  expect(outcomes).toEqual(['durable']);
  expect(commits.map(({ row }) => row.lastSeq)).toEqual(commits.map(({ entries }) => entries.at(-1)?.seq));
  expect(diary.over).toEqual([call]);
});

it('the loss of the journal, noticed while an entry is written, is told after that entry', async () => {
  const { clock, log, diary, call } = watchedCall();
  await clock.advance(lingerMs);
  call.signal({ entry: streamStarted() });
  log.append = () => new Promise(() => undefined);
  await clock.advance(lingerMs);
  for (let asked = 0; asked <= queueLimit; asked++) call.signal({ entry: callerStarts });
  expect(diary.entries.map(({ type }) => type)).toContain('journal.lost');
  expect(diary.entries.map(({ seq }) => seq)).toEqual(diary.entries.map((_, index) => index + 1));
});
