/** A model session that is lost: a new one with the same memory, or an apology. */
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../src/machines/settings.ts';
import { bytesPerMs } from '../../src/media/mulaw.ts';
import { callSid, type Process, Rig } from './rig.ts';

async function inConversation(settings: Partial<Settings> = {}) {
  const rig = new Rig();
  const process = rig.open('one', { settings });
  const { line } = await process.begin();
  return { rig, process, line };
}

/** What the newest session was seeded with. */
const spoken = (process: Process): string[] =>
  process.model.session.request.history.map((item) => (item.kind === 'speech' ? item.text : item.kind));

const ends = async (process: Process) =>
  (await process.entries()).flatMap((entry) => (entry.type === 'call.ended' ? [entry.reason] : []));

describe('a new session', () => {
  it('knows what was said and heard, and which tools were run', async () => {
    const { rig, process } = await inConversation();
    const { session } = process.model;
    session.callerStarts('turn1');
    session.callerStops('turn1', 'What is it?');
    session.asksFor('tool1', 'look_up', { what: 'it' });
    await rig.settle();
    session.startsReply('reply2');
    session.sends('reply2', 'item2', 4_000);
    session.endsReply('reply2', 'item2', 'one two three four five six seven eight');
    await rig.clock.advance(2_100);
    session.callerStarts('turn2');
    session.callerStops('turn2', 'Enough.');
    session.loses();
    await rig.clock.advance(1_000);

    expect(process.model.sessions).toHaveLength(2);
    expect(process.model.session.request).toMatchObject({ generation: 2, instructions: 'Help the caller.' });
    expect(process.model.session.request.history).toEqual([
      { kind: 'speech', role: 'agent', text: 'Hello, this is the clerk.' },
      { kind: 'speech', role: 'caller', text: 'What is it?' },
      { kind: 'toolCall', toolCallId: 'tool1', name: 'look_up', arguments: '{"what":"it"}' },
      { kind: 'toolResult', toolCallId: 'tool1', output: 'look_up of it done' },
      { kind: 'speech', role: 'agent', text: 'one two three four' },
      { kind: 'speech', role: 'caller', text: 'Enough.' },
    ]);
  });

  it('knows every item of a reply that was heard, not only its first', async () => {
    const { rig, process } = await inConversation();
    const { session } = process.model;
    session.startsReply('reply2');
    session.sends('reply2', 'item1', 500);
    session.endsItem('item1', 'Let me check that for you.');
    session.sends('reply2', 'item2', 700);
    session.endsReply('reply2', 'item2', 'Your table is booked for eight.');
    await rig.clock.advance(2_000);
    session.loses();
    await rig.clock.advance(1_000);
    expect(spoken(process)).toEqual([
      'Hello, this is the clerk.',
      'Let me check that for you.',
      'Your table is booked for eight.',
    ]);
  });

  it('knows an answer that waited for the next stream and was heard there', async () => {
    const { rig, process, line } = await inConversation();
    const { session } = process.model;
    session.callerStarts('turn1');
    session.callerStops('turn1', 'What is it?');
    line.drops();
    await rig.settle();
    session.says('reply2', 'It is a bicycle.', 1_500);
    await process.connect(await process.askNext());
    await rig.clock.advance(2_000);
    session.loses();
    await rig.clock.advance(1_000);
    expect(spoken(process)).toEqual(['Hello, this is the clerk.', 'What is it?', 'It is a bicycle.']);
  });

  it('is given what the caller said since the last turn with an answer, once', async () => {
    const { rig, process, line } = await inConversation();
    const { session } = process.model;
    session.callerStarts('turn1');
    line.brings(520);
    session.callerStops('turn1', 'The first.');
    session.callerStarts('turn2');
    line.brings(680);
    session.loses();
    line.brings(320);
    await rig.clock.advance(1_000);
    expect(process.model.session.audioBytes).toBe(1_000 * bytesPerMs);
    line.brings(80);
    expect(process.model.session.audioBytes).toBe(1_080 * bytesPerMs);
  });

  it('is given a turn from its beginning, also where it began before the word of the last one had come', async () => {
    const { rig, process, line } = await inConversation();
    const { session } = process.model;
    session.callerStarts('turn1');
    line.brings(500);
    line.brings(200, 0x2b);
    session.callerStops('turn1', 'The first.', 500);
    session.callerStarts('turn2');
    session.loses();
    await rig.clock.advance(1_000);
    expect(Buffer.concat(process.model.session.audio)).toEqual(Buffer.alloc(200 * bytesPerMs, 0x2b));
  });

  it('that catches up with an earlier turn forgets nothing of the one that is being spoken', async () => {
    const { rig, process, line } = await inConversation();
    process.model.session.callerStarts('turn1');
    line.brings(500);
    process.model.session.loses();
    line.brings(300, 0x2b);
    await rig.clock.advance(1_000);
    const second = process.model.session;
    expect(second.audioBytes).toBe(800 * bytesPerMs);
    second.callerStarts('turn1-again');
    second.callerStops('turn1-again', 'The first.', 500);
    second.loses();
    await rig.clock.advance(1_000);
    expect(Buffer.concat(process.model.session.audio)).toEqual(Buffer.alloc(300 * bytesPerMs, 0x2b));
  });

  it('is not given again what a tool was asked for, or it would ask for the same again', async () => {
    const { rig, process, line } = await inConversation();
    const { session } = process.model;
    session.callerStarts('turn1');
    line.brings(520);
    session.callerStops('turn1');
    session.asksFor('tool1', 'look_up', { what: 'it' }, 'once');
    session.loses();
    await rig.clock.advance(1_000);
    expect(process.model.session.audioBytes).toBe(0);
  });

  it('is not given again what has an answer', async () => {
    const { rig, process, line } = await inConversation();
    const { session } = process.model;
    session.callerStarts('turn1');
    line.brings(520);
    session.callerStops('turn1');
    session.says('reply2', 'I heard you.', 200);
    await rig.clock.advance(300);
    session.loses();
    await rig.clock.advance(1_000);
    expect(process.model.session.audioBytes).toBe(0);
  });

  it('hears nothing of what the one before still says', async () => {
    const { rig, process, line } = await inConversation();
    const { session } = process.model;
    session.loses();
    await rig.clock.advance(1_000);
    const sent = line.sentMs;
    session.isClosed = false;
    session.sends('ghost', 'ghost-item', 500);
    session.endsReply('ghost', 'ghost-item', 'Boo.');
    session.callerStarts('ghost-turn');
    await rig.clock.advance(100);
    expect(line.sentMs).toBe(sent);
    expect(await process.types()).not.toContain('caller.startedSpeaking');
  });

  it('goes on with a reply that was cut, from where the caller stopped hearing', async () => {
    const { rig, process, line } = await inConversation();
    const { session } = process.model;
    session.startsReply('reply2');
    session.sends('reply2', 'item2', 4_000);
    await rig.clock.advance(1_000);
    session.loses();
    expect(line.clears).toBeGreaterThan(0);
    await rig.clock.advance(1_000);
    expect(process.model.session.told.at(-1)).toContain('Go on from exactly there');
  });

  /** A question of 520 ms that has no transcript, and whose answer begins. */
  async function askedWithoutWords(settings: Partial<Settings> = {}) {
    const { rig, process, line } = await inConversation(settings);
    const { session } = process.model;
    session.callerStarts('turn1');
    line.brings(520);
    session.callerStops('turn1');
    session.startsReply('reply2');
    return { rig, process, session };
  }

  /** The model is lost in the middle of its answer. */
  async function lostWithinAnAnswer(heardMs: number) {
    const { rig, process, session } = await askedWithoutWords();
    session.sends('reply2', 'item2', 4_000);
    session.transcribesReply('item2', 'one two three four five six seven eight');
    await rig.clock.advance(heardMs);
    session.loses();
    await rig.clock.advance(1_000);
    return process;
  }

  it('is not given again a question without words of whose answer a good part was heard, but goes on with that', async () => {
    const process = await lostWithinAnAnswer(2_600);
    expect(spoken(process)).toEqual(['Hello, this is the clerk.', 'note', 'one two three four five']);
    expect(process.model.session.audioBytes).toBe(0);
    expect(process.model.session.told.at(-1)).toContain('Go on from exactly there');
  });

  it('is given it again where hardly anything of the answer was heard', async () => {
    const process = await lostWithinAnAnswer(800);
    expect(process.model.session.audioBytes).toBe(520 * bytesPerMs);
  });

  it('is given the question again where the one before went silent after the first word of its answer', async () => {
    const { rig, process, session } = await askedWithoutWords({ starvedMs: 3_600_000 });
    session.sends('reply2', 'item2', 125);
    await rig.clock.advance(8_000);
    expect(session.isClosed).toBe(true);
    expect(process.model.session.audioBytes).toBe(520 * bytesPerMs);
  });

  it('comes at once where a reply stays out, though the words of the question are still to come, and is given it', async () => {
    const { rig, process, session } = await askedWithoutWords({ starvedMs: 3_600_000 });
    await rig.clock.advance(7_000);
    expect(session.isClosed).toBe(true);
    expect(process.model.sessions).toHaveLength(2);
    expect(process.model.session.audioBytes).toBe(520 * bytesPerMs);
  });

  it('knows that there was a question whose words had not come when all of its answer had', async () => {
    const { rig, process } = await inConversation();
    const { session } = process.model;
    session.callerStarts('turn1');
    session.callerStops('turn1');
    session.says('reply2', 'What is your name?', 2_000);
    await rig.clock.advance(300);
    session.loses();
    await rig.clock.advance(4_000);
    const next = process.model.session;
    expect(spoken(process)).toEqual(['Hello, this is the clerk.', 'note']);
    expect(next.request.history.at(-1)).toMatchObject({
      text: expect.stringContaining('not known any more'),
    });
    expect(next.told).toEqual(['remember at 2, agent: What is your name?']);
  });

  it('is not needed for a reply that has come in full', async () => {
    const { rig, process } = await inConversation();
    process.model.session.says('reply2', 'A whole reply.', 2_000);
    await rig.clock.advance(500);
    process.model.session.loses();
    await rig.clock.advance(1_700);
    expect((await process.entries()).findLast(({ type }) => type === 'reply.played')).toMatchObject({
      replyId: 'reply2',
    });
  });
});

