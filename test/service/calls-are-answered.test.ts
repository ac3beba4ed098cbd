/** The webhook of a call that comes in: which call is begun, what is kept of it, and what the carrier is told. */
import { describe, expect, it } from 'vitest';
import { firstTime } from '../../src/adapters/twilio/continuation.ts';
import { FrontDesk } from '../../src/adapters/twilio/front-desk.ts';
import { Tally } from '../../src/adapters/twilio/tally.ts';
import { FixCallError } from '../../src/runtime/ports/errors.ts';
import { readStreamToken } from '../../src/runtime/stream-token.ts';
import { callerNumber, callSid, incoming, Rig, shopNumber, tokenKey } from './rig.ts';

const words = 'My card is four one one one.';

describe('a call that comes in', () => {
  it('is told to connect a stream, with a token for its first attempt', async () => {
    const rig = new Rig();
    const process = rig.open();
    const answer = await process.answer();
    expect(answer).toMatchObject({ do: 'connect', callId: callSid(), attempt: 1, pauseMs: 0 });
    const token = answer.do === 'connect' ? answer.token : '';
    expect(readStreamToken(tokenKey, token, rig.clock.now())).toMatchObject({
      callId: callSid(),
      attempt: 1,
    });
  });

  it('has a log that names the chart, the agent and the owner before the carrier is answered', async () => {
    const process = new Rig().open();
    await process.answer();
    const entries = await process.entries();
    expect(entries.map(({ type }) => type)).toEqual(['call.created', 'owner.claimed', 'call.answered']);
    expect(await process.row()).toMatchObject({ owner: 'one', carrierCallId: callSid(), endedAt: null });
  });

  it('keeps the definition of its agent by digest', async () => {
    const process = new Rig().open();
    await process.answer();
    const [created] = await process.entries();
    const digest = created?.type === 'call.created' ? created.agent : '';
    expect(await process.journal.readDefinition(digest)).toMatchObject({ name: 'clerk', voice: 'marin' });
  });

  it('opens its model session at once, and does not wait for the stream', async () => {
    const process = new Rig().open();
    await process.answer();
    const { request } = process.model.session;
    expect(request).toMatchObject({ callId: callSid(), generation: 1, voice: 'marin', history: [] });
    expect(request.tools.map(({ name }) => name)).toEqual([
      'look_up',
      'note_down',
      'order',
      'transfer_call',
      'hang_up',
    ]);
  });

  it('is resolved by the numbers where the agent is a function of the call', async () => {
    const rig = new Rig();
    const asked: object[] = [];
    const agent = rig.agent.load((call) => {
      asked.push(call);
      return { name: 'clerk', instructions: `Greet ${call.from}.`, greeting: 'Hello.' };
    });
    const process = rig.open('one', { agent });
    await process.answer();
    expect(asked).toMatchObject([{ callId: callSid(), from: callerNumber, to: shopNumber }]);
    expect(process.model.session.request.instructions).toBe(`Greet ${callerNumber}.`);
  });

  it('is declined while the process takes no calls, and leaves nothing', async () => {
    const rig = new Rig();
    const process = rig.open();
    process.isReady = false;
    expect(await process.answer()).toEqual({ do: 'decline' });
    expect(await process.types()).toEqual([]);
    await rig.expectNothingLeft();
  });

  it('is declined where its agent fails, and leaves nothing', async () => {
    const rig = new Rig();
    const agent = rig.agent.load(() => {
      throw new Error('the directory of tenants is down');
    });
    const process = rig.open('one', { agent });
    expect(await process.answer()).toEqual({ do: 'decline' });
    expect(await process.types()).toEqual([]);
    await rig.expectNothingLeft();
  });
});

describe('personal data', () => {
  it('is in payloads, and in no entry, state or log line', async () => {
    const rig = new Rig();
    const process = rig.open('one', { logLevel: 'debug' });
    const { line } = await process.begin();
    const { session } = process.model;
    session.callerStarts('turn1');
    session.callerStops('turn1', words);
    session.asksFor('tool1', 'look_up', { what: words });
    await rig.settle();
    session.says('reply2', `You said: ${words}`, 500);
    line.stops();
    await process.report('completed');
    await rig.clock.advance(1_000);

    const payloads = await process.journal.readPayloads(callSid());
    const contents = payloads.map(({ content }) => content);
    expect(contents).toContain(callerNumber);
    expect(contents).toContain(shopNumber);
    expect(contents).toContain(words);
    expect(contents).toContain(`look_up of ${words} done`);

    const log = JSON.stringify(await process.journal.read(callSid(), { fromStart: true }));
    const row = JSON.stringify(await process.row());
    const logged = process.logged.join('');
    expect(process.logged.length).toBeGreaterThan(15);
    for (const secret of [callerNumber, shopNumber, words, tokenKey]) {
      for (const place of [log, row, logged]) expect(place).not.toContain(secret);
    }
  });

  it('stays out of the log where the agent puts it into what it throws', async () => {
    const rig = new Rig();
    rig.agent.gate = () => Promise.reject(new TypeError(`no order of ${callerNumber}`));
    rig.agent.onEnd = () => {
      throw new Error(`cannot write to ${callerNumber}`);
    };
    const process = rig.open();
    await process.begin();
    process.model.session.asksFor('tool1', 'look_up', { what: 'it' });
    await rig.settle();
    await process.report('completed');
    await rig.clock.advance(1_000);
    const logged = process.logged.join('');
    expect(logged).not.toContain(callerNumber);
    expect(logged).toContain('"type":"TypeError"');
    expect(logged).toContain('calls-are-answered.test.ts');
    expect(logged).toContain('the end of a call could not be told');
    await process.assembly.deliveries.stop();
  });
});

