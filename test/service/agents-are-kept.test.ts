/** The agent of a call that is claimed or told of: read back, or said to be missing. */
import { describe, expect, it } from 'vitest';
import type { CallRow, Journal } from '../../src/runtime/ports/journal.ts';
import { Agents } from '../../src/service/agents.ts';
import { tellCallEnd } from '../../src/service/call-end.ts';
import { callSid, type Process, Rig } from './rig.ts';

const agentsOf = (rig: Rig, process: Process): Agents =>
  new Agents({
    loaded: rig.agent.load(),
    definitions: process.journal,
    clock: rig.clock,
    onFault: () => undefined,
  });

describe('a call whose agent definition is gone', () => {
  it('is not claimed, and leaves nothing', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.begin();
    const wrapJournal = (journal: Journal): Journal => {
      journal.readDefinition = async () => null;
      return journal;
    };
    const two = rig.open('two', { wrapJournal });
    const answer = await two.askNext();
    await expect(two.connect(answer)).rejects.toMatchObject({
      code: 'log.invalid',
      message: expect.stringContaining('its agent definition is not stored'),
    });
    two.expectNothingLeft();
  });
});

describe('a call without a log', () => {
  it('has no parts', async () => {
    const process = new Rig().open();
    await expect(process.assembly.live.prepare(callSid())).rejects.toMatchObject({ code: 'call.unknown' });
  });

  it('has no end to tell', async () => {
    const rig = new Rig();
    const process = rig.open();
    const row = { callId: callSid() } as CallRow;
    await expect(tellCallEnd(agentsOf(rig, process), process.journal, row)).rejects.toMatchObject({
      code: 'log.invalid',
    });
  });
});

describe('the end of a call', () => {
  it('is told without what was erased', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    process.model.session.callerStarts('turn1');
    process.model.session.callerStops('turn1', 'Something to forget.');
    await process.assembly.deliveries.stop();
    await process.report('completed');
    await rig.settle();
    const journal = Object.assign(Object.create(process.journal) as Journal, {
      readEntries: undefined,
      read: process.journal.read.bind(process.journal),
      readPayloads: async () => [],
    });
    const row = (await process.row()) as CallRow;
    await tellCallEnd(agentsOf(rig, process), journal, row);
    expect(rig.agent.ends[0]?.summary).toMatchObject({ call: { from: null, to: null }, turns: [] });
  });

  it('is told as unknown where the index does not say more', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    const row = { ...((await process.row()) as CallRow), endedAt: null, endReason: null };
    await tellCallEnd(agentsOf(rig, process), process.journal, row);
    expect(rig.agent.ends[0]?.summary).toMatchObject({ reason: 'unknown', endedAt: row.startedAt });
  });
});
