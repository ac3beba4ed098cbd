/** A process that the journal does not answer, while it may answer another one: callers are left to that one. */
import { describe, expect, it } from 'vitest';
import { firstTime } from '../../src/adapters/twilio/continuation.ts';
import type { Answer } from '../../src/runtime/ports/carrier.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { mostSpared } from '../../src/service/desk.ts';
import { callSid, type Process, Rig } from './rig.ts';
import type { FakeLine } from './support/fake-line.ts';
import { fieldsOf, frontDeskOf } from './support/front-desk.ts';

/** A journal that answers nothing while it is cut. */
class Cable {
  #cut: PromiseWithResolvers<void> | null = null;

  cut(): void {
    this.#cut ??= Promise.withResolvers();
  }

  mend(): void {
    this.#cut?.resolve();
    this.#cut = null;
  }

  readonly wrap = (journal: Journal): Journal =>
    new Proxy(journal, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name === 'watch' || name === 'follow') return value.bind(target);
        return async (...given: unknown[]) => {
          await this.#cut?.promise;
          return value.apply(target, given);
        };
      },
    });
}

/** On hosts of their own, unless nobody but the first is there. */
async function processes(...names: string[]) {
  const rig = new Rig();
  const cables = names.map(() => new Cable());
  const opened = names.map((name, index) =>
    rig.open(name, { host: `of ${name}`, wrapJournal: cables[index]?.wrap ?? ((journal) => journal) }),
  );
  for (const { assembly } of opened) await assembly.presence.start();
  await rig.clock.advance(1_000);
  const [one, two] = opened as [Process, Process];
  return { rig, one, two, cables, cable: cables[0] as Cable };
}

const isCutOff = ({ desk }: Process): boolean => desk.isCutOff();

const stop = async (...opened: Process[]): Promise<void> => {
  for (const { assembly } of opened) await assembly.presence.stop();
};

describe('a process that is cut off from the journal, and was not alone,', () => {
  it('knows it 3 s after its first beat without an answer, until one is answered', async () => {
    const { rig, one, two, cable } = await processes('one', 'two');
    expect([one, two].map(isCutOff)).toEqual([false, false]);
    cable.cut();
    await rig.clock.advance(2_500);
    expect(isCutOff(one)).toBe(false);
    await rig.clock.advance(1_500);
    expect([one, two].map(isCutOff)).toEqual([true, false]);
    cable.mend();
    await rig.clock.advance(1_000);
    expect(isCutOff(one)).toBe(false);
    await stop(one, two);
  });

  it('has Twilio ask again, though it holds the call, and another one answers', async () => {
    const { rig, one, two, cable } = await processes('one', 'two');
    const { line } = await one.begin();
    cable.cut();
    await rig.clock.advance(4_000);
    line.drops();
    const frontDesk = frontDeskOf(rig, one);
    for (const [waits, pauseMs] of [0, 0, 1_000].entries()) {
      const told = await frontDesk.continue(fieldsOf('in-progress'), { ...firstTime, waits }, `key ${waits}`);
      expect(told).toEqual({ do: 'wait', pauseMs });
    }
    expect(await two.askNext()).toMatchObject({ do: 'connect', attempt: 2 });
    cable.mend();
    await rig.clock.advance(1_000);
    await stop(one, two);
  });

  it('has Twilio wait for the next one where it parts from its calls, and that one cannot take them', async () => {
    const { rig, one, two, cable } = await processes('one', 'two');
    const { line } = await one.begin();
    cable.cut();
    await rig.clock.advance(4_000);
    line.drops();
    one.isLeaving = true;
    one.isParting = true;
    const asked = one.askNext();
    await rig.clock.advance(1_000);
    expect(await asked).toEqual({ do: 'wait', pauseMs: 30_000 });
    cable.mend();
    await rig.clock.advance(1_000);
    await stop(one, two);
  });

  it('knows it also where the other one went less than a minute before, and another may have come', async () => {
    const { rig, one, two, cable } = await processes('one', 'two');
    await stop(two);
    await rig.clock.advance(58_000);
    cable.cut();
    await rig.clock.advance(4_000);
    expect(isCutOff(one)).toBe(true);
    cable.mend();
    await rig.clock.advance(3_000);
    cable.cut();
    await rig.clock.advance(5_000);
    expect(isCutOff(one)).toBe(false);
    cable.mend();
    await rig.clock.advance(0);
    await stop(one);
  });
});

