/** A journal that does not answer: new calls are declined, live ones go on. */
import { describe, expect, it } from 'vitest';
import type { AppendFate } from '../../src/adapters/journal/memory.ts';
import { firstTime } from '../../src/adapters/twilio/continuation.ts';
import type { Answer } from '../../src/runtime/ports/carrier.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { callSid, type Process, Rig } from './rig.ts';
import { fieldsOf, frontDeskOf } from './support/front-desk.ts';

/** A journal whose appends wait while the gate is shut. */
class Gate {
  #open: PromiseWithResolvers<void> | null = null;

  shut(): void {
    this.#open ??= Promise.withResolvers();
  }

  release(): void {
    this.#open?.resolve();
    this.#open = null;
  }

  readonly beforeAppend = async (): Promise<AppendFate> => {
    await this.#open?.promise;
    return 'store';
  };
}

/** As the webhook's route asks. */
async function webhook(rig: Rig, process: Process, carrierCallId: string) {
  const frontDesk = frontDeskOf(rig, process);
  const startedAt = rig.clock.monotonic();
  let answer: Answer | null = null;
  let tookMs = Number.NaN;
  const fields = fieldsOf(undefined, carrierCallId);
  const answered = frontDesk.answer(fields).then((given) => {
    answer = given;
    tookMs = rig.clock.monotonic() - startedAt;
  });
  await rig.clock.runUntil(() => answer !== null, 20_000);
  await answered;
  return { answer: answer as Answer | null, tookMs };
}

