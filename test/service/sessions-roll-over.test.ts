/** Towards the announced end of a session the next one is opened beside it, and takes over between two turns (V1). */
import { describe, expect, it } from 'vitest';
import { bytesPerMs } from '../../src/media/mulaw.ts';
import { callSid, type Process, Rig } from './rig.ts';
import type { FakeSession } from './support/fake-model.ts';

const lifeMs = 600_000;
const rollOverMs = 120_000;

/** A call some milliseconds before its session is due to be replaced. */
async function beforeTheRollOver(leftMs = 100) {
  const rig = new Rig();
  const process = rig.open('one', { settings: { starvedMs: 3_600_000, rollOverMs } });
  process.model.expiresInMs = lifeMs;
  const { line } = await process.begin();
  const { session } = process.model;
  session.callerStarts('turn1');
  line.brings(500);
  session.callerStops('turn1', 'What is it?');
  session.asksFor('tool1', 'look_up', { what: 'it' });
  await rig.clock.advance(100);
  session.says('reply2', 'It is this.', 500);
  await rig.clock.advance(lifeMs - rollOverMs - leftMs - 1_360);
  expect(process.model.sessions).toHaveLength(1);
  return { rig, process, line, session };
}

const second = ({ model }: Process): FakeSession => {
  const session = model.sessions[1];
  if (!session) throw new Error('no second session was opened');
  return session;
};

const served = (session: FakeSession, ms: number): boolean => session.audioBytes >= ms * bytesPerMs;

describe('a session that takes over', () => {
  /** The next session opens, and does not answer yet. */
  async function beforeItServes() {
    const { rig, process, session } = await beforeTheRollOver(3_000);
    session.callerStarts('turn2');
    session.callerStops('turn2');
    session.says('reply3', 'I see.', 500);
    process.model.next = 'isSilent';
    await rig.clock.advance(3_500);
    return { rig, process, session, next: second(process) };
  }

  const seeded = 6;

  it('is told first the words of a turn that was answered before it was opened, at their place and once', async () => {
    const { rig, session, next } = await beforeItServes();
    expect(next.request.history.slice(-2)).toMatchObject([{ text: 'It is this.' }, { text: 'I see.' }]);
    session.transcribes('turn2', 'And that one?');
    next.opens();
    expect(next.told).toEqual([`remember at ${seeded - 1}, caller: And that one?`]);
    await rig.clock.advance(1_000);
    next.says('reply4', 'Anything else?', 500);
    await rig.clock.advance(1_000);
    expect(next.told).toHaveLength(1);
    expect(session.isClosed).toBe(true);
  });

  it('is told first what was announced and done while it opened, in order', async () => {
    const { rig, process, session, next } = await beforeItServes();
    const words = 'We close at five.';
    process.assembly.registry.get(callSid())?.signal({
      entry: { type: 'announcement.requested', by: 'operator', words: { bytes: words.length } },
      payloads: { words },
    });
    await rig.settle();
    session.startsReply('reply4');
    session.sends('reply4', 'item4', 500);
    session.asksFor('tool2', 'look_up', { what: 'hours' });
    session.endsReply('reply4', 'item4', words, 1);
    await rig.clock.advance(600);
    session.says('reply5', 'From nine on.', 500);
    await rig.clock.advance(1_000);
    next.opens();
    expect(process.model.session).toBe(next);
    expect(next.told).toEqual([
      `remember at ${seeded}, agent: We close at five.`,
      `remember at ${seeded + 1}, toolCall tool2`,
      `remember at ${seeded + 2}, toolResult tool2`,
      `remember at ${seeded + 3}, agent: From nine on.`,
    ]);
  });

  it('is told nothing where nothing has come', async () => {
    const { next } = await beforeItServes();
    next.opens();
    expect(next.told).toEqual([]);
  });
});