describe('a new session that opens while the line plays a reply on', () => {
  async function playsOn() {
    const { rig, process } = await inConversation();
    const before = process.model.session;
    before.startsReply('reply2');
    before.sends('reply2', 'item2', 2_000);
    before.endsReply('reply2', 'item2', 'one two three four five six seven eight');
    await rig.clock.advance(300);
    before.loses();
    await rig.clock.advance(500);
    const { session } = process.model;
    expect(process.model.sessions).toHaveLength(2);
    return { rig, session };
  }

  const remembered = (session: { told: string[] }) => session.told.filter((told) => /^remember/.test(told));

  it('is told the whole of it once the caller has heard it', async () => {
    const { rig, session } = await playsOn();
    expect(session.request.history).toEqual([
      { kind: 'speech', role: 'agent', text: 'Hello, this is the clerk.' },
    ]);
    expect(remembered(session)).toEqual([]);
    await rig.clock.advance(1_300);
    expect(remembered(session)).toEqual(['remember at 1, agent: one two three four five six seven eight']);
  });

  it('is told what the caller heard before speaking', async () => {
    const { rig, session } = await playsOn();
    await rig.clock.advance(300);
    session.callerStarts('turn1');
    await rig.clock.advance(1_000);
    expect(remembered(session)).toEqual(['remember at 1, agent: one two three four']);
  });
});

