/** A caller who has to wait hears that somebody is there: a sentence of the agent's, or a soft sound. */
import { describe, expect, it } from 'vitest';
import { Rig } from './rig.ts';

const settings = { starvedMs: 3_600_000 };

async function inConversation(changes: object = {}) {
  const rig = new Rig();
  const process = rig.open('one', { settings: { ...settings, ...changes } });
  const { line } = await process.begin();
  return { rig, process, line, session: process.model.session };
}

const replies = (told: readonly string[]): string[] => told.filter((item) => item.startsWith('createReply'));

describe('a tool that takes long', () => {
  async function withSlowTool() {
    const call = await inConversation();
    const gate = Promise.withResolvers<void>();
    call.rig.agent.gate = () => gate.promise;
    call.session.startsReply('reply2');
    call.session.asksFor('tool1', 'look_up', { what: 'it' });
    call.session.finishes('reply2', false, 1);
    await call.rig.settle();
    call.session.told.length = 0;
    return { ...call, finish: gate.resolve };
  }

  it('is bridged by one sentence, in which the model can call no tool', async () => {
    const { rig, session, line } = await withSlowTool();
    await rig.clock.advance(2_400);
    expect(replies(session.told)).toEqual([]);
    await rig.clock.advance(200);
    expect(replies(session.told)).toEqual([
      expect.stringMatching(
        /^createReply without tools: Help the caller\.\n\nSay in one short sentence that you are still working/,
      ),
    ]);
    const sentMs = line.sentMs;
    session.says('filler', 'One moment, please.', 600);
    expect(line.sentMs).toBe(sentMs + 600);
    await rig.clock.advance(1_900);
    expect(replies(session.told)).toHaveLength(1);
  });

  it('is answered once it is done, with the tools at hand again', async () => {
    const { rig, session, finish } = await withSlowTool();
    await rig.clock.advance(2_600);
    session.says('filler', 'One moment, please.', 600);
    await rig.clock.advance(700);
    finish();
    await rig.settle();
    expect(session.told.slice(-2)).toEqual([
      'result of tool1: look_up of it done',
      'createReply: by its own',
    ]);
  });

  it('is bridged by no sentence while the caller speaks, who is listened to', async () => {
    const { rig, session, process, line } = await withSlowTool();
    await rig.clock.advance(1_000);
    session.callerStarts('turn1');
    const sentMs = line.sentMs;
    await rig.clock.advance(3_900);
    expect(replies(session.told)).toEqual([]);
    expect(line.sentMs).toBe(sentMs);
    expect(process.value()).toMatchObject({ live: { turn: 'callerSpeaking', tools: 'running' } });
  });
});

describe('a caller who hears nobody', () => {
  it('hears a soft sound after a while and again and again, which is no reply and gives way to one', async () => {
    const { rig, process, line, session } = await inConversation({ replyStartMs: 60_000 });
    session.callerStarts('turn1');
    session.callerStops('turn1', 'What is it?');
    await rig.clock.advance(1_400);
    const silentMs = line.sentMs;
    const clears = line.clears;
    await rig.clock.advance(200);
    const onceMs = line.sentMs - silentMs;
    expect(onceMs).toBeGreaterThan(0);
    await rig.clock.advance(2_000);
    expect(line.sentMs).toBe(silentMs + 2 * onceMs);
    const before = await process.types();
    expect(before.filter((type) => type === 'reply.voiced')).toHaveLength(1);

    const sentMs = line.sentMs;
    session.says('reply2', 'It is this.', 1_000);
    expect(line.sentMs).toBe(sentMs + 1_000);
    // What was left of the sound is not heard before the reply.
    expect(line.clears).toBe(clears + 1);
    await rig.clock.advance(1_500);
    expect(line.sentMs).toBe(sentMs + 1_000);
    expect((await process.entries()).at(-1)).toMatchObject({ type: 'reply.played', replyId: 'reply2' });
  });

  it('because the model writes a long request hears it as well, and nothing else happens', async () => {
    const { rig, process, line, session } = await inConversation();
    for (const [turn, firstWordsMs] of [0, 500].entries()) {
      session.callerStarts(`turn${turn}`);
      session.callerStops(`turn${turn}`, 'Please note this.');
      session.startsReply(`reply${turn}`);
      if (firstWordsMs > 0) session.sends(`reply${turn}`, `item${turn}`, firstWordsMs);
      const sentMs = line.sentMs;
      for (let second = 0; second < 20; second += 2) {
        await rig.clock.advance(2_000);
        session.signal({ type: 'reply.extended', replyId: `reply${turn}` });
      }
      expect(line.sentMs).toBeGreaterThan(sentMs);
      session.asksFor(`tool${turn}`, 'look_up', { what: 'it' });
      session.finishes(`reply${turn}`, firstWordsMs > 0, 1);
      await rig.settle();
      expect(session.told).toContain(`result of tool${turn}: look_up of it done`);
      session.says(`answer${turn}`, 'It is noted.', 500);
      await rig.clock.advance(3_000);
    }
    expect(process.model.sessions).toEqual([session]);
    expect(session.isClosed).toBe(false);
    expect(process.value()).toMatchObject({ live: { turn: 'listening' } });
  });

  it('because the model is away hears it as well', async () => {
    const { rig, process, line, session } = await inConversation({ modelTries: 1_000 });
    process.model.next = 'isSilent';
    const sentMs = line.sentMs;
    session.loses();
    await rig.clock.advance(1_400);
    expect(line.sentMs).toBe(sentMs);
    await rig.clock.advance(200);
    expect(line.sentMs).toBeGreaterThan(sentMs);
  });

  it('and is asked to speak hears nothing', async () => {
    const { rig, line } = await inConversation();
    const sentMs = line.sentMs;
    await rig.clock.advance(30_000);
    expect(line.sentMs).toBe(sentMs);
  });
});