describe('a session that was replaced before it told what the caller had said', () => {
  async function replaced() {
    const { rig, process, line, session } = await beforeTheRollOver();
    session.callerStarts('turn2');
    await rig.clock.advance(1_000);
    session.callerStops('turn2');
    session.says('reply3', 'That is that.', 500);
    await rig.clock.advance(600);
    const next = second(process);
    expect(next.told).toEqual(['remember at 5, agent: That is that.']);
    return { rig, process, line, session, next };
  }

  it('tells it to the next one, at its place, and is closed then', async () => {
    const { rig, process, line, session, next } = await replaced();
    const [before, sentMs] = [session.audioBytes, line.sentMs];
    line.brings(300);
    session.says('ghost', 'Boo.', 400);
    session.callerStarts('ghost-turn');
    expect(session.audioBytes).toBe(before);
    expect(served(next, 300)).toBe(true);
    expect(line.sentMs).toBe(sentMs);
    session.transcribes('turn2', 'And that?');
    expect(next.told.slice(1)).toEqual(['remember at 5, caller: And that?']);
    expect(process.model.openSessions).toEqual([next]);
    await rig.written();
    expect(await process.types()).not.toContain('input.refused');
  });

  it('is waited for no longer than 5 s', async () => {
    const { rig, process, session, next } = await replaced();
    expect(process.model.openSessions).toEqual([session, next]);
    await rig.clock.advance(5_000);
    expect(process.model.openSessions).toEqual([next]);
    expect(next.told).toHaveLength(1);
  });

  it('is not waited for where another one is opened', async () => {
    const { rig, process, session, next } = await replaced();
    next.loses();
    await rig.clock.advance(1_000);
    expect(session.isClosed).toBe(true);
    expect(process.model.openSessions).toEqual([process.model.session]);
  });

  it.each(['in the middle of that', 'after that'])('leaves nothing where the call ends %s', async (when) => {
    const { rig, process, session } = await replaced();
    if (when === 'after that') session.loses();
    await process.report('completed');
    await rig.clock.advance(10);
    await rig.expectNothingLeft();
  });
});

