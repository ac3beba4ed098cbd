/** The calls that the fake desk has: an everyday one, one for each staged fault, one of an hour, and live ones. */
import { ToldCall } from './told-call.ts';

const minuteMs = 60_000;
const id = (number: number): string => `CA${String(number).padStart(32, '0')}`;

const greeted = (number: number, startedAt: number, from?: string, instance?: string): ToldCall =>
  new ToldCall(id(number), startedAt, from, instance)
    .connect()
    .open()
    .agent('Spoke and Wheel, good morning. How can I help you?', 2_700);

const repair =
  'Your bike is ready. The new chain and the brake pads come to eighty-four pounds, and we are open until six today.';

export const everyday = (startedAt: number): ToldCall =>
  greeted(1, startedAt)
    .caller('Hi, is my bike ready? My name is Ellis.')
    .tool('find_repair', '{"name":"Ellis"}', 640, 'completed', '{"state":"ready","priceGbp":84}')
    .agent(repair, 6_400, 0.55)
    .caller('Sorry, how much was it?', 1_300, false)
    .agent('Eighty-four pounds in all.', 1_800)
    .caller('Great, I will come by. Bye!')
    .agent('See you then. Goodbye!', 1_500)
    .hungUp();

/** The five staged faults, and the words that name the cause of each. */
export const faults: readonly {
  name: string;
  callId: string;
  cause: RegExp;
  tell(startedAt: number): ToldCall;
}[] = [
  {
    name: 'the model session drops',
    callId: id(11),
    cause: /model session was lost[\s\S]*1011/i,
    tell: (startedAt) =>
      greeted(11, startedAt, '+441632960011')
        .caller('I would like to book a service for my bike.')
        .loseModel(1011, 'keepalive ping timeout')
        .open()
        .agent('Of course. Which day suits you?', 2_200)
        .hungUp(),
  },
  {
    name: 'the media stream drops',
    callId: id(12),
    cause: /media stream broke off[\s\S]*1006/i,
    tell: (startedAt) =>
      greeted(12, startedAt, '+441632960012')
        .tell({ type: 'stream.closed', streamId: 'MZ1', code: 1006 }, 1_400)
        .connect(2)
        .caller('Are you still there?')
        .agent('I am. Please go on.', 1_400)
        .hungUp(),
  },
  {
    name: 'the process is killed',
    callId: id(13),
    cause: /process london-1 that had the call was gone|left the process london-1/i,
    tell: (startedAt) =>
      greeted(13, startedAt, '+441632960013')
        .tell({ type: 'owner.claimed', instance: 'london-2', why: 'stream', attempt: 2 }, 2_100)
        .tell({ type: 'stream.started', streamId: 'MZ2', attempt: 2 }, 1)
        .open()
        .agent('We were cut off for a moment. You were saying?', 2_600)
        .hungUp(),
  },
  {
    name: 'a tool does not answer',
    callId: id(14),
    cause: /find_repair did not answer in time[\s\S]*timed out after 8/i,
    tell: (startedAt) =>
      greeted(14, startedAt, '+441632960014')
        .caller('Is my bike ready?')
        .tool('find_repair', '{"name":"Ode"}', 8_000, 'timedOut', 'no answer within 8 s')
        .agent('I cannot reach the workshop just now. Shall somebody call you back?', 3_900)
        .hungUp(),
  },
  {
    name: 'the journal is lost',
    callId: id(15),
    cause: /journal took nothing any more[\s\S]*1,?012 entries/i,
    tell: (startedAt) =>
      greeted(15, startedAt, '+441632960015')
        .caller('What are your opening hours?')
        .agent('We are open from nine to six.', 1_900)
        .tell({ type: 'journal.lost', queuedEntries: 1_012, stalledMs: 60_000 }, 4_000)
        .tell({ type: 'redirect.finished', outcome: 'redirected', told: 'apologise' }, 300)
        .tell({ type: 'carrier.reported', status: 'completed', source: 'callback' }, 4_000)
        .end('journal.lost'),
  },
];

/** 5,000 entries, an hour. */
export function hourLong(startedAt: number, entries = 5_000): ToldCall {
  const call = greeted(21, startedAt, '+441632960021');
  for (let turn = 1; call.lastSeq < entries; turn++) {
    call.caller(`This is what I say in turn ${turn}; I have a good many questions about wheels.`, 2_600);
    if (turn % 6 === 0)
      call.tool('find_repair', `{"turn":${turn}}`, 700, 'completed', '{"state":"waiting for parts"}');
    if (turn % 25 === 0) call.loseModel(1006, 'connection reset').open();
    call.agent(
      `And this is the answer to turn ${turn}: the hub has to be taken apart, cleaned and greased.`,
      5_200,
      turn % 5 === 0 ? 0.4 : 1,
    );
    if (turn % 5 === 0)
      call.caller('Wait, say that again please.', 1_200, false).agent('The hub has to be cleaned.', 1_900);
  }
  return call;
}

export const liveCalls = (now: number): ToldCall[] => [
  greeted(31, now - 46_000, '+441632960031')
    .caller('I have a flat tyre.')
    .agent('We mend it while you wait, for twelve pounds.', 3_000),
  greeted(32, now - 95_000, '+441632960032', 'london-2')
    .caller('Hello?')
    .loseModel(1011, 'server error'),
  new ToldCall(id(33), now - 2_000, '+441632960033').connect(),
];

export const pastCalls = (now: number): ToldCall[] => [
  everyday(now - 12 * minuteMs),
  ...faults.map(({ tell }, index) => tell(now - (20 + 7 * index) * minuteMs)),
];
