/** A caller who is handed on: by the agent's tool, by an operator, or because the model cannot serve; and who comes back. */
import { describe, expect, it } from 'vitest';
import { firstTime } from '../../src/adapters/twilio/continuation.ts';
import type { DraftOf } from '../../src/machines/entries.ts';
import { Conversation } from '../../src/runtime/conversation.ts';
import { referTo } from '../../src/runtime/ports/signal.ts';
import type { CallAgent } from '../../src/service/call-agent.ts';
import { ToolCalls } from '../../src/service/tool-calls.ts';
import { callSid, type Process, type ProcessOptions, Rig } from './rig.ts';
import { salesNumber } from './support/agent.ts';
import { fieldsOf, frontDeskOf } from './support/front-desk.ts';

const operatorsNumber = '+15550188888';
const helpNumber = '+15550199999';
const settings = { starvedMs: 3_600_000 };

async function inConversation(options: ProcessOptions = {}) {
  const rig = new Rig();
  const process = rig.open('one', { ...options, settings: { ...settings, ...options.settings } });
  const { line } = await process.begin();
  return { rig, process, line, session: process.model.session };
}

const ends = async (process: Process) =>
  (await process.entries()).flatMap((entry) => (entry.type === 'call.ended' ? [entry.reason] : []));

type Outcome = DraftOf<'transfer.finished'>['outcome'];

/** As Twilio tells it at `/twilio/dialed`. */
const dialed = ({ desk }: Process, outcome: Outcome) =>
  desk.report(callSid(), { entry: { type: 'transfer.finished', outcome } }, `dialed:${outcome}`);

const byOperator = ({ desk }: Process) =>
  desk.report(
    callSid(),
    {
      entry: {
        type: 'transfer.requested',
        by: 'operator',
        destination: referTo(operatorsNumber),
        toolCallId: null,
      },
      payloads: { destination: operatorsNumber },
    },
    'operator:transfer',
  );

/** The agent says so, and asks for it in the same reply. */
async function byAgent(rig: Rig, process: Process, destination = 'sales') {
  const { session } = process.model;
  session.startsReply('reply2');
  session.sends('reply2', 'item2', 1_000);
  session.asksFor('tool1', 'transfer_call', { destination }, 'once');
  session.endsReply('reply2', 'item2', 'I am putting you through.', 1);
  await rig.settle();
}

async function expectNoNumber(process: Process, number: string) {
  expect(JSON.stringify(await process.entries())).not.toContain(number);
  expect(process.logged.join('')).not.toContain(number);
}