describe('a model that lets nobody in', () => {
  it('for good: the caller hears an apology, and then the line is closed', async () => {
    const rig = new Rig();
    const process = rig.open();
    process.model.next = 'isRefused';
    const line = await process.connect(await process.answer());
    await rig.clock.advance(100);
    expect(process.control.redirected).toEqual([{ do: 'apologise', apology: 'agentUnavailable' }]);
    expect(line?.isOver).toBe(true);
    expect(await process.askNext()).toEqual({ do: 'apologise', apology: 'agentUnavailable' });
    await process.report('completed');
    await rig.settle();
    expect(await ends(process)).toEqual(['model.refused']);
    expect(process.model.sessions).toHaveLength(1);
    await rig.expectNothingLeft();
  });

  it('for good, and a carrier that never asks again: the call is ended from here', async () => {
    const rig = new Rig();
    const process = rig.open();
    process.model.next = 'isRefused';
    await process.connect(await process.answer());
    await rig.clock.advance(30_000);
    expect(process.control.ended).toEqual([callSid()]);
    expect(await ends(process)).toEqual(['model.refused']);
    await rig.expectNothingLeft();
  });

  it('now: it is tried so often and no more', async () => {
    const rig = new Rig();
    const process = rig.open('one', { settings: { modelTries: 3, modelConnectMs: 1_000 } });
    process.model.next = 'isSilent';
    await process.connect(await process.answer());
    await rig.clock.advance(30_000);
    expect(process.model.sessions).toHaveLength(3);
    expect(await ends(process)).toEqual(['model.unavailable']);
    await rig.expectNothingLeft();
  });

  it('because no socket is to be had: that is no end of the process, but of the call', async () => {
    const rig = new Rig();
    const process = rig.open('one', { settings: { modelTries: 2, modelConnectMs: 1_000 } });
    process.model.next = 'throws';
    await process.connect(await process.answer());
    await rig.clock.advance(30_000);
    expect(process.logged.join('')).toContain('the command openModel failed');
    expect(await ends(process)).toEqual(['model.unavailable']);
    await rig.expectNothingLeft();
  });
});

describe('an observer that fails', () => {
  it('keeps no call from going on', async () => {
    const rig = new Rig();
    const process = rig.open('one', {
      onStep: () => {
        throw new Error('the screen is gone');
      },
    });
    await process.begin();
    expect(process.value()).toMatchObject({
      live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' } },
    });
    expect(process.logged.join('')).toContain('an entry could not be shown');
    expect(process.logged.join('')).not.toContain('the screen is gone');
  });
});
