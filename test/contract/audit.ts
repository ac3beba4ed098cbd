/**
 * Owns: the contract of what is seen and erased beside the call's owner: the feed, the filters of the list, the log of
 * the instances, erasure. Every adapter of the `Journal` port keeps it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CallListQuery, InstanceFact, Journal, Payload } from '../../src/runtime/ports/journal.ts';
import { commitOf, endedAt } from './commits.ts';
import type { TwoHandles } from './journal.ts';

/** Resolves when `journal` tells of a commit that `commit` makes to `callId`; null stands for any call. */
async function toldOf(journal: Journal, callId: string | null, commit: () => Promise<void>): Promise<void> {
  const tidings: (() => void)[] = [];
  const stop = journal.follow(callId, () => {
    for (const hear of tidings) hear();
  });
  // Whoever begins to follow may be told once though nothing came: before this answer, if at all.
  await journal.instances();
  const told = new Promise<void>((resolve) => tidings.push(resolve));
  await commit();
  await told;
  stop();
}

const payload = (seq: number, content: string): Payload => ({ seq, name: 'text', content });
const fact = (instance: string, at: number, note = ''): InstanceFact => ({
  instance,
  at,
  type: 'something.happened',
  detail: { note },
});

export function describeAudit(name: string, openTwo: () => Promise<TwoHandles>): void {
  describe(`the journal’s audit contract, ${name}`, () => {
    let two: TwoHandles;
    let one: Journal;
    let other: Journal;

    beforeAll(async () => {
      two = await openTwo();
      ({ one, other } = two);
    });

    afterAll(async () => {
      await one.close();
      await other.close();
      await two.cleanUp();
    });

    describe('the feed', () => {
      test('gives whole commits that end after a seq, and stops with the one that fills the limit', async () => {
        for (const [firstSeq, entries] of [
          [1, 3],
          [4, 1],
          [5, 2],
          [7, 1],
        ] as const)
          await one.append(commitOf('fed', firstSeq, { entries, checkpoint: { at: firstSeq } }));
        const seqs = async (seq: number, limit: number) =>
          (await other.readAfter('fed', seq, limit)).map(({ entries }) => entries.map((entry) => entry.seq));
        expect(await seqs(0, 100)).toEqual([[1, 2, 3], [4], [5, 6], [7]]);
        expect(await seqs(2, 100)).toEqual([[1, 2, 3], [4], [5, 6], [7]]);
        expect(await seqs(3, 100)).toEqual([[4], [5, 6], [7]]);
        expect(await seqs(3, 2)).toEqual([[4], [5, 6]]);
        expect(await seqs(3, 1)).toEqual([[4]]);
        expect(await seqs(5, 100)).toEqual([[5, 6], [7]]);
        expect(await seqs(7, 100)).toEqual([]);
        expect(await other.readAfter('unfed', 0, 100)).toEqual([]);
        expect(await other.readAfter('fed', 6, 9)).toEqual([
          { callId: 'fed', entries: commitOf('fed', 7).entries, state: { live: { turn: 'after 7' } } },
        ]);
      });

      test.each([
        ['its own commits', () => one],
        ['the commits of the other handle', () => other],
      ])('tells who follows a call, or any, of %s', async (_, from) => {
        const callId = `followed-${from() === one}`;
        await toldOf(one, callId, () => from().append(commitOf(callId, 1)));
        await toldOf(one, null, () => from().append(commitOf(callId, 2)));
        await toldOf(one, callId, () => from().append(commitOf(callId, 3)));
        expect((await one.read(callId)).commits).toHaveLength(3);
      });

      test('tells nobody of other calls, nor of what was refused, nor who stopped', async () => {
        let told = 0;
        let stopped = 0;
        const stopMine = one.follow('quiet', () => {
          told += 1;
        });
        one.follow('loud', () => {
          stopped += 1;
        })();
        await toldOf(one, 'start', () => one.append(commitOf('start', 1)));
        const before = told;
        for (const journal of [one, other])
          await toldOf(one, 'loud', async () => {
            await journal.append(commitOf('loud', journal === one ? 1 : 2));
            await journal.append(commitOf('quiet', 7)).catch(() => undefined);
          });
        expect(told - before).toBe(0);
        expect(stopped).toBe(0);
        stopMine();
      });
    });

    describe('the list', () => {
      const ids = async (query: CallListQuery) =>
        (await other.list({ ...query, startedAfter: query.startedAfter ?? 5_000_000_000 })).map(
          ({ callId }) => callId.replace('list-', ''),
        );

      beforeAll(async () => {
        const started = (offset: number) => ({ startedAt: 5_000_000_000 + offset });
        await one.append(
          commitOf('list-a', 1, {
            row: { ...started(10), ...endedAt(5_000_000_500) },
            payloads: [payload(1, 'Über ALLES, 100% _sure_\u0000, said the caller')],
          }),
        );
        await one.append(
          commitOf('list-b', 1, { row: { ...started(20), direction: 'outgoing', owner: 'Instance-7' } }),
        );
        const endReason = 'model.Refused';
        await one.append(
          commitOf('list-c', 1, {
            row: { ...started(20), ...endedAt(5_000_000_600), endReason },
            payloads: [payload(1, 'nothing')],
          }),
        );
        await one.append(commitOf('list-d', 1, { row: started(30), payloads: [payload(1, 'to SAY')] }));
      });

      test('filters by direction, reason, moment and payloads, all together', async () => {
        expect(await ids({})).toEqual(['d', 'c', 'b', 'a']);
        expect(await ids({ direction: 'outgoing' })).toEqual(['b']);
        expect(await ids({ endReason: 'model.Refused' })).toEqual(['c']);
        expect(await ids({ startedAfter: 5_000_000_010 })).toEqual(['d', 'c', 'b']);
        expect(await ids({ startedBefore: 5_000_000_020 })).toEqual(['a']);
        expect(await ids({ endedBefore: 5_000_000_600 })).toEqual(['a']);
        expect(await ids({ hasPayloads: true })).toEqual(['d', 'c', 'a']);
        expect(await ids({ hasPayloads: false })).toEqual(['b']);
        expect(await ids({ hasPayloads: true, live: false, endedBefore: 5_000_000_601 })).toEqual(['c', 'a']);
        expect(await ids({ hasPayloads: true, direction: 'outgoing' })).toEqual([]);
      });

      test.each<[string, string[]]>([
        ['LIST-', ['d', 'c', 'b', 'a']],
        ['ist-c', ['c']],
        ['instance-7', ['b']],
        ['model.refused', ['c']],
        ['alles, 100% _S', ['a']],
        ['%', ['a']],
        ['_', ['a']],
        ['\u0000, said', ['a']],
        ['to say', ['d']],
        ['ing', ['c']],
        ['Ü', ['a']],
        ['not there', []],
        ["'; --", []],
        ['', ['d', 'c', 'b', 'a']],
      ])('finds the text %j in ids, owners, reasons and payloads', async (text, found) => {
        expect(await ids({ text })).toEqual(found);
      });

      test('goes on after a call, also among those that started together', async () => {
        expect(await ids({ after: { startedAt: 5_000_000_020, callId: 'list-c' } })).toEqual(['b', 'a']);
        expect(await ids({ after: { startedAt: 5_000_000_020, callId: 'list-b' } })).toEqual(['a']);
        expect(await ids({ after: { startedAt: 5_000_000_020, callId: 'list-b' }, text: 'list-d' })).toEqual(
          [],
        );
        expect(await ids({ after: { startedAt: 5_000_000_030, callId: 'list-d' }, limit: 1 })).toEqual(['c']);
      });

      test('finds what payloads say behind many calls that say nothing of it', async () => {
        const row = (offset: number) => ({ startedAt: 6_000_000_000 + offset });
        for (const index of [0, 150, 700])
          await one.append(
            commitOf(`needle-${index}`, 1, { row: row(index), payloads: [payload(1, 'a Needle in it')] }),
          );
        await Promise.all(
          Array.from({ length: 701 }, (_, index) =>
            one.append(commitOf(`hay-${index}`, 1, { row: row(index) })),
          ),
        );
        const found = async (query: CallListQuery) =>
          (await other.list({ text: 'needle in', ...query })).map(({ callId }) => callId);
        expect(await found({})).toEqual(['needle-700', 'needle-150', 'needle-0']);
        expect(await found({ limit: 2 })).toEqual(['needle-700', 'needle-150']);
        expect(await found({ after: { ...row(150), callId: 'needle-150' } })).toEqual(['needle-0']);
        expect(await other.list({ hasPayloads: true, startedAfter: 6_000_000_000 - 1 })).toHaveLength(3);
      });
    });

    describe('the log of the instances', () => {
      test('gives facts newest first, of one instance or of all, before a moment', async () => {
        await one.noteInstance([fact('log-a', 10, 'first'), fact('log-b', 10, 'second')]);
        await other.noteInstance([fact('log-a', 30, 'third'), fact('log-a', 20, 'late')]);
        await one.noteInstance([]);
        const notes = async (query: Parameters<Journal['readInstanceLog']>[0]) =>
          (await other.readInstanceLog(query)).map(({ detail }) => detail.note);
        expect(await notes({ before: 100 })).toEqual(['third', 'late', 'second', 'first']);
        expect(await notes({ before: 30 })).toEqual(['late', 'second', 'first']);
        expect(await notes({ instance: 'log-a' })).toEqual(['third', 'late', 'first']);
        expect(await notes({ instance: 'log-a', before: 30, limit: 1 })).toEqual(['late']);
        expect(await notes({ instance: 'nobody' })).toEqual([]);
        expect(await other.readInstanceLog({ instance: 'log-b' })).toEqual([fact('log-b', 10, 'second')]);
      });

      test('keeps the newest 10,000 of each instance, and gives a hundred unless told otherwise', async () => {
        const many = (instance: string, from: number, to: number) =>
          Array.from({ length: to - from }, (_, index) => fact(instance, 1_000 + from + index));
        await one.noteInstance(many('log-few', 0, 5));
        await one.noteInstance(many('log-many', 0, 9_000));
        await other.noteInstance(many('log-many', 9_000, 10_007));
        const kept = await one.readInstanceLog({ instance: 'log-many', limit: 20_000 });
        expect(kept.map(({ at }) => at)).toEqual(
          many('log-many', 7, 10_007)
            .map(({ at }) => at)
            .toReversed(),
        );
        expect(await one.readInstanceLog({ instance: 'log-few' })).toHaveLength(5);
        expect(await one.readInstanceLog({ instance: 'log-many' })).toHaveLength(100);
      });
    });

    test('of a signal for a call that has ended only the id is kept', async () => {
      await one.append(commitOf('over', 1, { row: endedAt(5) }));
      expect(await one.put({ id: 'over-1', callId: 'over', signal: 'words' })).toBe('put');
      expect(await other.put({ id: 'over-1', callId: 'over', signal: 'words' })).toBe('duplicate');
      await one.append(commitOf('over', 2, { row: { owner: 'over-owner' } }));
      expect(await one.pending('over-owner')).toEqual([]);
      await expect(one.append(commitOf('over', 3, { taken: ['over-1'] }))).rejects.toMatchObject({
        code: 'journal.conflict',
      });
    });

    describe('a commit that erases', () => {
      const erasing = (callId: string, seq: number) =>
        commitOf(callId, seq, { erases: true, row: endedAt(9_000) });

      test('leaves nothing of the call’s payloads and waiting signals, and all of the rest', async () => {
        for (const callId of ['erased', 'spared']) {
          await one.append(
            commitOf(callId, 1, { entries: 2, payloads: [payload(1, `${callId} one`), payload(2, '')] }),
          );
          await one.put({ id: `${callId}-1`, callId, signal: { words: 'taken' } });
          await one.put({ id: `${callId}-2`, callId, signal: { words: 'waits' } });
          await one.append(commitOf(callId, 3, { taken: [`${callId}-1`], row: endedAt(9_000) }));
        }
        await other.append(erasing('erased', 4));
        expect(await one.readPayloads('erased')).toEqual([]);
        expect(await one.readPayloads('spared')).toHaveLength(2);
        expect(await one.list({ text: 'erased one' })).toEqual([]);
        expect(await one.list({ text: 'spared one' })).toHaveLength(1);
        expect(await one.list({ hasPayloads: true, callId: 'erased' })).toEqual([]);
        expect((await one.read('erased')).commits.map(({ entries }) => entries.length)).toEqual([2, 1, 1]);
        expect(await one.put({ id: 'erased-2', callId: 'erased', signal: {} })).toBe('duplicate');
        await one.append(commitOf('erased', 5, { row: { owner: 'eraser' } }));
        await one.append(commitOf('spared', 4, { row: { owner: 'eraser' } }));
        expect((await one.pending('eraser')).map(({ id }) => id)).toEqual(['spared-2']);
      });

      test('is refused with a conflict as any other, and then erases nothing', async () => {
        await one.append(commitOf('kept-whole', 1, { payloads: [payload(1, 'kept')] }));
        await expect(other.append(erasing('kept-whole', 3))).rejects.toMatchObject({
          code: 'journal.conflict',
        });
        expect(await one.readPayloads('kept-whole')).toEqual([payload(1, 'kept')]);
      });

      test('may come twice, and payloads may follow it', async () => {
        await one.append(commitOf('twice-erased', 1, { payloads: [payload(1, 'gone')] }));
        await one.append(erasing('twice-erased', 2));
        await one.append(commitOf('twice-erased', 3, { payloads: [payload(3, 'later')] }));
        expect(await one.readPayloads('twice-erased')).toEqual([payload(3, 'later')]);
        await one.append(erasing('twice-erased', 4));
        expect(await one.readPayloads('twice-erased')).toEqual([]);
      });

      test('has no payloads of its own', async () => {
        const commit = commitOf('erased-with', 1, { erases: true, payloads: [payload(1, '')] });
        await expect(one.append(commit)).rejects.toMatchObject({ code: 'log.invalid' });
      });
    });
  });

  describe(`closing a followed journal, ${name}`, () => {
    test('tells nobody any more and lets nobody follow', async () => {
      const { one, other, cleanUp } = await openTwo();
      let told = 0;
      one.follow(null, () => {
        told += 1;
      });
      await one.close();
      const before = told;
      await other.append(commitOf('unseen', 1));
      const closed = expect.objectContaining({ code: 'journal.closed' });
      expect(() => one.follow(null, () => {})).toThrow(closed);
      await expect(one.readAfter('unseen', 0, 1)).rejects.toThrow(closed);
      await expect(one.noteInstance([])).rejects.toThrow(closed);
      await other.close();
      expect(told).toBe(before);
      await cleanUp();
    });
  });
}