describe('a caller whom the agent hands on', () => {
  it('hears its words to the end; then the number is dialled, and the call ends once that is over', async () => {
    const { rig, process, line, session } = await inConversation({ logLevel: 'trace' });
    await byAgent(rig, process);
    await rig.clock.advance(900);
    expect(process.control.redirected).toEqual([]);
    await rig.clock.advance(200);
    const answer = { do: 'transfer', number: salesNumber, ringMs: 30_000, apology: null };
    expect(process.control.redirected).toEqual([answer]);
    expect(line.isOver).toBe(true);
    expect(session.isClosed).toBe(true);
    expect(process.value()).toEqual({ transferring: 'dialing' });
    // A number that is being dialled is not dialled again.
    expect(await process.askNext()).toEqual({ do: 'wait', pauseMs: 1_000, dialing: true });
    expect(await process.types()).not.toContain('stream.requested');

    await dialed(process, 'completed');
    await rig.clock.advance(10);
    expect(await ends(process)).toEqual(['call.transferred']);
    await expectNoNumber(process, salesNumber);
    await rig.expectNothingLeft();
  });

  it.each([
    ['busy', 'The line is busy'],
    ['no-answer', 'Nobody answered'],
    ['failed', 'could not be reached'],
  ] as const)('and whom nobody takes (%s) comes back, and the model is told why', async (outcome, words) => {
    const { rig, process } = await inConversation();
    await byAgent(rig, process);
    await rig.clock.advance(1_100);
    await dialed(process, outcome);
    await rig.settle();
    const line = await process.connect(await process.askNext());
    await rig.clock.advance(100);
    const { session } = process.model;
    expect(process.model.sessions).toHaveLength(2);
    expect(process.model.openSessions).toEqual([session]);
    const told = [...session.told, ...session.request.history.map((item) => JSON.stringify(item))];
    expect(told.filter((item) => item.includes(words))).toHaveLength(1);
    expect(session.told.filter((item) => item.startsWith('createReply'))).toEqual([
      'createReply: by its own',
    ]);
    session.says('reply3', 'I am sorry, nobody is there. What else can I do?', 500);
    expect(line?.sentMs).toBe(500);
    await rig.clock.advance(1_000);
    session.callerStarts('turn1');
    session.callerStops('turn1', 'Then do it yourself.');
    await rig.clock.advance(10);
    expect(process.value()).toMatchObject({ live: { turn: 'thinking', tools: 'idle' } });
    expect(process.control.redirected).toHaveLength(1);
  });

  /** The reply that hands the caller on overtakes the words of the turn. */
  async function handedOnBeforeTheWords() {
    const { rig, process, session } = await inConversation();
    session.callerStarts('turn2');
    session.callerStops('turn2');
    session.startsReply('reply2');
    session.asksFor('tool1', 'transfer_call', { destination: 'sales' }, 'once');
    session.endsReply('reply2', 'item2', '', 1);
    await rig.clock.advance(100);
    return { rig, process, session };
  }

  it('in a reply that overtakes the words of the turn is known to have said them where nobody takes the call', async () => {
    const { rig, process, session } = await handedOnBeforeTheWords();
    expect(process.value()).toEqual({ transferring: 'dialing' });
    expect(session.isClosed).toBe(false);
    session.transcribes('turn2', 'My order has not come.');
    await rig.settle();
    expect(session.isClosed).toBe(true);
    await dialed(process, 'busy');
    await rig.settle();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    const { history } = process.model.session.request;
    expect(history).toContainEqual({ kind: 'speech', role: 'caller', text: 'My order has not come.' });
  });

  it('hears and is heard by no session any more, also while one is waited for to tell the words of the turn', async () => {
    const { rig, process, session } = await handedOnBeforeTheWords();
    const before = await process.types();
    session.says('reply3', 'Are you still there?', 500);
    await rig.settle();
    expect(await process.types()).toEqual(before);
    // Nobody knows whether they come at all.
    await rig.clock.advance(5_000);
    expect(session.isClosed).toBe(true);
    await dialed(process, 'completed');
    await rig.clock.advance(10);
    await rig.expectNothingLeft();
  });

  it('to somebody who is not there is not dialled: the model is told whom there is', async () => {
    const { rig, process } = await inConversation();
    await byAgent(rig, process, helpNumber);
    await rig.clock.advance(1_100);
    expect(process.control.redirected).toEqual([]);
    expect(process.model.session.told.join()).toContain('destination must be one of: "sales"');
    expect(process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
  });

  it('before the process died between the outcome and its telling is not handed on again unasked', () => {
    const conversation = new Conversation();
    const requested = {
      type: 'tool.requested',
      toolCallId: 'tool1',
      replyId: 'reply2',
      name: 'transfer_call',
      effect: 'once',
      arguments: { bytes: 23 },
      seq: 1,
      at: 0,
    } as const;
    const content = '{"destination":"sales"}';
    conversation.apply(requested, [{ seq: 1, name: 'arguments', content }]);
    const signals: string[] = [];
    const agent = {
      destinationOf: () => ({ number: salesNumber }),
      transferAnswer: () => 'not known',
    } as unknown as CallAgent;
    const calls = new ToolCalls({
      agent,
      conversation,
      runs: { begin: () => undefined, end: () => undefined, isUnderWay: async () => false },
      signal: ({ entry }) => signals.push(entry.type),
    });
    calls.run('tool1', 'recover');
    expect(signals).toEqual(['tool.finished']);
    calls.run('tool1', 'run');
    expect(signals).toEqual(['tool.finished', 'transfer.requested']);
  });

  it('while the process dies is dialled once: another one only asks how it went', async () => {
    const { rig, process } = await inConversation();
    await process.assembly.presence.start();
    await byAgent(rig, process);
    await rig.clock.advance(1_100);
    process.dies();
    const two = rig.open('two', { settings });
    await two.assembly.presence.start();
    await rig.clock.advance(120_000);
    expect(two.value()).toEqual({ transferring: 'dialing' });
    expect(two.control.redirected).toEqual([]);
    expect(two.control.asked.length).toBeGreaterThan(0);
    two.control.status = 'completed';
    await rig.clock.advance(60_000);
    expect(await ends(two)).toEqual(['caller.hungUp']);
    await two.assembly.presence.stop();
  });
});

describe('a dialling that ends while no process is there', () => {
  /** As Twilio comes back from a document outside this host. */
  async function comesBack(rig: Rig, process: Process, waits: number, key: string) {
    const frontDesk = frontDeskOf(rig, process, 'https://static.example/f');
    const answer = frontDesk.continue(fieldsOf('in-progress'), { ...firstTime, waits }, key);
    await rig.clock.advance(100);
    return await answer;
  }

  it('gives the caller back to the agent, once it is plain that nobody is dialled any more', async () => {
    const { rig, process } = await inConversation();
    await process.assembly.presence.start();
    await byAgent(rig, process);
    await rig.clock.advance(1_200);
    expect(process.value()).toEqual({ transferring: 'dialing' });
    process.dies();
    const next = rig.open('two', { settings });
    await next.assembly.presence.start();
    await rig.clock.advance(3_000);
    // The request of the verb that the dialling interrupted would come like this.
    expect(await comesBack(rig, next, 0, 'first')).toMatchObject({ do: 'wait' });
    expect(next.value()).toEqual({ transferring: 'dialing' });
    expect(await comesBack(rig, next, 1, 'second')).toMatchObject({ do: 'wait' });
    await rig.clock.advance(200);
    expect(await comesBack(rig, next, 2, 'third')).toMatchObject({ do: 'connect' });
    expect((await next.entries()).filter(({ type }) => type === 'transfer.finished')).toMatchObject([
      { outcome: 'unknown' },
    ]);
    await next.assembly.presence.stop();
  });
});

describe('a caller whom an operator hands on', () => {
  it('is dialled for at once, by whichever process has the call, and comes back to an agent that says so', async () => {
    const { rig, process, session } = await inConversation({ logLevel: 'trace' });
    session.says('reply2', 'A long story.', 5_000);
    await rig.clock.advance(500);
    const two = rig.open('two');
    await byOperator(two);
    await rig.clock.advance(200);
    expect(process.control.redirected).toMatchObject([{ do: 'transfer', number: operatorsNumber }]);
    expect(session.told).toContain('cancelReply');
    await expectNoNumber(process, operatorsNumber);

    await dialed(two, 'no-answer');
    await rig.settle();
    await process.connect(await process.askNext());
    await rig.clock.advance(100);
    expect(process.model.session.told).toEqual([
      expect.stringContaining('The caller was to be put through to somebody, and nobody could be reached'),
    ]);
  });

  it('by a carrier that cannot be told, is dialled for when the carrier asks', async () => {
    const { rig, process, line } = await inConversation();
    process.control.mood = 'isUnreachable';
    await byOperator(process);
    await rig.clock.advance(10);
    expect(line.isClosed).toBe(true);
    const answer = await process.askNext();
    expect(answer).toMatchObject({ do: 'transfer', number: operatorsNumber });
    expect(await rig.open('two').askNext()).toEqual(answer);
  });

  it('to a number that was erased hears that something went wrong', async () => {
    const { rig, process } = await inConversation({
      wrapJournal: (journal) => {
        const read = journal.readPayloads.bind(journal);
        journal.readPayloads = async (callId) =>
          (await read(callId)).filter(({ name }) => name !== 'destination');
        return journal;
      },
    });
    await byOperator(process);
    await rig.clock.advance(10);
    expect(process.control.redirected).toEqual([{ do: 'apologise', apology: 'trouble' }]);
  });
});

describe('a caller whom the model cannot serve', () => {
  async function refused(options: ProcessOptions) {
    const rig = new Rig();
    const process = rig.open('one', { ...options, settings: { ...settings, fallback: 'transfer' } });
    process.model.next = 'isRefused';
    await process.connect(await process.answer());
    await rig.clock.advance(100);
    return { rig, process };
  }

  it('hears why and is handed on to the configured number', async () => {
    const { rig, process } = await refused({ fallbackTransferTo: helpNumber, logLevel: 'trace' });
    expect(process.control.redirected).toEqual([
      { do: 'transfer', number: helpNumber, ringMs: 30_000, apology: 'agentUnavailable' },
    ]);
    await dialed(process, 'completed');
    await rig.clock.advance(10);
    expect(await ends(process)).toEqual(['call.transferred']);
    await expectNoNumber(process, helpNumber);
    await rig.expectNothingLeft();
  });

  it('and whom nobody takes there hears an apology, and the call ends for the true reason', async () => {
    const { rig, process } = await refused({ fallbackTransferTo: helpNumber });
    await dialed(process, 'busy');
    await rig.clock.advance(10);
    expect(await process.askNext()).toEqual({ do: 'apologise', apology: 'agentUnavailable' });
    await process.report('completed');
    await rig.clock.advance(30_000);
    expect(await ends(process)).toEqual(['model.refused']);
    expect(process.model.sessions).toHaveLength(1);
    await rig.expectNothingLeft();
  });

  it('hears an apology where no number is configured', async () => {
    const { process } = await refused({});
    expect(process.control.redirected).toEqual([{ do: 'apologise', apology: 'agentUnavailable' }]);
  });
});