describe('a session whose end is near', () => {
  it('is replaced by one that knows all, gets the caller, and alone is heard', async () => {
    const { rig, process, line, session } = await beforeTheRollOver();
    const { clears } = line;
    await rig.clock.advance(500);
    const next = second(process);
    expect(next.request).toMatchObject({ generation: 2, instructions: 'Help the caller.' });
    expect(next.request.history).toEqual([
      { kind: 'speech', role: 'agent', text: 'Hello, this is the clerk.' },
      { kind: 'speech', role: 'caller', text: 'What is it?' },
      { kind: 'toolCall', toolCallId: 'tool1', name: 'look_up', arguments: '{"what":"it"}' },
      { kind: 'toolResult', toolCallId: 'tool1', output: 'look_up of it done' },
      { kind: 'speech', role: 'agent', text: 'It is this.' },
    ]);
    expect(session.isClosed).toBe(true);
    expect(process.model.openSessions).toEqual([next]);
    expect(next.told).toEqual([]);
    expect(line.clears).toBe(clears);

    const before = session.audioBytes;
    line.brings(300);
    expect(next.audioBytes).toBe(300 * bytesPerMs);
    expect(session.audioBytes).toBe(before);

    await rig.written();
    const sentMs = line.sentMs;
    const types = await process.types();
    session.isClosed = false;
    session.says('ghost', 'Boo.', 400);
    session.callerStarts('ghost-turn');
    session.asksFor('ghost-tool', 'order', { what: 'ghosts' }, 'once');
    session.isClosed = true;
    await rig.clock.advance(100);
    expect(line.sentMs).toBe(sentMs);
    expect(await process.types()).toEqual(types);
    expect(rig.agent.runs).toHaveLength(1);

    next.says('reply3', 'Anything else?', 400);
    expect(line.sentMs).toBe(sentMs + 400);
  });

  it('serves until the next one is open, which is neither heard nor hears before', async () => {
    const { rig, process, line, session } = await beforeTheRollOver();
    process.model.next = 'isSilent';
    await rig.clock.advance(1_000);
    const next = second(process);
    const [sentMs, types] = [line.sentMs, await process.types()];
    next.callerStarts('early-turn');
    next.says('early', 'Too early.', 400);
    line.brings(200);
    await rig.written();
    expect(line.sentMs).toBe(sentMs);
    expect((await process.types()).filter((type) => type !== 'media.resumed')).toEqual(types);
    expect(served(session, 200)).toBe(true);
    expect(next.audioBytes).toBe(0);
    session.says('reply3', 'Still me.', 300);
    expect(line.sentMs).toBe(sentMs + 300);
    await rig.clock.advance(400);
    next.opens();
    await rig.clock.advance(10);
    expect(process.model.openSessions).toHaveLength(1);
  });

  it('is not replaced while somebody speaks; the next one stands by, and knows then what was said', async () => {
    const { rig, process, session } = await beforeTheRollOver();
    session.callerStarts('turn2');
    await rig.clock.advance(5_000);
    const next = second(process);
    expect(process.model.openSessions).toEqual([session, next]);
    session.callerStops('turn2', 'And that?');
    session.startsReply('reply3');
    session.sends('reply3', 'item3', 1_000);
    await rig.clock.advance(100);
    expect(process.model.openSessions).toEqual([session, next]);
    session.endsReply('reply3', 'item3', 'That is that.');
    expect(process.model.openSessions).toEqual([next]);
    expect(next.told).toEqual(['remember at 5, caller: And that?']);
    await rig.clock.advance(1_000);
    expect(next.told.slice(1)).toEqual(['remember at 6, agent: That is that.']);
  });

  it('is replaced by one that is told of the turn that was taken while it was opening', async () => {
    const { rig, process, session } = await beforeTheRollOver();
    process.model.next = 'isSilent';
    await rig.clock.advance(200);
    const late = second(process);
    session.callerStarts('turn2');
    session.callerStops('turn2', 'And that?');
    session.says('reply3', 'That is that.', 500);
    await rig.clock.advance(600);
    late.opens();
    expect(process.model.openSessions).toEqual([late]);
    expect(late.told).toEqual(['remember at 5, caller: And that?', 'remember at 6, agent: That is that.']);
  });

  /** The next session opens in the middle of a reply, of which the caller has heard two seconds. */
  async function withinReply() {
    const { rig, process, line, session } = await beforeTheRollOver(2_000);
    session.startsReply('reply3');
    session.sends('reply3', 'item3', 4_000);
    session.signal(
      { type: 'reply.transcribed', itemId: 'item3', transcript: { bytes: 20 } },
      {
        transcript: 'We open at nine and close at five.',
      },
    );
    await rig.clock.advance(2_500);
    const next = second(process);
    expect(next.request.history.at(-1)).toMatchObject({ text: 'It is this.' });
    expect(process.model.openSessions).toEqual([session, next]);
    return { rig, process, line, session, next };
  }

  it('is replaced by one that was opened within a reply, and knows it once and whole', async () => {
    const { rig, session, next } = await withinReply();
    session.endsReply('reply3', 'item3', 'We open at nine and close at five.');
    await rig.clock.advance(3_000);
    expect(session.isClosed).toBe(true);
    expect(next.told).toEqual(['remember at 5, agent: We open at nine and close at five.']);
  });

  it('that is lost within a reply is replaced at once by the one that stands by, which goes on where it was cut', async () => {
    const { rig, process, session, next } = await withinReply();
    session.loses();
    await rig.clock.advance(10);
    expect(process.model.openSessions).toEqual([next]);
    expect(next.told).toEqual([
      expect.stringMatching(/^remember at 5, agent: We open/),
      'cancelReply',
      expect.stringMatching(/^truncate item3/),
      expect.stringMatching(/^createReply: .*/),
    ]);
    expect(next.told[0]).not.toContain('five');
    expect(process.value()).toMatchObject({ live: { model: { ready: 'steady' }, turn: 'thinking' } });
  });

  it('is replaced while the line plays two replies of it, and the next one knows each once and whole', async () => {
    const { rig, process, session } = await beforeTheRollOver(200);
    session.callerStarts('turn2');
    session.callerStops('turn2', 'Are you open?');
    await rig.clock.advance(400);
    const next = second(process);
    session.startsReply('reply3');
    session.sends('reply3', 'item3', 4_000);
    session.asksFor('tool2', 'look_up', { what: 'hours' });
    session.endsReply('reply3', 'item3', 'One moment, I will look that up for you.', 1);
    await rig.clock.advance(1_500);
    session.says('reply4', 'We open at nine and close at five.', 3_000);
    expect(process.model.openSessions).toEqual([next]);
    expect(next.told).toEqual(['remember at 6, toolCall tool2', 'remember at 7, toolResult tool2']);
    await rig.clock.advance(7_000);
    expect(next.told.slice(2)).toEqual([
      'remember at 6, agent: One moment, I will look that up for you.',
      'remember at 9, agent: We open at nine and close at five.',
    ]);
  });

  it('is replaced in time also where no pause is as long as a session takes to open', async () => {
    const { rig, process, line, session } = await beforeTheRollOver();
    for (let turn = 2; !session.isClosed && turn < 40; turn++) {
      session.callerStarts(`turn${turn}`);
      line.brings(3_000);
      await rig.clock.advance(3_000);
      session.callerStops(`turn${turn}`, `Question ${turn}?`);
      session.says(`reply${turn}`, 'Yes.', 1_000);
      await rig.clock.advance(1_020);
    }
    expect(process.model.openSessions).toEqual([second(process)]);
    expect(await process.types()).not.toContain('reply.interrupted');
    expect((await process.entries()).find(({ type }) => type === 'model.closed')).toMatchObject({
      code: 1_000,
    });
  });

  it("serves on where this host's clock is an hour ahead of the announced end", async () => {
    const rig = new Rig();
    const process = rig.open('one', { settings: { starvedMs: 3_600_000, rollOverMs } });
    process.model.expiresInMs = lifeMs - 3_600_000;
    await process.begin();
    await rig.clock.advance(60_000);
    expect(process.model.openSessions).toEqual([process.model.session]);
    expect(process.model.sessions).toHaveLength(1);
    expect(process.value()).toMatchObject({ live: { model: { ready: 'steady' }, turn: 'listening' } });
  });

  it('is replaced shortly before it in any case: whoever speaks then is heard again by the next one', async () => {
    const { rig, process, line, session } = await beforeTheRollOver();
    await rig.clock.advance(50);
    session.callerStarts('turn2');
    await rig.clock.advance(rollOverMs - 5_000 - 2_000);
    line.brings(2_000);
    await rig.clock.advance(1_500);
    expect(session.isClosed).toBe(false);
    await rig.clock.advance(1_000);
    const next = second(process);
    expect(process.model.openSessions).toEqual([next]);
    expect(served(next, 2_000)).toBe(true);
    next.callerStarts('turn2-again');
    next.callerStops('turn2-again', 'As I said.');
    expect(process.value()).toMatchObject({ live: { model: { ready: 'steady' }, turn: 'thinking' } });
  });

  it('stays where the next one is refused, tries again, and there are never more than two', async () => {
    const { rig, process, session } = await beforeTheRollOver();
    process.model.next = 'isRefused';
    let most = 0;
    for (let second = 0; second < 20; second++) {
      await rig.clock.advance(1_000);
      most = Math.max(most, process.model.openSessions.length);
      expect(session.isClosed).toBe(false);
    }
    expect(most).toBeLessThanOrEqual(2);
    expect(process.model.sessions.length).toBeGreaterThan(2);
    process.model.next = 'opens';
    await rig.clock.advance(10_000);
    expect(session.isClosed).toBe(true);
    expect(process.model.openSessions).toEqual([process.model.session]);
  });

  it('that ends while the next one opens is replaced at once, by one session', async () => {
    const { rig, process, session } = await beforeTheRollOver();
    process.model.next = 'isSilent';
    await rig.clock.advance(200);
    process.model.next = 'opens';
    session.loses({ code: 1001, cause: 'close.1001' });
    await rig.clock.advance(1_000);
    expect(process.model.openSessions).toEqual([process.model.session]);
    expect(process.value()).toMatchObject({ live: { model: { ready: 'steady' } } });
  });

  it('is replaced again and again, and a call that ends then leaves nothing', async () => {
    const { rig, process } = await beforeTheRollOver();
    await rig.clock.advance(3 * lifeMs);
    expect(process.model.sessions.length).toBeGreaterThan(3);
    expect(process.model.openSessions).toHaveLength(1);
    await process.report('completed');
    await rig.clock.advance(10);
    await rig.expectNothingLeft();
  });

  it('and a call that is lost to another process while the next one opens leave nothing here', async () => {
    const { rig, process, session } = await beforeTheRollOver();
    process.model.next = 'isSilent';
    await rig.clock.advance(200);
    expect(process.model.openSessions).toHaveLength(2);
    const two = rig.open('two');
    await two.connect(await two.askNext());
    session.signal({ type: 'input.refused', peer: 'model', kind: 'odd' });
    await rig.written();
    process.expectNothingLeft();
  });

  it('and a call that ends while the next one opens leave nothing', async () => {
    const { rig, process } = await beforeTheRollOver();
    process.model.next = 'isSilent';
    await rig.clock.advance(200);
    expect(process.model.openSessions).toHaveLength(2);
    await process.report('completed');
    await rig.clock.advance(10);
    await rig.expectNothingLeft();
  });
});
