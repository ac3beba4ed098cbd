/** The front desk on the phone, without a phone: how `docs/guides/testing-an-agent.md` tests an agent. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSegments, scriptedBrain, startTwin, type Twin } from 'holdfast/twin';

const port = process.env.PORT ?? '8090';
const service = `http://127.0.0.1:${port}`;

/** Replies are numbered as they stand here: 0 is the greeting, 2 what follows the tool. */
const brain = scriptedBrain({
  greeting: { say: ['Spoke and Wheel, good day!'] },
  turns: [
    {
      caller: 'Is repair four seven one two ready?',
      reply: {
        say: ['One moment.'],
        calls: [{ name: 'find_repair', arguments: { number: '4712' } }],
        afterResult: { say: ['Your touring bike is ready.', 'It costs forty-five euros.'] },
      },
    },
    { caller: 'Goodbye.', reply: { say: ['Goodbye!'], calls: [{ name: 'hang_up', arguments: {} }] } },
  ],
});

/** What the caller says to whatever is asked; the words that the model understands are those of the script. */
const script = [{ say: 'yes-please' }, { say: 'goodbye' }];

let twin: Twin;
let stop = async (): Promise<void> => undefined;

before(
  async () => {
    twin = await startTwin({ service, brain });
    const child = spawn(process.execPath, ['--conditions=holdfast-source', 'src/service/main.ts'], {
      env: {
        ...process.env,
        ...twin.environment,
        AGENT: 'agents/front-desk.ts',
        PORT: port,
        ADMIN_PORT: '0',
        JOURNAL_URL: 'sqlite:data/test.db',
        LOG_LEVEL: 'silent',
      },
      stdio: 'inherit',
    });
    const over = new Promise((resolve) => child.once('exit', resolve));
    stop = async () => {
      child.kill();
      await over;
      await twin.close();
    };
    const isReady = () =>
      fetch(`${service}/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isReady())) await sleep(100);
  },
  { timeout: 30_000 },
);

after(() => stop());

/** The numbers of the replies of which the caller heard anything, in order. */
const heardBy = (call: ReturnType<Twin['placeCall']>): number[] => {
  const audio = Buffer.concat(call.heard().map(({ bytes }) => bytes));
  return [...new Set(readSegments(audio).map(({ reply }) => reply))];
};

test('a repair is looked up, told, and the agent hangs up', { timeout: 60_000 }, async () => {
  const call = twin.placeCall({ script });
  const { status } = await call.ended;
  assert.equal(status, 'completed');
  assert.deepEqual(heardBy(call), [0, 1, 2, 3]);
  const items = twin.openai.sessions.flatMap((session) => session.items);
  const results = items.filter((item) => item.type === 'function_call_output');
  assert.match(JSON.stringify(results), /blue touring bike/);
});

test('the caller hears all of it although the stream breaks and the model’s session is lost', {
  timeout: 60_000,
}, async () => {
  const call = twin.placeCall({ script, faults: { streams: [{ fault: 'reset', afterMs: 4_000 }] } });
  call.onEvent(({ event }) => {
    if (event === 'callerStopped')
      twin.openai.sessions.at(-1)?.inject({ kind: 'drop', when: { afterMs: 0 } });
  });
  await call.ended;
  assert.deepEqual(heardBy(call), [0, 1, 2, 3]);
  assert.ok(call.events.some(({ event }) => event === 'faultStruck'));
});
