/** An older process among newer ones: it meets calls that it cannot fold, and is in nobody's way. */
import { describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { firstTime } from '../../src/adapters/twilio/continuation.ts';
import { FrontDesk } from '../../src/adapters/twilio/front-desk.ts';
import { Tally } from '../../src/adapters/twilio/tally.ts';
import { current } from '../../src/machines/charts/table.ts';
import { type ErrorCode, GiveUpError } from '../../src/runtime/ports/errors.ts';
import type { CallRow, Journal } from '../../src/runtime/ports/journal.ts';
import { Presence } from '../../src/service/presence.ts';
import { localPulse } from '../../src/service/pulse.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { startProcess } from './support/process.ts';

const clock = new VirtualClock();

async function writeCall(journal: Journal, callId: string, owner: string, isNewer: boolean): Promise<void> {
  const chart = current.number + (isNewer ? 1 : 0);
  const entry = { seq: 1, at: 1, type: 'call.created', format: current.format, chart, invented: true };
  const row: CallRow = {
    callId,
    carrierCallId: callId,
    direction: 'incoming',
    owner,
    startedAt: 1,
    endedAt: null,
    endReason: null,
    lastSeq: 1,
    state: 'ringing',
  };
  await journal.append({ callId, entries: [entry], payloads: [], row, checkpoint: null, taken: [] });
}

/** A process that adopts as ours does, with a registry that folds for real. */
async function older() {
  const store = createMemoryStore();
  const { journal, registry, diary } = startProcess('older', store, clock);
  const troubles: string[] = [];
  const tried: string[] = [];
  const presence = new Presence({
    instance: 'older',
    pid: 1,
    host: 'here',
    pulse: localPulse,
    journal,
    clock,
    isReady: () => true,
    isProcessAlive: () => true,
    address: () => null,
    hasCalls: async () => false,
    mayAdopt: () => true,
    isHere: () => false,
    verify: async () => undefined,
    onForgotten: () => undefined,
    adopt: async ({ callId }) => {
      tried.push(callId);
      await registry.claim(callId, { why: 'orphan' }, []);
    },
    onTrouble: (error) => void troubles.push((error as GiveUpError).code),
  });
  const newer = openMemoryJournal(store, { clock });
  await newer.beat({ instance: 'newer', pid: 2, host: 'there', ready: true, startedAt: 1, address: null });
  return { journal, presence, registry, diary, troubles, tried };
}

describe('calls of a newer version whose process is dead', () => {
  it('are tried once, told once, and left as they are, however many and however long', async () => {
    const { journal, presence, registry, troubles, tried } = await older();
    const calls = Array.from({ length: 200 }, (_, index) => `call${index}`);
    for (const callId of calls) await writeCall(journal, callId, 'newer', true);
    await presence.start();
    await clock.advance(localPulse.silentAfterMs + 30_000);
    expect(troubles).toEqual(calls.map(() => 'journal.future'));
    expect([...new Set(tried)]).toHaveLength(calls.length);
    expect(tried).toHaveLength(calls.length);
    expect(registry.size).toBe(0);
    for (const callId of calls) expect((await journal.read(callId)).commits).toHaveLength(1);
    expect((await journal.instances()).map(({ instance }) => instance)).toContain('newer');
    await presence.stop();
  });

  it('are forgotten once they are over', async () => {
    const { journal, presence, tried } = await older();
    await writeCall(journal, 'call1', 'newer', true);
    await presence.start();
    await clock.advance(localPulse.silentAfterMs + 5_000);
    expect(tried).toEqual(['call1']);
    const [row] = await journal.list({ callId: 'call1' });
    const ended: CallRow = {
      ...(row as CallRow),
      owner: null,
      endedAt: 5,
      endReason: 'caller.hungUp',
      lastSeq: 2,
    };
    const end = { seq: 2, at: 5, type: 'call.ended', reason: 'caller.hungUp' };
    await journal.append({
      callId: 'call1',
      entries: [end],
      payloads: [],
      row: ended,
      checkpoint: null,
      taken: [],
    });
    await clock.advance(2_000);
    expect((await journal.instances()).map(({ instance }) => instance)).not.toContain('newer');
    await presence.stop();
  });
});

describe('a request of the carrier for a call of a newer version', () => {
  const fields = { CallSid: 'CA1', From: '+15550001', To: '+15550002' };

  function frontDesk(code: ErrorCode) {
    const refuse = async (): Promise<never> => {
      throw new GiveUpError(code, '');
    };
    const reported: string[] = [];
    const desk = {
      answerCall: refuse,
      continueCall: refuse,
      admitStream: refuse,
      isCutOff: () => false,
      report: async (_: string, { entry }: { entry: { type: string } }) => void reported.push(entry.type),
    };
    const tally = new Tally(clock, () => undefined);
    return { reported, front: new FrontDesk({ desk, clock, tally, fallbackUrl: null }) };
  }

  it('is answered with a pause and the request to ask again, which a newer process may get', async () => {
    const { front, reported } = frontDesk('journal.future');
    const inProgress = { ...fields, CallStatus: 'in-progress' } as const;
    expect(await front.answer(inProgress)).toMatchObject({ do: 'wait' });
    expect(await front.continue(inProgress, firstTime, 'key')).toMatchObject({ do: 'wait' });
    const dialed = { outcome: 'busy', dialId: 'CA2' } as const;
    expect(await front.continue(inProgress, { ...firstTime, dialed }, 'key')).toMatchObject({ do: 'wait' });
    expect(await front.takeDial(inProgress, dialed)).toMatchObject({ do: 'wait' });
    expect(reported).toEqual(['transfer.finished', 'transfer.finished']);
  });

  it('is no excuse for a log that nobody will ever read', async () => {
    const { front } = frontDesk('log.invalid');
    expect(await front.answer(fields)).toMatchObject({ do: 'decline' });
    expect(await front.continue(fields, firstTime, 'key')).toMatchObject({
      do: 'apologise',
    });
  });

  it('leaves its mark in the inbox, for whichever process has the call', async () => {
    const { journal, registry } = await older();
    await writeCall(journal, 'call1', 'newer', true);
    const signal = { entry: { type: 'carrier.reported', status: 'completed', source: 'callback' } } as const;
    await registry.deliver('call1', signal, 'key');
    expect(await journal.pending('newer')).toMatchObject([{ callId: 'call1', id: 'key' }]);
    await expect(registry.read('call1')).rejects.toMatchObject({ code: 'journal.future' });
  });
});