describe('the same webhook once more', () => {
  it('gives the same call while the first is still being answered', async () => {
    const rig = new Rig();
    let asked = 0;
    const agent = rig.agent.load(() => {
      asked += 1;
      return rig.agent.definition;
    });
    const process = rig.open('one', { agent });
    const answers = await Promise.all([process.answer(), process.answer(), process.answer()]);
    expect(answers.map((answer) => answer.do === 'connect' && answer.attempt)).toEqual([1, 1, 1]);
    expect(await process.types()).toEqual(['call.created', 'owner.claimed', 'call.answered']);
    expect(process.model.sessions).toHaveLength(1);
    expect(asked).toBe(1);
  });

  it('gives the same call afterwards', async () => {
    const process = new Rig().open();
    const first = await process.answer();
    expect(await process.answer()).toEqual(first);
    expect(process.model.sessions).toHaveLength(1);
  });

  it('gives the same call in another process, which owns nothing of it', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    const answers = await Promise.all([one.answer(), two.answer()]);
    expect(answers[0]).toEqual(answers[1]);
    await rig.settle();
    expect(await two.types()).toEqual(['call.created', 'owner.claimed', 'call.answered']);
    const owners = [one, two].filter(({ assembly }) => assembly.registry.size > 0);
    expect(owners).toHaveLength(1);
    for (const process of [one, two]) if (!owners.includes(process)) process.expectNothingLeft();
  });

  it('hangs up where the call is over, and begins no second one', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    await process.report('completed');
    await rig.settle();
    expect(await process.answer()).toEqual({ do: 'hangUp' });
    expect(process.model.sessions).toHaveLength(1);
  });
});

describe('what next, the carrier asks', () => {
  it('of a call that nobody knows: nobody does, and it is begun like one that comes in', async () => {
    const rig = new Rig();
    const process = rig.open();
    await expect(process.askNext()).rejects.toMatchObject({ code: 'call.unknown' });
    const tally = new Tally(rig.clock, () => undefined);
    const frontDesk = new FrontDesk({ desk: process.desk, clock: rig.clock, tally, fallbackUrl: null });
    const fields = { CallSid: callSid(), From: callerNumber, To: shopNumber, CallStatus: undefined };
    expect(await frontDesk.continue(fields, firstTime, 'first')).toMatchObject({ do: 'connect', attempt: 1 });
    expect(await process.types()).toContain('call.created');
  });

  it('of a live call: another stream, and each request is noted once however often it is delivered', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    line.drops();
    const answers = [];
    for (const key of ['first', 'first', 'second']) answers.push(await process.askNext(callSid(), key));
    await rig.settle();
    expect(answers.map((answer) => answer.do === 'connect' && answer.attempt)).toEqual([2, 2, 2]);
    expect((await process.types()).filter((type) => type === 'stream.requested')).toHaveLength(2);
  });

  it('of a live call: the same in every process', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    await one.begin();
    const [here, there] = await Promise.all([one, two].map((process) => process.askNext()));
    expect(there).toEqual(here);
  });

  it('of a call that is over: hang up', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    await process.report('completed');
    await rig.settle();
    expect(await process.askNext()).toEqual({ do: 'hangUp' });
  });
});

describe('a status callback', () => {
  it('of a call that nobody knows is told so', async () => {
    const process = new Rig().open();
    await expect(process.report('completed')).rejects.toBeInstanceOf(FixCallError);
  });

  it('that overtakes the webhook ends the call as soon as it is begun', async () => {
    const rig = new Rig();
    const resolved = Promise.withResolvers<void>();
    const agent = rig.agent.load(async () => {
      await resolved.promise;
      return rig.agent.definition;
    });
    const process = rig.open('one', { agent });
    const answered = process.desk.answerCall(incoming());
    await rig.settle();
    await process.report('canceled');
    resolved.resolve();
    await answered;
    await rig.settle();
    expect(await process.row()).toMatchObject({ endReason: 'carrier.canceled', owner: null });
    await rig.expectNothingLeft();
  });

  it('of a call that is over changes nothing', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    await process.report('completed', 'first');
    await rig.settle();
    const before = await process.types();
    await process.report('completed', 'second');
    await rig.settle();
    expect(await process.types()).toEqual(before);
  });
});