describe('while appends stall', () => {
  it('a new call is declined within a second and ends with that, and a live one goes on', async () => {
    const rig = new Rig();
    const gate = new Gate();
    const process = rig.open('one', { beforeAppend: gate.beforeAppend });
    const { line } = await process.begin(callSid(1));
    const { session } = process.model;
    gate.shut();
    const { answer, tookMs } = await webhook(rig, process, callSid(2));
    expect(answer).toEqual({ do: 'decline' });
    expect(tookMs).toBeLessThanOrEqual(1_000);
    expect(process.model.sessions).toHaveLength(1);

    const sent = line.sentMs;
    session.callerStarts('turn1');
    session.callerStops('turn1', 'Still there?');
    session.says('reply2', 'Still here.', 400);
    expect(line.sentMs).toBe(sent + 400);
    gate.release();
    await rig.clock.advance(600);
    expect((await process.types(callSid(1))).slice(-2)).toEqual(['reply.progressed', 'reply.played']);
    expect((await process.types(callSid(2))).slice(-2)).toEqual(['call.declined', 'call.ended']);
    expect(process.assembly.registry.get(callSid(2))).toBeUndefined();
    expect(process.assembly.live.size).toBe(1);
    expect(process.model.openSessions).toHaveLength(1);
  });

  /** Appends stall just before the answer that the model owes is asked for. */
  async function owedAnAnswer() {
    const rig = new Rig();
    const gate = new Gate();
    const settings = { starvedMs: 3_600_000, replyStartMs: 1_000 };
    const process = rig.open('one', { beforeAppend: gate.beforeAppend, settings });
    await process.begin();
    const { session } = process.model;
    session.callerStarts('turn1');
    session.callerStops('turn1', 'What is it?');
    await rig.clock.advance(900);
    gate.shut();
    await rig.clock.advance(200);
    return { rig, gate, session };
  }

  it.each([
    ['has begun', 100],
    ['is over', 7_000],
  ])('an answer that the model owes is not asked for any more once its own %s (Q5)', async (_, stallMs) => {
    const { rig, gate, session } = await owedAnAnswer();
    session.startsReply('own');
    session.sends('own', 'own-item', 5_000);
    if (stallMs > 1_000) session.endsReply('own', 'own-item', 'It is this.');
    await rig.clock.advance(stallMs);
    const told = [...session.told];
    gate.release();
    await rig.clock.advance(100);
    expect(session.told).toEqual(told);
  });

  it('an answer that the model owes is asked for as soon as they go on, where it still owes it', async () => {
    const { rig, gate, session } = await owedAnAnswer();
    gate.release();
    await rig.clock.advance(100);
    expect(session.told.at(-1)).toContain('that stands in');
  });

  /** A stream whose claim is stepped and not durable. */
  async function waitingStream() {
    const rig = new Rig();
    const gate = new Gate();
    const process = rig.open('one', { beforeAppend: gate.beforeAppend });
    const answer = await process.answer();
    const line = rig.line();
    gate.shut();
    return { rig, gate, process, line, connect: () => process.connect(answer, callSid(), line) };
  }

  it('a stream whose claim is not durable yet is not taken for a dead one', async () => {
    const { rig, gate, process, line, connect } = await waitingStream();
    const connecting = connect();
    await rig.clock.advance(8_000);
    gate.release();
    await connecting;
    await rig.clock.advance(1_000);
    expect(await process.types()).not.toContain('media.starved');
    expect(line.isOver).toBe(false);
    expect(process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' }, media: 'flowing' } });
    await rig.clock.advance(1_500);
    expect(await process.types()).toContain('media.starved');
  });

  it.each([
    ['after its claim', 1_000],
    ['before it', 0],
  ])('a stream that ends %s is known to have ended, once, and what was said is kept', async (_, afterMs) => {
    const { rig, gate, process, line, connect } = await waitingStream();
    if (afterMs === 0) line.dropsEarly();
    const connecting = connect();
    await rig.clock.advance(afterMs);
    if (afterMs > 0) line.dropsEarly();
    await rig.settle();
    expect(process.value()).toMatchObject({ live: { carrier: 'lost' } });
    expect([...process.assembly.live.all()].map(([, { openLines }]) => openLines)).toEqual([0]);
    gate.release();
    await connecting;
    line.bringsAllTheSame(20);
    await rig.written();
    expect((await process.types()).filter((type) => type === 'stream.closed')).toHaveLength(1);
    expect(Buffer.concat(process.model.session.audio)).toEqual(Buffer.alloc(160, 0x2b));
  });

  it('for long, the only stream having ended meanwhile: the call may be of another one, and is not ended', async () => {
    const { rig, gate, process, line, connect } = await waitingStream();
    const connecting = connect().catch(() => null);
    await rig.clock.advance(1_000);
    line.dropsEarly();
    await rig.clock.advance(60_500);
    expect(process.control.redirected).toEqual([]);
    expect(process.control.ended).toEqual([]);
    expect(process.assembly.registry.size).toBe(0);
    gate.release();
    await connecting;
  });

  it('for long: a live call ends with an apology, its sockets closed, without waiting for the journal', async () => {
    const rig = new Rig();
    const gate = new Gate();
    const process = rig.open('one', { beforeAppend: gate.beforeAppend, settings: { starvedMs: 300_000 } });
    const { line } = await process.begin();
    gate.shut();
    process.model.session.callerStarts('turn1');
    await rig.clock.advance(61_000);
    expect(process.control.redirected).toEqual([{ do: 'apologise', apology: 'trouble' }]);
    expect(line.isOver).toBe(true);
    expect(process.model.session.isClosed).toBe(true);
    expect(await process.askNext()).toEqual({ do: 'apologise', apology: 'trouble' });
    await rig.clock.advance(30_000);
    await rig.expectNothingLeft();
    gate.release();
  });

  /** A call whose journal was away for so long that it ended with an apology. */
  async function givenUp() {
    const rig = new Rig();
    const gate = { isShut: false };
    const process = rig.open('one', {
      beforeAppend: () => (gate.isShut ? 'refuse' : 'store'),
      settings: { starvedMs: 300_000 },
    });
    await process.assembly.presence.start();
    await process.begin();
    gate.isShut = true;
    process.model.session.callerStarts('turn1');
    process.control.status = 'completed';
    await rig.clock.advance(95_000);
    expect(process.left()).toMatchObject({ calls: 0, parts: 0, sessions: 0 });
    return { rig, gate, process };
  }

  const endsIn = (types: { type: string; reason?: string }[]): unknown[] =>
    types.flatMap(({ type, reason }) => (type === 'call.ended' ? [reason] : []));

  it('for long: once the journal is back, the log of the call ends as the call did, and its end is told once', async () => {
    const { rig, gate, process } = await givenUp();
    gate.isShut = false;
    await rig.clock.advance(30_000);
    expect(await process.row()).toMatchObject({ endReason: 'journal.lost', owner: null });
    expect(endsIn(await process.entries())).toEqual(['journal.lost']);
    expect(endsIn(process.steps.map(({ entry }) => entry))).toEqual(['journal.lost']);
    expect(rig.agent.ends.map(({ summary }) => summary.reason)).toEqual(['journal.lost']);
    await process.assembly.presence.stop();
    await rig.expectNothingLeft();
  });

  it('for long: another process that has the call once the journal is back keeps it', async () => {
    const { rig, gate, process } = await givenUp();
    const two = rig.open('two');
    two.control.status = 'in-progress';
    await two.assembly.presence.start();
    const line = await two.connect(await two.askNext());
    expect(line?.isOver).toBe(false);
    gate.isShut = false;
    await rig.clock.advance(5_000);
    expect(await two.row()).toMatchObject({ endReason: null, owner: 'two' });
    expect(process.left()).toMatchObject({ calls: 0, parts: 0, sessions: 0 });
    await Promise.all([process, two].map(({ assembly }) => assembly.presence.stop()));
  });

  it.each([0, 500])(
    'for long: the same process that has the call again keeps it (%i ms later)',
    async (laterMs) => {
      const { rig, gate, process } = await givenUp();
      process.control.status = 'in-progress';
      await rig.clock.advance(laterMs);
      gate.isShut = false;
      const line = await process.connect(await process.askNext());
      await rig.clock.advance(5_000);
      expect(line?.isOver).toBe(false);
      expect(process.left()).toMatchObject({ calls: 1, parts: 1, sessions: 1 });
      const callId = (await process.row())?.callId ?? '';
      expect(process.assembly.registry.has(callId)).toBe(true);
      process.control.status = 'completed';
      await process.report('completed');
      await rig.clock.advance(60_000);
      expect(process.assembly.registry.has(callId)).toBe(false);
      await process.assembly.presence.stop();
      await rig.expectNothingLeft();
    },
  );

  it('for long: a process that stops meanwhile leaves nothing of it', async () => {
    const { rig, process } = await givenUp();
    await process.exits();
    await rig.expectNothingLeft();
  });

  it.each([
    ['is told so once, and hung up on by nobody else: another process may have it by then', 'answers', []],
    ['is hung up on where it could not be told', 'isUnreachable', [callSid()]],
  ] as const)('for long: the caller of a live call %s', async (_, mood, ended) => {
    const rig = new Rig();
    const gate = new Gate();
    const process = rig.open('one', { beforeAppend: gate.beforeAppend, settings: { starvedMs: 300_000 } });
    await process.begin();
    gate.shut();
    process.control.mood = mood;
    process.model.session.callerStarts('turn1');
    await rig.clock.advance(91_000);
    expect(process.control.redirected).toHaveLength(1);
    expect(process.control.ended).toEqual(ended);
    await rig.expectNothingLeft();
    gate.release();
  });

  it('and the declined call is stored in the end: it ends with that, and nobody pulls its caller back from whom it talks to', async () => {
    const rig = new Rig();
    const gate = new Gate();
    const process = rig.open('one', { beforeAppend: gate.beforeAppend });
    await process.assembly.presence.start();
    gate.shut();
    expect((await webhook(rig, process, callSid())).answer).toEqual({ do: 'decline' });
    gate.release();
    process.control.status = 'in-progress';
    await rig.clock.advance(60_000);
    expect(await process.row()).toMatchObject({ endReason: 'declined', owner: null });
    expect(process.control.redirected).toEqual([]);
    expect(process.control.ended).toEqual([]);
    await process.assembly.presence.stop();
    await rig.expectNothingLeft();
  });
});

describe('a caller who was put through because appends stalled', () => {
  it('and found nobody there, hears so, though the journal is well again', async () => {
    const rig = new Rig();
    const gate = new Gate();
    const process = rig.open('one', { beforeAppend: gate.beforeAppend });
    process.desk.admitBy({ refusal: () => null, putsOff: () => false, decline: () => '+15550199999' });
    gate.shut();
    expect((await webhook(rig, process, callSid())).answer).toMatchObject({ do: 'transfer' });
    gate.release();
    await rig.clock.advance(20_000);
    const dialed = { outcome: 'no-answer', dialId: 'CA-leg' } as const;
    expect(
      await frontDeskOf(rig, process).continue(
        fieldsOf('in-progress'),
        { ...firstTime, waits: 1, dialed },
        'key',
      ),
    ).toEqual({
      do: 'apologise',
      apology: 'trouble',
    });
  });
});

describe('while nothing is answered at all', () => {
  /** Some of a journal's methods never answer. */
  const mute =
    (...names: string[]) =>
    (journal: Journal): Journal =>
      new Proxy(journal, {
        get(target, name) {
          if (names.includes(String(name))) return () => new Promise(() => undefined);
          const value = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });

  it.each([['read'], ['saveDefinition'], ['append']])(
    'a new call is declined within a second: %s',
    async (method) => {
      const rig = new Rig();
      const process = rig.open('one', { wrapJournal: mute(method) });
      const { answer, tookMs } = await webhook(rig, process, callSid());
      expect(answer).toEqual({ do: 'decline' });
      expect(tookMs).toBeLessThanOrEqual(1_000);
      // So long an append may still be answered.
      await rig.clock.advance(60_000);
      await rig.expectNothingLeft();
    },
  );
});

describe('while reads stall', () => {
  it('whoever asks what comes next is told to ask again, and none of that counts as a try', async () => {
    const rig = new Rig();
    await rig.open('one').begin();
    const stall = Promise.withResolvers<void>();
    const two = rig.open('two', {
      wrapJournal: (journal) => {
        const { read } = journal;
        const stalling = { read: (callId: string) => stall.promise.then(() => read.call(journal, callId)) };
        return Object.assign(journal, stalling);
      },
    });
    const frontDesk = frontDeskOf(rig, two);
    const asked = ['a', 'b', 'c'].map((key) => frontDesk.continue(fieldsOf('in-progress'), firstTime, key));
    await rig.clock.advance(3_000);
    const askAgain = { do: 'wait', pauseMs: 1_000 };
    expect(await Promise.all(asked)).toEqual([askAgain, askAgain, askAgain]);
    stall.resolve();
    await rig.clock.advance(1_000);
    expect(await two.types()).not.toContain('stream.requested');
    expect(await two.askNext()).toMatchObject({ do: 'connect', pauseMs: 0 });
  });
});

describe('an append whose answer was lost', () => {
  it('is not written twice, and the call goes on', async () => {
    const rig = new Rig();
    let appends = 0;
    const process = rig.open('one', {
      beforeAppend: () => {
        appends += 1;
        return appends % 3 === 0 ? 'loseReply' : appends % 3 === 1 ? 'refuse' : 'store';
      },
    });
    const answered = process.answer();
    await rig.clock.advance(500);
    const connected = process.connect(await answered);
    await rig.clock.advance(2_000);
    const line = await connected;
    const entries = await process.entries();
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
    expect(line?.isClosed).toBe(false);
    expect(process.value()).toMatchObject({
      live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' } },
    });
  });
});
