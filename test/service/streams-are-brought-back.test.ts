/** A stream that is lost and that nobody asks for again: the carrier is told to bring a new one. */
import { describe, expect, it } from 'vitest';
import type { AppendFate } from '../../src/adapters/journal/memory.ts';
import { writeTwiml } from '../../src/adapters/twilio/twiml.ts';
import { readStreamToken } from '../../src/runtime/stream-token.ts';
import { callSid, type Process, type ProcessOptions, Rig, tokenKey } from './rig.ts';

const settings = { starvedMs: 3_600_000 };

async function inConversation(options: ProcessOptions = {}) {
  const rig = new Rig();
  const process = rig.open('one', { settings, ...options });
  const { line } = await process.begin();
  return { rig, process, line, session: process.model.session };
}

/** Twilio carries out what it was told last. */
async function followRedirect(process: Process) {
  const answer = process.control.redirected.at(-1);
  return answer ? process.connect(answer) : null;
}

describe('a stream that is lost', () => {
  it('is brought back by the carrier that is told to, and the same conversation goes on', async () => {
    const { rig, process, line, session } = await inConversation();
    session.startsReply('reply2');
    session.sends('reply2', 'item2', 4_000);
    session.endsReply('reply2', 'item2', 'one two three four');
    await rig.clock.advance(2_100);
    line.drops();
    await rig.clock.advance(1_900);
    expect(process.control.asked).toEqual([]);
    await rig.clock.advance(200);
    expect(process.control.asked).toEqual([callSid()]);
    const [answer] = process.control.redirected;
    expect(answer).toMatchObject({ do: 'connect', callId: callSid(), attempt: 2 });
    const token = answer?.do === 'connect' ? answer.token : '';
    expect(readStreamToken(tokenKey, token, rig.clock.now())).toMatchObject({ attempt: 2 });

    const newer = await followRedirect(process);
    await rig.clock.advance(10);
    expect(process.model.openSessions).toEqual([session]);
    expect(session.told.at(-1)).toContain('Go on from exactly there');
    session.says('reply3', 'three four', 500);
    expect(newer?.sentMs).toBe(500);
    await rig.clock.advance(600);
    expect(process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' }, turn: 'listening' } });
    expect(await process.types()).toContain('redirect.finished');
  });

  it('is asked for under another name each time, also where the one before never came about', async () => {
    const { rig, process, line } = await inConversation();
    line.drops();
    await rig.settle();
    const names: string[] = [];
    for (let tries = 0; tries < 3; tries++) {
      const answer = await process.askNext();
      expect(answer).toMatchObject({ do: 'connect', attempt: 2 });
      const twiml = writeTwiml(answer, { publicUrl: 'https://h', instance: 'one', fallbackUrl: null });
      names.push(/name="(CA[^"]+)"/.exec(twiml)?.[1] ?? '');
      const entry = { type: 'stream.failed', streamId: `MZ${tries}`, error: '31920' } as const;
      await process.desk.report(callSid(), { entry }, `failed:${tries}`);
      await rig.clock.advance(300);
    }
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(new RegExp(`^${callSid()}-2-[0-9a-f]{8}$`));
  });

  it('is not brought back a second time where it has come while the carrier was being asked', async () => {
    const asked = Promise.withResolvers<AppendFate>();
    const { rig, process, line } = await inConversation({
      beforeAppend: (_, entries) =>
        entries.some(({ type }) => type === 'carrier.reported') ? asked.promise : 'store',
    });
    line.drops();
    const answer = await process.askNext();
    await rig.clock.runUntil(() => process.control.asked.length > 0, 10_000);
    await rig.settle();
    const connecting = process.connect(answer);
    await rig.settle();
    asked.resolve('store');
    const newer = await connecting;
    await rig.clock.advance(20_000);
    expect(process.control.redirected).toEqual([]);
    expect(newer?.isClosed).toBe(false);
    expect(process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
    const outcomes = (await process.entries()).filter(({ type }) => type === 'redirect.finished');
    expect(outcomes).toMatchObject([{ outcome: 'redirected', told: 'connect' }]);
  });

  it('is not brought back to a caller who has hung up', async () => {
    const { rig, process, line } = await inConversation();
    process.control.status = 'completed';
    line.ends();
    await rig.clock.advance(30_000);
    expect(process.control.redirected).toEqual([]);
    expect(await process.row()).toMatchObject({ endReason: 'caller.hungUp' });
    await rig.expectNothingLeft();
  });

  it('and that looked alive is closed, and the carrier told where it does not ask by itself', async () => {
    const { rig, process, line } = await inConversation({ settings: {} });
    await rig.clock.advance(5_000);
    expect(line.isClosed).toBe(true);
    await rig.clock.advance(2_200);
    const newer = await followRedirect(process);
    await rig.clock.advance(10);
    expect(newer?.isClosed).toBe(false);
    expect(process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' }, media: 'flowing' } });
  });

  it('with its process is brought back by the one that adopts the call', async () => {
    const { rig, process } = await inConversation();
    await process.assembly.presence.start();
    process.dies();
    const two = rig.open('two', { settings });
    await two.assembly.presence.start();
    await rig.clock.advance(1_500);
    expect(two.control.redirected).toMatchObject([{ do: 'connect', attempt: 2 }]);
    const newer = await followRedirect(two);
    await rig.clock.advance(100);
    two.model.session.says('reply2', 'Here again.', 300);
    expect(newer?.sentMs).toBe(300);
    expect(process.control.redirected).toEqual([]);
    await two.assembly.presence.stop();
  });
});
