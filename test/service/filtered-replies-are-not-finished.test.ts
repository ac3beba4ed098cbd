/** A reply that a content filter broke off: the caller is told so, and nobody asks for the rest of it. */
import { describe, expect, it } from 'vitest';
import { referTo } from '../../src/runtime/ports/signal.ts';
import { callSid, type Process, Rig } from './rig.ts';
import type { FakeSession } from './support/fake-model.ts';

async function filtered() {
  const rig = new Rig();
  const process = rig.open();
  const { line } = await process.begin();
  const { session } = process.model;
  session.callerStarts('turn1');
  session.callerStops('turn1', 'How is it made?');
  session.startsReply('reply2');
  session.sends('reply2', 'item2', 2_000);
  session.endsItem('item2', 'You take two parts');
  session.breaksOff('reply2', 'content_filter');
  return { rig, process, line };
}

const asked = (process: Process): string | undefined =>
  process.model.session.told.findLast((item) => item.startsWith('createReply'));

describe('a reply that a content filter broke off', () => {
  it('is not gone on with: the caller is told that there is no more, and asked what else there is', async () => {
    const { rig, process } = await filtered();
    await rig.clock.advance(2_500);
    expect(asked(process)).toContain('cannot say more about that');
    expect(asked(process)).not.toContain('Go on from exactly there');
  });

  it('is not gone on with on the next stream either', async () => {
    const { rig, process, line } = await filtered();
    await rig.clock.advance(1_000);
    line.drops();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(asked(process)).toContain('cannot say more about that');
  });

  it('is followed by a sentence that is finished like any other where it is cut', async () => {
    const { rig, process, line } = await filtered();
    await rig.clock.advance(2_500);
    process.model.session.says('reply3', 'I cannot say more about that, I am afraid.', 4_000);
    await rig.clock.advance(2_100);
    line.drops();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(asked(process)).toContain('Go on from exactly there');
  });
});

/** Nothing of the reply came. */
function silences(session: FakeSession, replyId: string): void {
  session.startsReply(replyId);
  const how = {
    status: 'incomplete',
    cause: 'content_filter',
    voiced: false,
    toolCalls: 0,
    usage: null,
  } as const;
  session.signal({ type: 'reply.finished', replyId, ...how });
}

describe('a reply of which a content filter let no sound through', () => {
  async function silenced() {
    const rig = new Rig();
    const process = rig.open('one', { settings: { starvedMs: 3_600_000 } });
    await process.begin();
    const { session } = process.model;
    session.callerStarts('turn1');
    session.callerStops('turn1', 'How is it made?');
    silences(session, 'reply2');
    await rig.clock.advance(100);
    return { rig, process, session };
  }

  it('is not asked for again in vain until no session is left: the caller is told', async () => {
    const { process } = await silenced();
    expect(asked(process)).toContain('cannot say more about that');
  });

  it('is no reason not to answer what the caller says next', async () => {
    const { rig, process, session } = await silenced();
    session.callerStarts('turn3');
    session.callerStops('turn3', 'And when do you open?');
    await rig.clock.advance(10_000);
    expect(asked(process)).toMatch(/^createReply.*: by its own$/);
  });

  it('that an operator asked for is not asked for again either', async () => {
    const { rig, process, session } = await silenced();
    session.says('reply3', 'I cannot say more about that.', 500);
    await rig.clock.advance(1_000);
    const words = 'Take two parts.';
    await process.desk.report(
      callSid(),
      {
        entry: { type: 'announcement.requested', by: 'operator', words: referTo(words) },
        payloads: { words },
      },
      'operator:say',
    );
    await rig.clock.advance(100);
    expect(asked(process)).toContain(words);
    silences(session, 'reply4');
    await rig.clock.advance(100);
    expect(asked(process)).toContain('cannot say more about that');
  });
});
