/** Words that are to be said exactly, the greeting or an operator's, and that are cut: what becomes of their rest. */
import { describe, expect, it } from 'vitest';
import { referTo } from '../../src/runtime/ports/signal.ts';
import { callSid, type Process, Rig } from './rig.ts';

const greeting = 'Hello, this is the clerk.';
const notice = 'Please note: we close at five today, and open again at nine tomorrow.';

/** Of a reply of 4 s. */
const halfwayMs = 2_100;

function says(process: Process, replyId: string, words: string, ms = 4_000): void {
  const { session } = process.model;
  session.startsReply(replyId);
  session.sends(replyId, `${replyId}-item`, ms);
  session.endsReply(replyId, `${replyId}-item`, words);
}

async function greets(said = greeting) {
  const rig = new Rig();
  const process = rig.open('one');
  const line = await process.connect(await process.answer());
  if (!line) throw new Error('the stream was refused');
  await rig.clock.advance(100);
  says(process, 'reply1', said);
  await rig.clock.advance(halfwayMs);
  return { rig, process, line };
}

function wants(process: Process, words: string): void {
  const entry = { type: 'announcement.requested', by: 'operator', words: referTo(words) } as const;
  process.assembly.registry.get(callSid())?.signal({ entry, payloads: { words } });
}

async function announces() {
  const rig = new Rig();
  const process = rig.open('one');
  const { line } = await process.begin();
  wants(process, notice);
  await rig.clock.advance(100);
  says(process, 'reply2', notice);
  await rig.clock.advance(halfwayMs);
  return { rig, process, line };
}

const asked = (process: Process): string | undefined =>
  process.model.session.told.findLast((item) => item.startsWith('createReply'));

describe('a greeting that is cut', () => {
  it('is finished word for word on the next stream', async () => {
    const { rig, process, line } = await greets();
    line.drops();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(asked(process)).toContain('exactly these words, and nothing else: "is the clerk."');
  });

  it('is finished word for word by the next session', async () => {
    const { rig, process, line } = await greets();
    process.model.session.startsReply('more');
    line.drops();
    process.model.session.loses();
    await process.connect(await process.askNext());
    await rig.clock.advance(1_000);
    expect(process.model.sessions).toHaveLength(2);
    expect(asked(process)).toContain('exactly these words, and nothing else: "is the clerk."');
  });

  it('is finished word for word however often it is cut', async () => {
    const { rig, process, line } = await greets();
    line.drops();
    const second = await process.connect(await process.askNext());
    await rig.clock.advance(100);
    says(process, 'reply2', 'is the clerk.');
    await rig.clock.advance(halfwayMs);
    second?.drops();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(asked(process)).toContain('exactly these words, and nothing else: "clerk."');
  });

  it('is named as a whole where the model did not keep to it', async () => {
    const { rig, process, line } = await greets('Good day! Here the clerk.');
    line.drops();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(asked(process)).toContain(`"${greeting}"`);
    expect(asked(process)).toContain('heard of it: "Good day!"');
  });

  it('is not finished for a caller who spoke into it', async () => {
    const { rig, process, line } = await greets();
    const { session } = process.model;
    session.callerStarts('turn1');
    session.callerStops('turn1', 'What is it?');
    says(process, 'reply2', 'It is a bicycle with two bells.');
    await rig.clock.advance(halfwayMs);
    line.drops();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(asked(process)).toContain('Go on from exactly there');
  });
});

describe("an operator's words that are cut", () => {
  const rest = 'exactly these words, and nothing else: "today, and open again at nine tomorrow."';

  it('are finished word for word on the next stream', async () => {
    const { rig, process, line } = await announces();
    line.drops();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(asked(process)).toContain(rest);
  });

  it('are finished word for word by another process', async () => {
    const { rig, process } = await announces();
    const two = rig.open('two');
    await process.assembly.registry.get(callSid())?.durable();
    process.dies();
    await two.connect(await two.askNext());
    await rig.clock.advance(100);
    expect(asked(two)).toContain('exactly these words, and nothing else: "');
    expect(asked(two)).toContain('nine tomorrow."');
    expect(asked(two)).not.toContain('Please note');
  });

  it('are not taken for those that were wanted since', async () => {
    const { rig, process, line } = await announces();
    wants(process, 'We have a new number.');
    await rig.clock.advance(10);
    line.drops();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(asked(process)).toContain('Go on from exactly there');
  });
});