describe('a lone process that is cut off from the journal', () => {
  it('holds on to what comes: nobody else could take it', async () => {
    const { rig, one, cable } = await processes('one');
    const { line } = await one.begin();
    cable.cut();
    await rig.clock.advance(5_000);
    expect(isCutOff(one)).toBe(false);
    line.drops();
    const asked = one.askNext();
    await rig.clock.advance(1_000);
    expect(await asked).toMatchObject({ do: 'connect' });
    cable.mend();
    await rig.clock.advance(1_000);
    await stop(one);
  });
});

describe('while the journal answers nobody', () => {
  it('a caller who asks again and again is not given up for it, and goes on once it answers', async () => {
    const { rig, one, two, cables } = await processes('one', 'two');
    const { line } = await one.begin();
    for (const each of cables) each.cut();
    await rig.clock.advance(4_000);
    line.drops();
    for (let asked = 0; asked < 50; asked++) {
      await expect(one.askNext()).rejects.toThrow('does not answer');
      await rig.clock.advance(1_000);
    }
    for (const each of cables) each.mend();
    await rig.clock.advance(200);
    const answer = await one.askNext();
    expect(answer).toMatchObject({ do: 'connect', attempt: 2, pauseMs: 0 });
    await one.connect(answer);
    expect(one.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
    expect(one.control.ended).toEqual([]);
    await stop(one, two);
  });
});

describe('a stream that no process admitted', () => {
  const triesOf = ({ assembly }: Process): number | undefined =>
    assembly.registry.get(callSid())?.state.snapshot.context.stream.tries;

  async function lost() {
    const rig = new Rig();
    const process = rig.open('one');
    const { line } = await process.begin();
    line.drops();
    return { rig, process, line };
  }

  /** Twilio says which stream it could not open. */
  async function asksAfter(rig: Rig, process: Process, answer: Answer, key: string): Promise<Answer> {
    const next = await process.desk.continueCall(callSid(), key, answer.do === 'connect' ? answer : null);
    await rig.clock.advance(500);
    return next;
  }

  it('is none of the tries, a few times in a row; then each counts, and the call ends', async () => {
    const { rig, process } = await lost();
    let answer = await process.askNext();
    await rig.clock.advance(500);
    for (let spared = 1; spared <= mostSpared; spared++) {
      answer = await asksAfter(rig, process, answer, `spared ${spared}`);
      expect(answer).toMatchObject({ do: 'connect', attempt: 2, spared });
      expect(triesOf(process)).toBe(1);
    }
    for (const tries of [2, 3]) {
      answer = await asksAfter(rig, process, answer, `counted ${tries}`);
      expect(answer).toMatchObject({ do: 'connect', attempt: 2 });
      expect(triesOf(process)).toBe(tries);
    }
    expect(await asksAfter(rig, process, answer, 'last')).toEqual({ do: 'apologise', apology: 'trouble' });
  });

  it('is told from one that was admitted and ended soon: that is one of the tries', async () => {
    const { rig, process } = await lost();
    const answer = await process.askNext();
    await rig.clock.advance(500);
    const line = (await process.connect(answer)) as FakeLine;
    line.drops();
    expect(await asksAfter(rig, process, answer, 'key')).toMatchObject({ do: 'connect', attempt: 3 });
    expect(triesOf(process)).toBe(2);
  });
});
